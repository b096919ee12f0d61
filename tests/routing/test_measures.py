"""What is counted over the whole change, and the optional area that rests on it."""

from collections.abc import Callable
from typing import Any

import pytest

from reviewbot.change.model import Change
from reviewbot.config.policy import load_policy
from reviewbot.errors import DocumentError
from reviewbot.routing.model import Route, Tier
from reviewbot.routing.router import decide
from reviewbot.routing.rules import load_rules, shipped_rules

ON = "route: {also: [complexity]}"
LOCK = "lock = threading.Lock()"


@pytest.fixture
def route() -> Callable[..., Route]:
    def make(change: Change, policy: str = ON, context: int | None = None) -> Route:
        return decide(change, shipped_rules(), load_policy(policy), local_context_tokens=context)

    return make


def pieces(route: Route) -> dict[str, float]:
    return {match.rule: match.weight for match in route.reasons if match.area == "complexity"}


def test_a_difficult_change_goes_to_claude_only_where_the_policy_says_so(
    route: Any, change: Any, file: Any
):
    hard = change(file("api/a.py", [LOCK]), file("web/a.ts", ["x()"]), file("core/a.go", ["x()"]))

    off, on = route(hard, "{}"), route(hard)

    assert (off.tier, dict(off.scores)) == (Tier.LOCAL, {})
    assert (on.tier, on.areas, on.certainty) == (Tier.CLAUDE, ("complexity",), "sure")
    assert pieces(on) == {
        "complexity.concurrency": 2,
        "complexity.languages": 1,
        "complexity.subsystems": 1,
    }
    reason = next(match for match in on.reasons if match.rule == "complexity.concurrency")
    assert (reason.path, reason.line, reason.excerpt) == ("api/a.py", 10, LOCK)
    counted = next(match for match in on.reasons if match.rule == "complexity.languages")
    assert (counted.line, counted.why) == (None, "Changes code in several languages: 3")


def test_below_the_threshold_it_stays_local_and_the_points_are_told(
    route: Any, change: Any, file: Any
):
    decided = route(change(file("a.py", [LOCK])))

    assert (decided.tier, dict(decided.scores)) == (Tier.LOCAL, {"complexity": 2})
    assert "complexity has 2 points" in decided.why


def test_the_other_areas_are_decided_as_without_it(route: Any, change: Any, file: Any):
    risky = change(file("a.py", ["stripe.Refund.create(x)"]), file("b/b.py", [LOCK]))

    off, on = route(risky, "{}"), route(risky)

    assert {**on.scores, "complexity": 0} == {**off.scores, "complexity": 0}
    assert on.areas == off.areas == ("payments",)


def test_what_is_counted_over_the_change_takes_all_its_files_along(
    route: Any, change: Any, file: Any
):
    hard = change(file("api/a.py", [LOCK]), file("web/a.ts", ["x()"]), file("core/a.go", ["x()"]))
    policy = "route: {also: [complexity], granularity: file}"

    assert {each.tier for each in route(hard, policy).files} == {Tier.CLAUDE}


def test_a_change_past_the_local_context_says_how_many_prompts_it_needs(
    route: Any, change: Any, file: Any
):
    long = change(file("a.py", ["value = compute(other, value)"] * 200))

    reasons = {match.rule: match.why for match in route(long, context=2_000).reasons}

    assert reasons["complexity.context"].startswith("Does not fit one prompt of the local model: ")
    assert pieces(route(long, context=200_000)) == {}
    assert pieces(route(long, context=None)) == {}


def test_control_flow_counts_by_its_share_and_not_in_a_handful_of_lines(
    route: Any, change: Any, file: Any
):
    branches = [f"if a{number} > b:" for number in range(12)]
    plain = [f"a{number} = b{number}" for number in range(200)]

    dense = route(change(file("a.py", branches + plain[:30])))

    (reason,) = dense.reasons
    assert reason.why == "Much of it is control flow: 24 of 100 changed lines"
    assert pieces(route(change(file("a.py", branches + plain)))) == {}
    assert pieces(route(change(file("a.py", branches[:3])))) == {}


def test_a_test_that_is_taken_away_is_a_piece_and_one_that_moves_is_not(
    route: Any, change: Any, file: Any
):
    gone = change(file("tests/test_a.py", removed=["def test_a_refund():"]))
    moved = change(
        file("tests/test_a.py", added=["def test_a_refund():"], removed=["def test_a_refund():"])
    )

    assert pieces(route(gone)) == {"complexity.deleted-tests": 1}
    assert pieces(route(moved)) == {}


def test_a_density_that_is_not_reached_leaves_an_ignored_file_unread(
    route: Any, change: Any, file: Any
):
    policy = "route: {also: [complexity]}\nignore: {paths: [gen/**]}"

    decided = route(change(file("gen/a.py", ["if a > b:"])), policy)

    assert decided.file("gen/a.py").why == "ignored by policy"


@pytest.mark.parametrize(
    ("keys", "problem"),
    [
        ("measure: files", "`measure` and `at_least` go together"),
        ("at_least: 3, added: [x]", "`measure` and `at_least` go together"),
        ("measure: files, at_least: 3, added: [x]", "counts over the whole change"),
        ("measure: prompts, at_least: 3, paths: ['**']", "counts over the whole change"),
        ("measure: density, at_least: 3", "has no lines to count"),
        ("measure: words, at_least: 3", "measure"),
    ],
)
def test_a_measure_that_means_nothing_is_refused(keys: str, problem: str):
    text = f"area: a\ntitle: A\nrules:\n  - {{id: a.b, why: w, {keys}}}\n"

    with pytest.raises(DocumentError, match=problem):
        load_rules({"a.yml": text})


def test_an_area_of_ones_own_can_be_optional(change: Any, file: Any):
    rules = load_rules(
        {
            "a.yml": "area: own\ntitle: A\noptional: true\nrules:\n  - {id: own.x, why: w, weight: 3, added: [xx]}"
        }
    )
    given = change(file("a.py", ["xx"]))

    off = decide(given, rules, load_policy("{}"), local_context_tokens=None)
    on = decide(given, rules, load_policy("route: {also: [own]}"), local_context_tokens=None)

    assert (off.tier, on.tier) == (Tier.LOCAL, Tier.CLAUDE)
