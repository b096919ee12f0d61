"""The repository's policy: read strictly, and only ever narrower than the operator's."""

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from reviewbot.change.model import Kind
from reviewbot.config.policy import Budget, Narrowing, Policy, load_policy, narrow, without_policy
from reviewbot.config.rule_document import KindName
from reviewbot.errors import DocumentError

DOCS = Path(__file__).parents[2] / "docs" / "policy.md"


def keys(model: type[BaseModel], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Every key of a policy that holds a value, with its field."""
    for name, info in model.model_fields.items():
        if isinstance(info.annotation, type) and issubclass(info.annotation, BaseModel):
            yield from keys(info.annotation, f"{prefix}{name}.")
        else:
            yield prefix + name, info


EVERY_KEY = dict(keys(Policy))


def test_an_empty_file_is_the_default():
    assert load_policy("") == Policy()


def test_a_whole_policy_is_read():
    policy = load_policy(
        """
version: 1
ignore: {authors: [renovate], labels: [wip], branches: ['release/*'], titles: ['chore:*'], paths: ['*.snap']}
route:
  granularity: file
  areas: {auth: {threshold: 2}}
  always_claude: ['infra/**']
  never_send: ['secrets/**']
  large: {over_units: 8, to: claude}
  uncertain: claude
  rules:
    - {id: own.crypto, area: auth, why: Own cipher, weight: 3, added: ['\\bOwnCipher\\(']}
review:
  instructions: We use tabs.
  path_instructions: [{paths: ['*.sql'], text: PostgreSQL 17}]
  guidelines: false
  min_severity: medium
  max_findings: 5
  drafts: yes
  language: Deutsch
  sql_dialect: postgresql
  passes: 2
  verify: true
  regret_percent: 5
strategy: refine
escalate: {severity: medium, confidence_below: 0.5, max_per_pr: 1}
budget: {monthly_usd: 20, per_pr_usd: 0.25, when_exhausted: hold}
publish: {summary: true, inline: false, check: true, fail_on: high}
report: {issue: false}
"""
    )

    assert policy.budget.per_pr_usd == Decimal("0.25")
    assert policy.review.drafts is True
    assert policy.route.rules[0].area == "auth"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("rout: {}", "unknown key `rout` (did you mean `route`?)"),
        ("route:\n  larger: {}", "unknown key `route.larger` (did you mean `large`?)"),
        ("route:\n  large: {to: cloud}", "must be 'claude' or 'local', not 'cloud'"),
        ("publish: {fail_on: critic}", "(did you mean `critical`?)"),
        ("version: 2", "`version` must be 1, not 2"),
        ("budget: {monthly_usd: -1}", "`budget.monthly_usd` should be greater than or equal to 0"),
        ("route: {never_send: secrets/}", "must be a list, not 'secrets/' (write [secrets/])"),
        ("route: {never_send: ['#x']}", "matches nothing"),
        (
            "route: {rules: [{id: a, area: x, why: y, added: ['(?!z)']}]}",
            "look-ahead is not supported",
        ),
        ("route: {rules: [{id: a, area: x, why: y}]}", "the rule looks for nothing"),
        ("review: {instructions: " + "x" * 4001 + "}", "at most 4000 characters"),
    ],
)
def test_a_wrong_policy_says_what_to_mend(text: str, message: str):
    with pytest.raises(DocumentError) as caught:
        load_policy(text)

    assert message in str(caught.value)
    assert str(caught.value).startswith(".github/reviewbot.yml:")


def test_every_key_says_how_it_narrows_and_what_it_means():
    for name, info in EVERY_KEY.items():
        marks = [mark for mark in info.metadata if isinstance(mark, Narrowing)]
        assert len(marks) == 1, name
        assert info.description, name


def test_the_documentation_has_a_row_for_every_key():
    rows = {
        cells[1].strip().strip("`"): cells
        for cells in (line.split("|") for line in DOCS.read_text("utf-8").splitlines())
        if len(cells) > 4
    }

    for name, info in EVERY_KEY.items():
        assert name in rows, f"docs/policy.md lacks {name}"
        how = next(mark for mark in info.metadata if isinstance(mark, Narrowing))
        assert how.value in rows[name][4], name
        assert str(info.description).split(";")[0].split(":")[0][:30] in rows[name][2], name


def test_kinds_are_the_kinds_of_a_change():
    assert set(KindName.__args__) == set(Kind)


def test_what_only_one_side_says_holds():
    operator = load_policy("budget: {monthly_usd: 50}")
    repository = load_policy("review: {language: Deutsch}\nignore: {authors: []}")

    merged = narrow(operator, repository)

    assert merged.budget.monthly_usd == 50
    assert merged.review.language == "Deutsch"
    assert merged.ignore.authors == ()


@pytest.mark.parametrize(
    ("key", "operator", "repository", "holds"),
    [
        ("budget.monthly_usd", "10", "99", Decimal(10)),
        ("budget.monthly_usd", "10", "3", Decimal(3)),
        ("budget.monthly_usd", "10", "null", Decimal(10)),
        ("review.max_findings", "10", "50", 10),
        ("review.passes", "3", "2", 2),
        ("route.never_send", "[a]", "[]", ("a",)),
        ("route.never_send", "[a]", "[b, a]", ("a", "b")),
        ("ignore.paths", "[a]", "[b]", ("a", "b")),
        ("route.also", "[complexity]", "[]", ("complexity",)),
        ("route.uncertain", "claude", "local", "claude"),
        ("route.granularity", "file", "pull_request", "file"),
        ("strategy", "review", "refine", "review"),
        ("review.language", "English", "Deutsch", "Deutsch"),
        ("publish.fail_on", "high", "null", None),
    ],
)
def test_what_both_say_meets_by_the_keys_own_rule(
    key: str, operator: str, repository: str, holds: object
):
    merged: Any = narrow(_policy(key, operator), _policy(key, repository))

    for part in key.split("."):
        merged = getattr(merged, part)
    assert merged == holds


def test_thresholds_of_an_area_only_lower():
    operator = load_policy("route: {areas: {auth: {threshold: 2}}}")
    repository = load_policy(
        "route: {areas: {auth: {threshold: 9, uncertain: 1}, payments: {threshold: 1}}}"
    )

    areas = narrow(operator, repository).route.areas

    assert (areas["auth"].threshold, areas["auth"].uncertain) == (2, 1)
    assert areas["payments"].threshold == 1


def test_narrowing_twice_with_the_same_file_changes_nothing_more():
    operator = load_policy("route: {never_send: [a]}\nbudget: {per_pr_usd: 1}")
    repository = load_policy("route: {never_send: [b]}\nbudget: {per_pr_usd: 5}")

    once = narrow(operator, repository)

    assert narrow(once, repository) == once


paths = st.lists(st.sampled_from(["a", "b/**", "*.c"]), max_size=3, unique=True).map(tuple)
money = st.none() | st.integers(0, 100).map(Decimal)


@settings(deadline=None)
@given(paths, paths, money, money)
def test_no_repository_gets_more_than_the_operator_allows(
    kept: tuple[str, ...], added: tuple[str, ...], ours: Decimal | None, theirs: Decimal | None
):
    operator = Policy.model_validate(
        {"route": {"never_send": kept}, "budget": {"monthly_usd": ours}}
    )
    repository = Policy.model_validate(
        {"route": {"never_send": added}, "budget": {"monthly_usd": theirs}}
    )

    merged = narrow(operator, repository)

    assert set(merged.route.never_send) == {*kept, *added}
    assert ours is None or (
        merged.budget.monthly_usd is not None and merged.budget.monthly_usd <= ours
    )


def _policy(key: str, value: str) -> Policy:
    text = value
    for part in reversed(key.split(".")):
        text = f"{{{part}: {text}}}"
    return load_policy(text)


@pytest.mark.parametrize(
    ("text", "kept", "said"),
    [
        ("version: 2\n", (), "the defaults apply"),
        ("review: {languages: German}\nroute: {never_send: [keys/*]}\n", ("keys/*",), "never_send"),
        ("route: {never_send: [keys/*], never_send: [x]}\n", ("**",), "can't be read"),
        ("route: {never_send: 7}\n", ("**",), "can't be read"),
        ("route:\n\tnever_send: [keys/*]\n", ("**",), "can't be read"),
        ("never-send: [keys/*]\n", ("**",), "can't be read"),
        ("route: {never_sent: [keys/*]}\n", ("**",), "can't be read"),
        ("route: {nver_send: [keys/*]}\n", ("**",), "can't be read"),
        ("route: {never_send: [a], neverSend: [keys/*]}\n", ("**",), "can't be read"),
        ("[\n", (), "the defaults apply"),
        (b"\xff never_send", ("**",), "can't be read"),
    ],
)
def test_a_broken_policy_still_keeps_files_here(
    text: str | bytes, kept: tuple[str, ...], said: str
) -> None:
    policy, words = without_policy(text, "reviewbot.yml")

    assert policy.route.never_send == kept
    assert said in words
    assert policy.review == Policy().review


@pytest.mark.parametrize(
    ("text", "cap", "said"),
    [
        ("review: {languages: German}\nbudget: {per_pr_usd: 2}\n", "2", "its `budget`"),
        ("version: 2\nbudget: {per_pr_usd: -2}\n", None, "nothing is spent"),
        ("version: 2\nbudget: {per_pr_uds: 2}\n", None, "nothing is spent"),
        ("version: 2\nbugdet: {per_pr_usd: 2}\n", None, "nothing is spent"),
        ("budget:\n\tper_pr_usd: 2\n", None, "nothing is spent"),
        ("budget: {per_pr_usd: 2, per_pr_usd: 9}\n", None, "nothing is spent"),
    ],
)
def test_a_broken_policy_lifts_no_cap(text: str, cap: str | None, said: str) -> None:
    policy, words = without_policy(text, "reviewbot.yml")

    expected = Budget(monthly_usd=Decimal(0)) if cap is None else Budget(per_pr_usd=Decimal(cap))
    assert policy.budget == expected
    assert said in words


def test_a_broken_policy_without_a_budget_leaves_money_alone() -> None:
    policy, words = without_policy("review: {instructions: Budgets, monthly: usd}\n", "r.yml")

    assert policy.budget == Budget()
    assert words == "the defaults apply"
