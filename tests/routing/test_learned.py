"""Learned evidence: how points, lines, places and words of an area go together."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reviewbot.config.policy import Policy, load_policy
from reviewbot.errors import DocumentError
from reviewbot.routing.learned import FEATURES, FEWEST, MAX_POINTS, Spread, load_learned
from reviewbot.routing.model import Tier
from reviewbot.routing.router import decide
from reviewbot.routing.rules import load_rules, shipped_rules, with_own_rules
from reviewbot.routing.vocabulary import NO_WORDS, Words

LEARNED = shipped_rules().learned
GUARD = "@login_required"
PAGE = [f"    total_{i} = count(rows[{i}])" for i in range(400)]

RULES_OF_DOORS = """
area: auth
title: Authentication and authorization
rules:
  - id: own.door
    why: Opens a door
    weight: 3
    added: ['open_door']
    examples:
      match: [{path: a.py, added: 'open_door()'}]
      ignore: [{path: a.py, added: 'x'}]
"""
AREAS = sorted(LEARNED.areas)
some = st.frozensets(
    st.sampled_from(
        sorted({word for m in LEARNED.areas.values() for part in m.words.values() for word in part})
    )
)
words = st.builds(Words, some, some, some)
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
    assert page.scores["auth"] == 1 + 1 + reason.weight  # the new guard, the word, the learned


def test_what_was_not_counted_is_said(change, file):
    refused = [f"    raise Forbidden({number})" for number in range(30)]

    decided = route(change(file("app/views.py", added=[*PAGE, *refused])))

    (reason,) = [m for m in decided.reasons if m.rule == "auth.learned"]
    assert "lies: 5 or more of 430 changed lines speak for it" in reason.why


def test_a_guard_that_is_gone_stays_in_doubt_whatever_stands_around_it(change, file):
    views = file("app/views.py", removed=[GUARD], added=PAGE)

    hidden = route(change(views, file("app/other.py", added=PAGE)))

    assert hidden.tier is Tier.CLAUDE
    assert hidden.scores["auth"] >= 2


def test_a_guard_that_is_gone_stays_in_doubt_where_another_came_as_well(change, file):
    views = file("app/views.py", removed=[GUARD, "x"], added=["@login_required(x)", *PAGE])

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
    rules = with_own_rules({"own.yml": RULES_OF_DOORS})

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


def test_what_is_sure_whatever_is_said_is_not_weighed(change, file):
    refused = ["    if not user.has_permission(name): raise Forbidden()"] * 3

    decided = route(change(file("app/views.py", added=[*PAGE, *refused])))

    assert decided.scores["auth"] >= 3 + MAX_POINTS
    assert not [match for match in decided.reasons if match.rule == "auth.learned"]


@given(spread=spreads, said=words, area=st.sampled_from(AREAS))
def test_it_adds_or_takes_a_few_points_whatever_the_change(spread, said, area):
    points = LEARNED.points(area, spread, said, threshold=3, uncertain=2)

    assert -MAX_POINTS <= points <= MAX_POINTS
    is_weak = spread.points < 2 and spread.lines < 2
    assert points <= 0 or not is_weak or spread.points + points <= 2.05  # rounded to tenths


@given(spread=spreads, more=st.integers(1, 10_000), area=st.sampled_from(AREAS))
def test_a_longer_change_around_the_same_evidence_gains_nothing(spread, more, area):
    longer = spread._replace(changed=max(spread.changed, spread.lines, 300) + more)
    spread = spread._replace(changed=max(spread.changed, spread.lines, 300))

    def points(each):
        return LEARNED.points(area, each, NO_WORDS, threshold=3, uncertain=2)

    assert points(longer) <= points(spread)


@given(spread=spreads, said=words, title=some, area=st.sampled_from(AREAS))
def test_a_title_takes_nothing_away(spread, said, title, area):
    def points(each):
        return LEARNED.points(area, spread, each, threshold=3, uncertain=2)

    assert points(said._replace(title=frozenset())) <= points(said._replace(title=title))


CLAIMS = [
    "    if claims.subject not in door.subjects:",
    "        raise Refused(realm)",
    "    issuer = claims.issuer",
    "    scope = claims.scope.split()",
]


def areas(changed, rules):
    decided = decide(changed, rules, Policy(), local_context_tokens=None)
    return decided.areas, decided.certainty


def test_words_beside_one_weak_hint_make_a_change_doubtful_and_never_sure(
    change, file, knowing_words
):
    changed = change(file("src/rules.py", added=CLAIMS))

    decided = decide(changed, knowing_words, Policy(), local_context_tokens=None)

    (reason,) = [match for match in decided.reasons if match.rule == "auth.learned"]
    assert reason.why == (
        "How evidence of authentication and authorization lies: 1 of 4 changed lines speak for it,"
        " none in code named for it; words for it: claims, issuer, realm"
    )
    assert decided.scores == {"auth": 2.0}
    assert (decided.areas, decided.certainty) == (("auth",), "uncertain")
    assert decided.tier is Tier.CLAUDE


def test_words_without_any_rule_say_nothing(change, file, knowing_words):
    lines = [line.replace("door", "gate") for line in CLAIMS]

    decided = decide(
        change(file("src/rules.py", added=lines), title="Check claims, issuer and realm"),
        knowing_words,
        Policy(),
        local_context_tokens=None,
    )

    assert (decided.areas, decided.scores) == ((), {})


def test_a_few_words_make_nothing_doubtful(change, file, knowing_words):
    changed = change(file("src/rules.py", added=["door.issuer = claims.issuer"]))

    assert areas(changed, knowing_words) == ((), "sure")


@pytest.mark.parametrize(
    "given",
    [
        {"path": "docs/rules.md", "added": CLAIMS},
        {"path": "tests/test_rules.py", "added": CLAIMS},
        {"path": "src/rules.py", "context": CLAIMS[1:]},
        {"path": "src/rules.py", "added": CLAIMS[1:], "removed": CLAIMS[1:]},
    ],
    ids=["docs", "tests", "context", "moved"],
)
def test_words_count_where_code_with_them_came_or_went(change, file, knowing_words, given):
    hint = file("src/door.py", added=["door = 1"])

    assert areas(change(hint, file(**given)), knowing_words) == ((), "sure")


@pytest.fixture(scope="module")
def knowing_words():
    """A rule that finds a weak hint, and a model that knows five words beside it."""
    weights = "\n".join(f"{name} = 0.0" for name in FEATURES)
    said = "claims = 3.0\nissuer = 2.0\nrealm = 1.5\nscope = 1.0\nsubject = 1.0"
    learned = load_learned(
        "sure = 0.5\nuncertain = 0.3\n[areas.auth]\nleast = 2.0\nbias = -1.0\n"
        f"[areas.auth.weights]\n{weights}\n[areas.auth.words.changed]\n{said}\n"
        "[areas.auth.words.title]\n[areas.auth.words.path]\n",
        "learned.toml",
        frozenset({"own.door"}),
    )
    text = RULES_OF_DOORS.replace("open_door", "door").replace("weight: 3", "weight: 1")
    return load_rules({"own.yml": text}, learned)


@pytest.mark.parametrize(
    "text",
    ["", "x =", "sure = 0.5\nuncertain = 0.2\n[areas.auth]\nbias = 'x'\n", "[areas]\nauth = 3\n"],
)
def test_a_file_of_weights_that_is_none_says_what_to_do(text):
    with pytest.raises(DocumentError, match=r"learned\.toml.*not a file of learned weights"):
        load_learned(text, "rules/learned.toml", frozenset())


def test_neither_evidence_nor_a_title_speaks_against_its_area():
    assert set(LEARNED.areas) == {"auth", "payments"}
    for model in LEARNED.areas.values():
        weights = dict(zip(FEATURES, model.weights, strict=True))
        assert all(weights[name] >= 0 for name in FEATURES if name not in {"found", "size"})
        assert all(weight > 0 for weight in model.words["title"].values())
        assert set(model.words) == set(FEWEST)
