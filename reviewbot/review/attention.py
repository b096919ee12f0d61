"""What must stand at the top of a review: whatever was not read, and why."""

from collections.abc import Iterable, Sequence

from reviewbot.change.model import Change
from reviewbot.review.assemble import Read
from reviewbot.review.finding import Coverage, CoverageStatus
from reviewbot.review.plan import NO_MODEL, listed
from reviewbot.routing.model import Route, Tier


def unread(coverage: Sequence[Coverage], route: Route, change: Change) -> list[str]:
    """What failed, for the top of the review: an outage never looks like a clean review."""
    lines = []
    failed = [
        entry
        for entry in coverage
        if entry.engine == "none" and entry.status is CoverageStatus.SKIPPED
    ]
    tiers = {file.path: file.tier for file in route.files}
    wanted = [
        entry
        for entry in failed
        if tiers[entry.path] is not Tier.SKIP and not _unreadable(entry, change)
    ]
    for reason, paths in _by_reason(wanted).items():
        risky = sum(tiers[path] is Tier.CLAUDE for path in paths)
        word = f"NOT REVIEWED ({risky} risky)" if risky else "NOT REVIEWED"
        lines.append(f"{word}: {listed(paths)}: {reason}")
    partial = [entry for entry in coverage if entry.status is CoverageStatus.PARTIAL]
    for reason, paths in _by_reason(partial).items():
        lines.append(f"REVIEWED IN PART: {listed(paths)}: {reason}")
    no_model = [entry.path for entry in coverage if entry.engine == NO_MODEL]
    if no_model:
        lines.append(f"NO MODEL READ: {listed(no_model)} (analysers only)")
    if change.missing_files:
        lines.append(
            f"NOT LISTED BY THE HOST: {change.missing_files} files over its limit, not reviewed"
        )
    return lines


def over_budget(reads: Iterable[Read]) -> list[str]:
    """Risky files that the local model has read for want of money, for the top as well."""
    by_limit: dict[str, list[str]] = {}
    for read in reads:
        if read.job.over_budget and not read.nothing_read:
            by_limit.setdefault(read.job.over_budget, []).extend(read.job.unit.paths)
    return [
        f"RISKY, BUDGET USED UP: {listed(list(dict.fromkeys(paths)))}:"
        f" read by the local model ({limit})"
        for limit, paths in by_limit.items()
    ]


def held_line(why: str) -> str:
    """Why a review waits, and what to do."""
    return f"HELD: budget used up ({why}). Once it covers the review, `/reviewbot review` starts it"


def _unreadable(entry: Coverage, change: Change) -> bool:
    file = change.by_path[entry.path]
    return file.is_binary or file.is_submodule


def _by_reason(entries: Sequence[Coverage]) -> dict[str, list[str]]:
    grouped: dict[str, list[str]] = {}
    for entry in entries:
        grouped.setdefault(entry.reason, []).append(entry.path)
    return grouped
