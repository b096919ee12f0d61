"""Learned evidence: how points, lines and places of an area go together."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reviewbot.config.policy import Policy, load_policy
from reviewbot.errors import DocumentError
from reviewbot.routing.learned import FEATURES, MAX_POINTS, Spread, load_learned
from reviewbot.routing.model import Tier
from reviewbot.routing.router import decide
from reviewbot.routing.rules import shipped_rules, with_own_rules

LEARNED = shipped_rules().learned
GUARD = "@login_required"
PAGE = [f"    total_{i} = count(rows[{i}])" for i in range(400)]

spreads = st.builds(
    Spread,
    points=st.floats(0.5, 30),
    titled=st.booleans(),
    lines=st.just(0) | st.integers(0, 5000),
    changed=st.integers(0, 50_000),
    in_place=st.integers(0, 50_000),
)


def route(changed, policy=""):
    rules = shipped_rules()
    return decide(changed, rules, load_policy(policy), local_context_tokens=None)


def test_a_guard_alone_is_flagged_and_one_in_a_long_page_is_not(change, file):
    alone = route(change(file("app/views.py", removed=[GUARD])))
    page = route(change(file("app/views.py", added=[*PAGE, GUARD])))

    assert alone.tier is Tier.CLAUDE
    assert page.tier is Tier.LOCAL
    (reason,) = [m for m in page.reasons if m.rule == "auth.learned"]
    assert reason.weight < 0
    assert reason.why == (
        "How evidence of authentication and authorization lies: only 1 of 401 changed lines speak for"
        " it, none in code named for it"
    )
    assert page.scores["auth"] == 3 + 1 + reason.weight  # the guard, the word, and what was learned


def test_what_was_not_counted_is_said(change, file):
    refused = ["    if not user.has_permission(name): raise Forbidden()"] * 30

    decided = route(change(file("app/views.py", added=[*PAGE, *refused])))

    (reason,) = [m for m in decided.reasons if m.rule == "auth.learned"]
    assert "lies: 8 or more of 430 changed lines speak for it" in reason.why


def test_a_guard_that_is_gone_stays_in_doubt_whatever_stands_around_it(change, file):
    views = file("app/views.py", removed=[GUARD], added=PAGE)

    hidden = route(change(views, file("app/other.py", added=PAGE)))

    assert hidden.tier is Tier.CLAUDE
    assert hidden.scores["auth"] >= 2


def test_one_line_of_policy_turns_it_off(change, file):
    page = change(file("app/views.py", added=[*PAGE, GUARD]))

    decided = route(page, "version: 1\nroute: {learned: false}\n")

    assert decided.tier is Tier.CLAUDE
    assert not [match for match in decided.reasons if match.rule == "auth.learned"]


def test_strong_rules_that_agree_are_not_talked_away(change, file):
    lines = [GUARD, "if not check_password(user, raw):", "session['user_id'] = user.id"]

    decided = route(change(file("app/views.py", added=[*PAGE, *lines])))

    assert decided.tier is Tier.CLAUDE


def test_an_operators_own_rule_counts_in_full(change, file):
    own = "area: auth\ntitle: Authentication and authorization\nrules:\n"
    own += "  - {id: own.door, why: Opens a door, weight: 3, added: ['open_door'], examples:"
    own += " {match: [{path: a.py, added: 'open_door()'}], ignore: [{path: a.py, added: 'x'}]}}\n"
    rules = with_own_rules({"own.yml": own})

    decided = decide(
        change(file("app/views.py", added=[*PAGE, "open_door()"])),
        rules,
        Policy(),
        local_context_tokens=None,
    )

    assert decided.scores == {"auth": 3}
    assert decided.tier is Tier.CLAUDE


def test_nothing_is_weighed_where_the_host_sent_no_text(change, file):
    decided = route(
        change(
            file("app/views.py", added=[*PAGE, GUARD]),
            file("app/big.py", patch_missing=True),
        )
    )

    assert decided.tier is Tier.CLAUDE
    assert not [match for match in decided.reasons if match.rule.endswith(".learned")]


@given(spread=spreads, area=st.sampled_from(["auth", "payments"]))
def test_it_adds_or_takes_a_few_points_whatever_the_change(spread, area):
    points = LEARNED.points(area, spread, threshold=3, uncertain=2)

    assert -MAX_POINTS <= points <= MAX_POINTS
    assert points <= 0 or (spread.lines and spread.points >= 2) or spread.lines > 1


@given(spread=spreads, more=st.integers(1, 10_000), area=st.sampled_from(["auth", "payments"]))
def test_a_longer_change_around_the_same_evidence_gains_nothing(spread, more, area):
    longer = spread._replace(changed=max(spread.changed, spread.lines, 300) + more)
    spread = spread._replace(changed=max(spread.changed, spread.lines, 300))

    def points(each):
        return LEARNED.points(area, each, threshold=3, uncertain=2)

    assert points(longer) <= points(spread)


@pytest.mark.parametrize(
    "text",
    ["", "x =", "sure = 0.5\nuncertain = 0.2\n[areas.auth]\nbias = 'x'\n", "[areas]\nauth = 3\n"],
)
def test_a_file_of_weights_that_is_none_says_what_to_do(text):
    with pytest.raises(DocumentError, match=r"learned\.toml.*not a file of learned weights"):
        load_learned(text, "rules/learned.toml", frozenset())


def test_every_weight_has_a_name_and_evidence_never_speaks_against_its_area():
    assert set(LEARNED.areas) == {"auth", "payments"}
    for model in LEARNED.areas.values():
        weights = dict(zip(FEATURES, model.weights, strict=True))
        assert all(weights[name] >= 0 for name in FEATURES if name != "size")
