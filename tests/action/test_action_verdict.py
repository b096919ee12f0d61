"""What lets a job pass, and what does not."""

from dataclasses import replace
from decimal import Decimal

import pytest
from publishing.sample_reviews import held_review, shop_review

from reviewbot.action.verdict import gate_of, verdict_of, verdict_of_last
from reviewbot.config.policy import Policy, Publish
from reviewbot.publishing.result import Review
from reviewbot.reporting.pull_record import Last
from reviewbot.review.answer import Severity
from reviewbot.review.engine import Outcome
from reviewbot.review.finding import Coverage, CoverageStatus
from reviewbot.review.plan import NO_MODEL
from reviewbot.routing.model import Tier

HIGH = Severity.HIGH


@pytest.fixture
def clean() -> Review:
    """Everything was read, nothing was found."""
    review = shop_review()
    coverage = tuple(replace(e, status=CoverageStatus.FULL) for e in review.coverage)
    return replace(review, findings=(), worst=None, attention=(), coverage=coverage)


def denied(review: Review) -> Review:
    call = replace(review.calls[0], outcome=Outcome.DENIED, detail="the key was refused")
    return replace(review, calls=(*review.calls, call))


def test_without_a_gate_findings_pass() -> None:
    assert verdict_of(shop_review(), None).ending == "pass"


@pytest.mark.parametrize(
    ("worst", "ending"),
    [(None, "pass"), (Severity.LOW, "pass"), (HIGH, "gate"), (Severity.CRITICAL, "gate")],
)
def test_a_finding_counts_from_its_severity_on(
    clean: Review, worst: Severity | None, ending: str
) -> None:
    assert verdict_of(replace(clean, worst=worst), HIGH).ending == ending


def test_what_was_found_counts_though_a_key_was_refused(clean: Review) -> None:
    """An error may be let pass; a finding must not get through beside it."""
    found = replace(clean, worst=Severity.CRITICAL)

    assert verdict_of(denied(found), HIGH).ending == "gate"
    assert verdict_of(denied(clean), HIGH) == (
        "error",
        f"{clean.calls[0].engine}: the key was refused",
    )


def test_what_waits_or_was_not_read_does_not_pass(clean: Review) -> None:
    unread = replace(clean, attention=("NOT REVIEWED (1 risky): shop/refund.py: it timed out",))

    assert verdict_of(replace(held_review(), worst=None), HIGH).ending == "gate"
    assert verdict_of(unread, HIGH).ending == "gate"
    assert verdict_of(unread, None).ending == "pass"


@pytest.mark.parametrize(("tier", "ending"), [(Tier.LOCAL, "pass"), (Tier.CLAUDE, "gate")])
def test_no_model_is_enough_for_the_local_tier_alone(
    clean: Review, tier: Tier, ending: str
) -> None:
    path = clean.route.files[0].path
    files = (clean.route.files[0]._replace(tier=tier), *clean.route.files[1:])
    nobody = Coverage(path, CoverageStatus.SKIPPED, NO_MODEL, "no model")
    review = replace(
        clean,
        route=replace(clean.route, files=files),
        coverage=(nobody, *(e for e in clean.coverage if e.path != path)),
        attention=(f"NO MODEL READ: {path} (analysers only)",),
    )

    assert verdict_of(review, HIGH).ending == ending


def test_what_was_left_alone_passes(clean: Review) -> None:
    assert verdict_of(replace(clean, left_alone="a draft"), HIGH).ending == "pass"


def test_the_input_wins_over_the_policy() -> None:
    policy = Policy(publish=Publish(fail_on="medium"))

    assert gate_of(None, Policy()) is None
    assert gate_of(None, policy) is Severity.MEDIUM
    assert gate_of(Severity.LOW, policy) is Severity.LOW
    assert gate_of("never", policy) is None


@pytest.mark.parametrize(
    ("worst", "gate", "ending"),
    [(None, HIGH, "pass"), ("low", HIGH, "pass"), ("high", HIGH, "gate"), ("high", None, "pass")],
)
def test_a_remembered_review_is_judged_alike(
    worst: str | None, gate: Severity | None, ending: str
) -> None:
    last = Last("head", "base", "auto", "claude", (), 1, worst, True, Decimal(0))

    assert verdict_of_last(last, gate).ending == ending
