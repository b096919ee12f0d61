"""Whether a review lets the job pass. Pure."""

from typing import Literal, NamedTuple

from reviewbot.action.inputs import Gate
from reviewbot.config.policy import Policy
from reviewbot.publishing.result import Review
from reviewbot.reporting.pull_record import Last
from reviewbot.review.answer import Severity
from reviewbot.review.engine import Outcome
from reviewbot.review.finding import CoverageStatus
from reviewbot.review.plan import NO_MODEL
from reviewbot.routing.model import Tier


class Verdict(NamedTuple):
    """How the step ends."""

    ending: Literal["pass", "gate", "error"]
    """`gate`: the policy or the input has it fail; `error`: something of ours did not work."""
    why: str = ""


def gate_of(asked: Gate, policy: Policy) -> Severity | None:
    """From which severity on the step fails: as the input says, else the policy; None: never."""
    if asked == "never":
        return None
    if asked is not None:
        return asked
    return Severity(policy.publish.fail_on) if policy.publish.fail_on else None


def verdict_of(review: Review, gate: Severity | None) -> Verdict:
    """A gate never lets pass what should have been read and was not; what was found counts first,
    since an error may be let pass."""
    if gate and not review.left_alone and review.worst and review.worst.rank <= gate.rank:
        return Verdict("gate", f"a finding is {review.worst} (fail-on {gate})")
    denied = next((call for call in review.calls if call.outcome is Outcome.DENIED), None)
    if denied:
        return Verdict("error", f"{denied.engine}: {denied.detail or 'access denied'}")
    if gate is None or review.left_alone:
        return Verdict("pass")
    if review.held or not _read_as_configured(review):
        return Verdict("gate", f"not all was read that should have been (fail-on {gate})")
    return Verdict("pass")


def verdict_of_last(last: Last, gate: Severity | None) -> Verdict:
    """The same of a complete review that only a record tells of."""
    if gate is None or last.worst is None or Severity(last.worst).rank > gate.rank:
        return Verdict("pass")
    return Verdict("gate", f"a finding is {last.worst} (fail-on {gate})")


def _read_as_configured(review: Review) -> bool:
    """Complete, or without a model only where the operator has none for the local tier."""
    if review.complete:
        return True
    tiers = {file.path: file.tier for file in review.route.files}
    unread = [
        entry
        for entry in review.coverage
        if entry.status is not CoverageStatus.FULL and entry.engine != "none"
    ]
    no_model = all(e.engine == NO_MODEL and tiers.get(e.path) is Tier.LOCAL for e in unread)
    return bool(unread) and no_model and len(review.attention) == 1
