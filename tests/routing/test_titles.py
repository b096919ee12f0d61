"""Rules that read the change's title."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reviewbot.config.policy import load_policy
from reviewbot.errors import DocumentError
from reviewbot.routing.model import Tier
from reviewbot.routing.router import decide
from reviewbot.routing.rules import RuleSet, load_rules, shipped_rules

TILL = """
area: pay
title: Payments
ignore_paths: ['**/*.css']
rules:
  - id: pay.title
    why: The title speaks of tills
    weight: 2
    title: ['(?i)\\btills?\\b']
    not: ['(?i)^docs\\b']
  - id: pay.book
    why: Books
    weight: 3
    changed: ['\\bbook\\(']
  - id: pay.coin
    why: Speaks of coins
    weight: 1
    changed: ['\\bcoin\\b']
"""


@pytest.fixture(scope="module")
def till() -> RuleSet:
    return load_rules({"till.yml": TILL})


@pytest.fixture
def route(till: RuleSet, change: Any) -> Any:
    def run(title: str, *files: Any, policy: str = "{}") -> Any:
        given = change(*files, title=title)
        return decide(given, till, load_policy(policy), local_context_tokens=None)

    return run


def test_a_title_is_a_hint_beside_code(route: Any, file: Any):
    files = file("a.py", ["x = 1"]), file("b.py", ["y = 1", "z = 2"])

    decided = route("Close the  till\nearlier", *files)

    assert (decided.tier, decided.areas, decided.certainty) == (Tier.CLAUDE, ("pay",), "uncertain")
    (reason,) = decided.reasons
    assert (reason.rule, reason.path, reason.line) == ("pay.title", "b.py", None)
    assert reason.excerpt == "Close the till earlier"


def test_title_and_line_add_up(route: Any, file: Any):
    assert route("The till", file("a.py", ["book(1)"])).scores == {"pay": 5}


@pytest.mark.parametrize(
    ("title", "path", "line"),
    [
        ("Distil it", "a.py", "x = 1"),
        ("docs of the till", "a.py", "x = 1"),
        ("The till", "a.py", "# a comment"),
        ("The till", "a.py", "import tills"),
        ("The till", "README.md", "Words of it"),
        ("The till", "tests/test_a.py", "x = 1"),
        ("The till", "a.css", "x { y: z }"),
    ],
)
def test_a_title_alone_flags_nothing(route: Any, file: Any, title: str, path: str, line: str):
    assert route(title, file(path, [line])).areas == ()


def test_a_new_layout_under_such_a_title_is_not_flagged(route: Any, file: Any):
    same = file("a.py", ["call(one,", "     two)"], ["call(one, two)"])

    assert route("The till", same).areas == ()


def test_what_only_the_title_says_sends_the_whole_change(route: Any, file: Any):
    plain, booking = file("a.py", ["x = 1"]), file("b.py", ["book(1)"])
    policy = "route: {granularity: file}"

    told = route("The till", plain, policy=policy)
    both = route("The till", plain, booking, policy=policy)

    assert [each.tier for each in told.files] == [Tier.CLAUDE]
    assert [each.tier for each in both.files] == [Tier.LOCAL, Tier.CLAUDE]


def test_a_weak_hint_elsewhere_takes_no_file_away_from_it(route: Any, file: Any):
    plain, hint = file("a.py", ["x = 1"]), file("b.py", ["coin = 1"])

    told = route("The till", plain, hint, policy="route: {granularity: file}")

    assert [each.tier for each in told.files] == [Tier.CLAUDE, Tier.CLAUDE]


@pytest.mark.parametrize(
    ("keys", "problem"),
    [
        ("title: [x], added: [y]", "`title` reads the change's title, no lines"),
        ("title: [x], names: [y]", "`title` reads the change's title, no lines"),
        ("title: [x], measure: files, at_least: 3", "`title` reads the change's title, no lines"),
        ("not: [x]", "the rule looks for nothing"),
        ("added: [x], in_views: true", "`in_views` without `view_paths`"),
    ],
)
def test_a_title_rule_that_means_something_else_is_refused(keys: str, problem: str):
    text = f"area: a\ntitle: A\nrules:\n  - {{id: a.b, why: w, {keys}}}\n"

    with pytest.raises(DocumentError, match=problem):
        load_rules({"a.yml": text})


LINES = (
    "@login_required",
    "total = price * 2",
    "return rows",
    "ALTER TABLE a ADD COLUMN b INT;",
    "# see the login",
)


@given(
    title=st.text(max_size=80) | st.sampled_from(["Fix login", "chore: docs", "Refund in parts"]),
    lines=st.lists(st.sampled_from(LINES), min_size=1, max_size=4),
)
def test_no_title_takes_an_area_away(change: Any, file: Any, title: str, lines: list[str]):
    changed = file("app/views.py", lines)

    def areas(title: str) -> set[str]:
        given = change(changed, title=title)
        return set(
            decide(given, shipped_rules(), load_policy("{}"), local_context_tokens=None).areas
        )

    assert areas("") <= areas(title)


def test_a_rule_looks_into_views_where_the_others_of_its_file_do_not(change: Any, file: Any):
    rules = load_rules(
        {
            "a.yml": "area: a\ntitle: A\nignore_paths: ['**/samples/**']\nview_paths: ['**/*.vue']\nrules:\n"
            "  - {id: a.all, why: w, weight: 3, added: [xx]}\n"
            "  - {id: a.also, why: w, weight: 3, added: [xx], in_views: true}\n"
        }
    )

    def fired(path: str) -> list[str]:
        given = change(file(path, ["xx"]))
        decided = decide(given, rules, load_policy("{}"), local_context_tokens=None)
        return [match.rule for match in decided.reasons]

    assert fired("a/b.vue") == ["a.also"]
    assert fired("samples/b.vue") == []
    assert fired("a/b.py") == ["a.all", "a.also"]


def test_what_a_file_rules_out_is_no_evidence_for_any_of_its_rules(change: Any, file: Any):
    rules = load_rules(
        {
            "a.yml": "area: a\ntitle: A\nnot: ['^label:']\nrules:\n"
            "  - {id: a.one, why: w, weight: 2, added: [xx]}\n"
            "  - {id: a.two, why: w, weight: 2, added: [xx], not: [yy]}\n"
            "  - {id: a.sure, why: w, weight: 3, added: [sure]}\n"
            "  - {id: a.place, why: w, names: [till]}\n"
        }
    )

    def fired(line: str) -> list[str]:
        given = change(file("till/b.py", [line]))
        decided = decide(given, rules, load_policy("{}"), local_context_tokens=None)
        return [match.rule for match in decided.reasons]

    assert fired("label: xx") == []
    assert fired("label: sure") == ["a.sure", "a.place"]
    assert fired("xx = yy") == ["a.one", "a.place"]
    assert fired("xx") == ["a.one", "a.two", "a.place"]
