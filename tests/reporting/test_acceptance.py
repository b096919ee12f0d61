"""What a finding's feedback comes to."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as some

from reviewbot.publishing.feedback import Feedback, FeedbackKind, PostedFinding
from reviewbot.reporting.acceptance import Verdict, acceptance_of, judged, verdict_of

NOON = datetime(2026, 11, 5, 12, tzinfo=UTC)
UP, DOWN, REPLY = FeedbackKind.THUMBS_UP, FeedbackKind.THUMBS_DOWN, FeedbackKind.REPLY
RESOLVED, REOPENED = FeedbackKind.RESOLVED, FeedbackKind.REOPENED
DISMISSED, FIXED, KEPT = FeedbackKind.DISMISSED, FeedbackKind.FIXED, FeedbackKind.KEPT

Posted = Callable[..., PostedFinding]


def finding(*kinds: FeedbackKind, ended: bool) -> PostedFinding:
    return PostedFinding(
        review_id="r",
        installation=1,
        repository_id=2,
        repository="acme/shop",
        number=3,
        fingerprint="0" * 16,
        engine="claude",
        model="claude-opus-5-5",
        tier="claude",
        areas=(),
        severity="high",
        category="security",
        path="a.py",
        line=1,
        inline=True,
        posted_at=NOON,
        pull_ended_at=NOON if ended else None,
        feedback=tuple(
            Feedback(kind, "ann", NOON + timedelta(minutes=number))
            for number, kind in enumerate(kinds)
        ),
    )


@pytest.mark.parametrize(
    ("kinds", "ended", "verdict"),
    [
        ((UP,), True, Verdict.ACCEPTED),
        ((UP,), False, Verdict.ACCEPTED),
        ((FIXED,), True, Verdict.ACCEPTED),
        ((RESOLVED,), False, Verdict.ACCEPTED),
        ((RESOLVED, REOPENED), True, Verdict.NONE),
        ((RESOLVED, REOPENED), False, Verdict.OPEN),
        ((RESOLVED, REOPENED, RESOLVED), True, Verdict.ACCEPTED),
        ((UP, DOWN), True, Verdict.COMPLAINT),
        ((FIXED, DISMISSED), True, Verdict.COMPLAINT),
        ((DOWN,), False, Verdict.COMPLAINT),
        ((REPLY, KEPT), True, Verdict.NONE),
        ((REPLY,), False, Verdict.OPEN),
        ((), False, Verdict.OPEN),
        ((), True, Verdict.NONE),
    ],
)
def test_a_verdict_follows_from_what_people_did(
    kinds: tuple[FeedbackKind, ...], ended: bool, verdict: Verdict
) -> None:
    assert verdict_of(finding(*kinds, ended=ended)) is verdict


@given(
    some.lists(
        some.tuples(some.lists(some.sampled_from(list(FeedbackKind)), max_size=5), some.booleans()),
        max_size=30,
    )
)
def test_every_finding_is_counted_once(
    drawn: list[tuple[list[FeedbackKind], bool]],
) -> None:
    found = acceptance_of(judged(finding(*kinds, ended=ended) for kinds, ended in drawn))

    assert found.published == len(drawn)
    assert found.accepted + found.complaints <= found.decided <= found.published
    assert found.acceptance.whole == found.decided
    assert found.complaint.whole == found.published
