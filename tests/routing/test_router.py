"""Where a change goes: weights, thresholds, policy, and what nobody needs to read."""

import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reviewbot.change.kinds import language_of
from reviewbot.change.model import Change, FileChange, Hunk, Kind, Status
from reviewbot.change.parse import parse_diff
from reviewbot.config.policy import Policy, load_policy
from reviewbot.routing.measures import DIFF_SHARE
from reviewbot.routing.model import Route, Tier
from reviewbot.routing.override import overridden
from reviewbot.routing.router import decide
from reviewbot.routing.rules import RuleSet, shipped_rules

DEFAULT = Policy()


@pytest.fixture(scope="module")
def route(rules: RuleSet) -> Any:
    """The route of a change under the small rules of this folder."""

    def decided(change: Change, policy: str = "", context: int | None = None) -> Route:
        return decide(change, rules, load_policy(policy), local_context_tokens=context)

    return decided


def test_one_strong_reason_sends_a_change_to_claude(route: Any, change: Any, file: Any):
    decided = route(change(file("b.py", added=["x"]), file("a.py", added=["bank.pay(x)"])))

    assert decided.tier is Tier.CLAUDE
    assert decided.areas == ("pay",)
    assert decided.certainty == "sure"
    assert decided.scores == {"pay": 3}
    assert decided.why == "Claude: pay has 3 points, 3 flag it."
    assert decided.file("a.py").areas == ("pay",)
    assert decided.file("b.py").tier is Tier.CLAUDE
    assert decided.file("b.py").why == "part of a flagged change"
    with pytest.raises(KeyError):
        decided.file("c.py")


def test_weak_reasons_add_up_over_the_change(route: Any, change: Any, file: Any):
    decided = route(
        change(
            file("till/a.py", added=["x"]),
            file("b.py", added=["money"]),
            file("c.py", removed=["guard()"]),
        )
    )

    assert decided.scores == {"pay": 4}
    assert decided.tier is Tier.CLAUDE


def test_a_place_adds_to_evidence_in_its_file_and_says_nothing_alone(
    route: Any, change: Any, file: Any
):
    alone = route(change(file("src/ledger.py", added=["x"]), file("b.py", added=["money"])))
    beside = route(change(file("src/ledger.py", added=["money"])))

    assert alone.scores == {"pay": 1}
    assert beside.scores == {"pay": 2}
    assert [match.rule for match in beside.reasons if match.is_place] == ["pay.named"]


def test_one_weak_reason_a_hundred_times_is_one_weak_reason(route: Any, change: Any, file: Any):
    decided = route(change(*(file(f"{i}.py", added=["money"] * 9) for i in range(100))))

    assert decided.scores == {"pay": 1}
    assert decided.tier is Tier.LOCAL
    assert decided.why == "Local: pay has 1 point, 3 would flag it."


@pytest.mark.parametrize(
    ("policy", "tier"),
    [
        ("", Tier.CLAUDE),
        ("route: {uncertain: local}", Tier.LOCAL),
        ("route: {uncertain: ask}", Tier.CLAUDE),
    ],
)
def test_between_the_thresholds_the_policy_decides(
    route: Any, change: Any, file: Any, policy: str, tier: Tier
):
    decided = route(change(file("till/a.py", added=["money"])), policy)

    assert decided.certainty == "uncertain"
    assert decided.tier is tier
    assert decided.why.endswith(": pay has 2 points, 2 make it uncertain and 3 flag it.")
    assert decided.areas == (("pay",) if tier is Tier.CLAUDE else ())


def test_by_file_only_the_areas_files_go_to_claude(route: Any, change: Any, file: Any):
    decided = route(
        change(
            file("a.py", added=["bank.pay()"]),
            file("b.py", added=["money"]),
            file("c.py", added=["x"]),
        ),
        "route: {granularity: file}",
    )

    assert [f.tier for f in decided.files] == [Tier.CLAUDE, Tier.CLAUDE, Tier.LOCAL]


def test_a_policy_lowers_a_threshold_and_never_raises_it(route: Any, change: Any, file: Any):
    weak, strong = change(file("a.py", added=["money"])), change(file("a.py", added=["bank.pay()"]))

    assert route(weak, "route: {areas: {pay: {threshold: 1}}}").tier is Tier.CLAUDE
    assert route(strong, "route: {areas: {pay: {threshold: 99}}}").tier is Tier.CLAUDE


def test_a_policys_own_rules_add_and_cannot_mask_one_of_the_same_id(
    route: Any, change: Any, file: Any
):
    policy = "route: {rules: [{id: pay.call, area: pay, why: w, weight: 0.1, added: [x]}]}"

    decided = route(
        change(file("a.py", added=["x = 1"]), file("b.py", added=["bank.pay()"])), policy
    )

    assert decided.scores == {"pay": 3}
    assert decided.tier is Tier.CLAUDE


def test_what_nobody_reads_is_skipped_and_lockfiles_are_listed(route: Any, change: Any, file: Any):
    decided = route(
        change(
            file("poetry.lock", added=["bank.pay()"]),
            file("vendor/lib/a.py", added=["x"]),
            file("logo.png", is_binary=True, kind=Kind.BINARY),
            file("run.sh", old_mode="100644", new_mode="100755"),
        )
    )

    assert decided.tier is Tier.SKIP
    assert {f.path: f.why for f in decided.files} == {
        "logo.png": "binary",
        "poetry.lock": "lockfile",
        "run.sh": "modified without a changed line",
        "vendor/lib/a.py": "vendored",
    }
    assert decided.notes == ("lockfile changed: poetry.lock", "1 vendored file not read")
    assert decided.why.startswith("Nothing to review: ")


def test_a_change_without_files_has_nothing_to_review(route: Any, change: Any):
    assert route(change()).why == "Nothing to review: the change has no files."


def test_a_skipped_file_stays_skipped_in_a_flagged_change(route: Any, change: Any, file: Any):
    decided = route(change(file("a.py", added=["bank.pay()"]), file("yarn.lock", added=["x"])))

    assert decided.file("yarn.lock").tier is Tier.SKIP


def test_risky_text_in_a_vendored_file_is_read_but_flags_nothing(
    route: Any, change: Any, file: Any
):
    decided = route(change(file("vendor/lib/a.py", added=["bank.pay()"])))

    assert decided.tier is Tier.LOCAL
    assert decided.file("vendor/lib/a.py").why == "vendored, but holds what rules look for"


def test_a_policy_ignores_paths_but_not_what_a_rule_matches(route: Any, change: Any, file: Any):
    decided = route(
        change(file("gen/a.py", added=["x"]), file("gen/b.py", added=["bank.pay()"])),
        "ignore: {paths: ['gen/**']}",
    )

    assert decided.file("gen/a.py").tier is Tier.SKIP
    assert decided.file("gen/a.py").why == "ignored by policy"
    assert decided.file("gen/b.py").tier is Tier.CLAUDE


def test_always_claude_sends_a_file_without_a_rule(route: Any, change: Any, file: Any):
    decided = route(
        change(file("infra/a.tf", added=["x"]), file("b.py", added=["x"])),
        "route: {always_claude: ['infra/**']}",
    )

    assert [f.tier for f in decided.files] == [Tier.LOCAL, Tier.CLAUDE]
    assert decided.why == "Claude: the policy always sends infra/a.tf to Claude."


def test_never_send_keeps_a_risky_file_and_says_so(route: Any, change: Any, file: Any):
    decided = route(
        change(file("a.py", added=["bank.pay()"]), file("b.py", added=["x"])),
        "route: {never_send: [a.py], always_claude: [a.py]}",
    )

    assert decided.file("a.py").tier is Tier.LOCAL
    assert decided.file("a.py").why == "never_send"
    assert decided.areas == ("pay",)
    assert "risky, not sent: a.py is on the never_send list" in decided.notes


def test_a_file_without_text_at_a_risky_path_is_flagged(route: Any, change: Any, file: Any):
    decided = route(change(file("till/a.py", patch_missing=True)))

    assert decided.tier is Tier.CLAUDE
    assert decided.notes == ("no text of till/a.py: routed by its path only",)


@pytest.mark.parametrize("hidden", ["file", "listing"])
def test_what_the_host_did_not_show_makes_the_route_uncertain(
    route: Any, change: Any, file: Any, hidden: str
):
    if hidden == "file":
        unseen = change(file("b.py", patch_missing=True))
    else:
        unseen = change(file("b.py", added=["x"]), missing_files=7)

    assert route(unseen).certainty == "uncertain"
    assert route(unseen).tier is Tier.CLAUDE
    assert route(unseen, "route: {uncertain: local}").tier is Tier.LOCAL


@pytest.mark.parametrize(("to", "tier"), [("claude", Tier.CLAUDE), ("local", Tier.LOCAL)])
def test_a_change_too_long_for_the_local_model_goes_where_the_policy_says(
    route: Any, change: Any, file: Any, to: str, tier: Tier
):
    context = 2_000
    long = change(file("a.py", added=["word " * 20] * 400), file("yarn.lock", added=["x" * 90_000]))

    decided = route(long, f"route: {{large: {{over_units: 4, to: {to}}}}}", context)

    assert decided.tier is tier
    assert "local prompts, more than 4" in (decided.why if to == "claude" else decided.notes[-1])
    assert route(long, "route: {large: {to: claude}}").tier is Tier.LOCAL
    assert DIFF_SHARE * context * 4 < 9_000


@settings(deadline=None)
@given(st.randoms(use_true_random=False), st.data())
def test_the_order_of_files_never_matters(rules: RuleSet, rng: random.Random, data: st.DataObject):
    paths = data.draw(
        st.lists(
            st.sampled_from(["a.py", "till/b.py", "c.md", "d.lock", "vendor/e.py"]), unique=True
        )
    )
    texts = st.sampled_from(["money", "bank.pay()", "x", "# money"])
    files = [
        FileChange(path, Status.MODIFIED, hunks=(Hunk(0, 0, 1, 1, "", (f"+{data.draw(texts)}",)),))
        for path in paths
    ]
    shuffled = list(files)
    rng.shuffle(shuffled)

    one = decide(Change(tuple(files)), rules, DEFAULT, local_context_tokens=8_000)
    other = decide(Change(tuple(shuffled)), rules, DEFAULT, local_context_tokens=8_000)

    assert one == other


hunk_lines = st.lists(
    st.tuples(
        st.sampled_from("+-"),
        st.sampled_from(["money()", "bank.pay()", "if bank.pay():", "x = 1", "# money", ""]),
    ),
    min_size=1,
    max_size=4,
)


@settings(deadline=None)
@given(st.lists(hunk_lines, min_size=1, max_size=5), st.randoms(use_true_random=False))
def test_the_order_of_hunks_changes_no_decision(
    rules: RuleSet, hunks: list[list[tuple[str, str]]], rng: random.Random
):
    def decided(order: list[int]) -> Route:
        made = [
            Hunk(100 * i, 4, 100 * i, 4, "", tuple(mark + text for mark, text in hunks[i]))
            for i in order
        ]
        file = FileChange("a.py", Status.MODIFIED, hunks=tuple(made), language="python")
        return decide(Change((file,)), rules, DEFAULT, local_context_tokens=None)

    shuffled = list(range(len(hunks)))
    rng.shuffle(shuffled)

    one, other = decided(list(range(len(hunks)))), decided(shuffled)

    assert (one.tier, one.areas, one.scores) == (other.tier, other.areas, other.scores)
    assert {(m.rule, m.lines) for m in one.reasons} == {(m.rule, m.lines) for m in other.reasons}


CONTEXT = ["login(user)", "if user.is_admin:", "# stripe", "refund = 1", "'a'", "", "}"]


@settings(deadline=None)
@given(
    changed=hunk_lines,
    before=st.lists(st.sampled_from(CONTEXT), max_size=4),
    after=st.lists(st.sampled_from(CONTEXT), max_size=4),
    path=st.sampled_from(["a.py", "till/a.go", "till/a.ts"]),
)
def test_context_without_a_sign_of_a_long_comment_or_string_changes_no_route(
    rules: RuleSet,
    changed: list[tuple[str, str]],
    before: list[str],
    after: list[str],
    path: str,
):
    """No line of the hunk has what opens or closes a comment or string of several lines: then each
    changed line is read alone, and nothing of the route but the numbers of lines differs.
    """

    def told(context: tuple[list[str], list[str]]) -> tuple[object, ...]:
        body = (
            *(f" {line}" for line in context[0]),
            *(mark + text for mark, text in changed),
            *(f" {line}" for line in context[1]),
        )
        file = FileChange(
            path, Status.MODIFIED, hunks=(Hunk(50, 9, 50, 9, "", body),), language=language_of(path)
        )
        route = decide(Change((file,)), rules, DEFAULT, local_context_tokens=None)
        reasons = {(m.rule, m.side, m.excerpt, m.lines) for m in route.reasons}
        return route.tier, route.areas, route.scores, route.certainty, reasons

    assert told((before, after)) == told(([], []))


@settings(deadline=None)
@given(
    changed=hunk_lines,
    context=st.lists(st.sampled_from([*CONTEXT, "/*", " * money", "*/"]), max_size=6),
    at=st.integers(0, 6),
)
def test_context_of_a_comment_only_takes_evidence_away(
    rules: RuleSet, changed: list[tuple[str, str]], context: list[str], at: int
):
    """Comments that open or close on context lines can prove that a changed line is part of one;
    they make evidence of nothing.
    """

    def lines_of(before: list[str], after: list[str]) -> dict[str, int]:
        body = (
            *(f" {line}" for line in before),
            *(mark + text for mark, text in changed),
            *(f" {line}" for line in after),
        )
        hunk = Hunk(50, 9, 50, 9, "", body)
        file = FileChange("A.java", Status.MODIFIED, hunks=(hunk,), language="java")
        route = decide(Change((file,)), rules, DEFAULT, local_context_tokens=None)
        return {match.rule: match.lines for match in route.reasons}

    bare, within = lines_of([], []), lines_of(context[:at], context[at:])

    assert all(rule in bare and count <= bare[rule] for rule, count in within.items())


RISKY = (
    "login(request, user)",
    "stripe.Charge.create(amount=amount)",
    "ALTER TABLE users ADD COLUMN plan text;",
    "@permission_required('pay')",
    "jwt.decode(token, key)",
    "migrations.AddField('a', 'b', models.TextField())",
)


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(
                [
                    "docs/auth/login.md",
                    "README.md",
                    "CHANGELOG.md",
                    "docs/payments.rst",
                    "tests/test_login.py",
                    "locale/de/LC_MESSAGES/login.po",
                    "poetry.lock",
                ]
            ),
            st.lists(
                st.sampled_from(RISKY) | st.text(max_size=40).filter(lambda t: "\n" not in t),
                min_size=1,
                max_size=6,
            ),
        ),
        min_size=1,
        max_size=4,
        unique_by=lambda item: item[0],
    )
)
def test_documents_tests_translations_and_lockfiles_never_flag(files: list[tuple[str, list[str]]]):
    change = parse_diff("".join(_diff(path, lines) for path, lines in files))

    decided = decide(change, shipped_rules(), DEFAULT, local_context_tokens=None)

    assert decided.tier is not Tier.CLAUDE
    assert decided.scores == {}


@settings(deadline=None)
@given(
    st.lists(
        st.sampled_from(["docs/auth/login.md", "README.md", "docs/payments.rst", "docs/api.adoc"]),
        min_size=1,
        unique=True,
    ),
    st.lists(st.sampled_from(RISKY), min_size=1, max_size=6),
)
def test_documents_never_flag_however_difficult(paths: list[str], lines: list[str]):
    change = parse_diff("".join(_diff(path, lines) for path in paths))
    on = load_policy("route: {also: [complexity]}")

    decided = decide(change, shipped_rules(), on, local_context_tokens=64)

    assert decided.tier is not Tier.CLAUDE
    assert decided.scores == {}


def _diff(path: str, lines: list[str]) -> str:
    body = "".join(f"+{line}\n" for line in lines)
    return (
        f"diff --git a/{path} b/{path}\n--- a/{path}\n+++ b/{path}\n"
        f"@@ -1,0 +2,{len(lines)} @@\n{body}"
    )


def test_a_generated_header_that_the_change_adds_hides_nothing():
    text = _diff("app/pay.py", ["# Code generated by tool. DO NOT EDIT.", *RISKY[:2]])

    decided = decide(parse_diff(text), shipped_rules(), DEFAULT, local_context_tokens=None)

    assert decided.file("app/pay.py").tier is Tier.CLAUDE
    assert set(decided.areas) == {"auth", "payments"}


def test_a_command_overrides_only_where_it_changes_something(route: Any, change: Any, file: Any):
    risky = route(change(file("a.py", added=["bank.pay(x)"]), file("uv.lock", added=["x"])))

    local, same = overridden(risky, Tier.LOCAL), overridden(risky, Tier.CLAUDE)

    assert (risky.overridden, local.overridden, same.overridden) == (False, True, False)
    assert (local.tier, local.file("uv.lock").tier) == (Tier.LOCAL, Tier.SKIP)
    assert local.why.startswith("local, as somebody asked. By the rules: Claude: pay has ")
