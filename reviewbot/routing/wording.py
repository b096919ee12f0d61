"""The decision in one sentence."""

from collections import Counter
from collections.abc import Mapping, Sequence

from reviewbot.routing.model import FileRoute, Tier
from reviewbot.routing.rules import Area


def plural(count: int, noun: str) -> str:
    """`1 file`, `3 files`, `1,200 files`."""
    return f"{count:,} {noun}" + ("" if count == 1 else "s")


def decision(
    tier: Tier,
    flagged: Sequence[str],
    scores: Mapping[str, float],
    areas: Mapping[str, Area],
    files: Sequence[FileRoute],
    *,
    large: str,
    unsure: bool,
) -> str:
    """Why a change goes where it goes; the reasons for the points are told beside it."""
    if tier is Tier.SKIP:
        return _skipped(files)
    where = "Claude" if tier is Tier.CLAUDE else "Local"
    if flagged:
        return f"{where}: {'; '.join(_points(areas[name], scores[name]) for name in flagged)}."
    if large:
        return f"{where}: {large}."
    if tier is Tier.CLAUDE:
        listed = [file.path for file in files if file.why == "always_claude"]
        named = (
            f"the policy always sends {listed[0]} to Claude" if listed else "the rules can't tell"
        )
        return f"{where}: {named}."
    if not scores:
        hidden = " in the text there is" if unsure else ""
        return f"{where}: no rule fired{hidden}."
    name = max(scores, key=lambda area: scores[area] / areas[area].threshold)
    return f"{where}: {_points(areas[name], scores[name])}."


def _points(area: Area, score: float) -> str:
    """An area's sum and what it means."""
    have = f"{area.name} has {score:g} {'point' if score == 1 else 'points'}"
    if score >= area.threshold:
        return f"{have}, {area.threshold:g} flag it"
    if score >= area.uncertain:
        return f"{have}, {area.uncertain:g} make it uncertain and {area.threshold:g} flag it"
    return f"{have}, {area.threshold:g} would flag it"


def _skipped(files: Sequence[FileRoute]) -> str:
    if not files:
        return "Nothing to review: the change has no files."
    counts = Counter(file.why for file in files)
    parts = [f"{count} × {why}" for why, count in sorted(counts.items())]
    return f"Nothing to review: {', '.join(parts)}."
