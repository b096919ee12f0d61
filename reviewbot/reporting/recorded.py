"""A month added up from pull requests' records, in place of a ledger. Pure."""

from collections.abc import Mapping
from decimal import Decimal

from reviewbot.reporting.pull_record import PullRecord
from reviewbot.reporting.sums import CallSum, PullSum, ReviewSum, Sums

#: What a ledger tells and records do not.
MISSING = (
    "how long answers took, what people made of findings, budgets and the calls that they refused,"
    " sampled comparisons and the titles of pull requests",
    "reviews that were not posted where no earlier one was, drafts, and pull requests that were only"
    " routed",
)


def recorded_sums(repository: str, records: Mapping[int, PullRecord], month: str) -> Sums:
    """The sums of `2026-11` over the records of one repository, by pull request."""
    calls: list[CallSum] = []
    reviews: list[ReviewSum] = []
    pulls: list[PullSum] = []
    read: set[tuple[str, int]] = set()
    for number, record in sorted(records.items()):
        made = [call for call in record.calls if call.day.startswith(month)]
        done = [review for when, review in record.reviews if when == month]
        calls += made
        reviews += done
        if any(review.read for review in done):
            read.add((repository, number))
        if made:
            usd = sum((call.spent_usd for call in made), Decimal(0))
            pulls.append(PullSum(repository, number, sum(call.calls for call in made), usd))
    busy = sum(call.busy_seconds for call in calls)
    return Sums(
        calls=tuple(calls),
        reviews=tuple(reviews),
        pulls=tuple(sorted(pulls, key=lambda pull: (-pull.usd, pull.number or 0))),
        read_pulls=frozenset(read),
        all_busy_seconds=busy,
        has_hardware=any(call.is_local for call in calls),
    )


def missing_of(
    repository: str, records: Mapping[int, PullRecord], month: str, *, whole: bool
) -> tuple[str, ...]:
    """What the month's report can't know, in words."""
    told = f"From the records that {repository}'s pull requests carry, not from a ledger."
    lines = [told, *(f"Not in them: {line}." for line in MISSING)]
    lost = sorted(number for number, record in records.items() if month in record.lost)
    if lost:
        named = ", ".join(f"#{number}" for number in lost)
        lines.append(f"The month did not fit into the records of {named}: it cost more.")
    if not whole:
        lines.append("There are more comments than were read: the month cost more.")
    return tuple(lines)
