"""The decision in one sentence."""

from collections import Counter
from collections.abc import Mapping, Sequence

from reviewbot.routing.model import FileRoute, Match, Tier
from reviewbot.routing.rules import Area


def plural(count: int, noun: str) -> str:
    """`1 file`, `3 files`."""
    return f"{count} {noun}" + ("" if count == 1 else "s")


def decision(
    tier: Tier,
    flagged: Sequence[str],
    scores: Mapping[str, float],
    areas: Mapping[str, Area],
    reasons: Sequence[Match],
    files: Sequence[FileRoute],
    *,
    large: str,
    unsure: bool,
) -> str:
    """Why a change goes where it goes, with the heaviest reasons."""
    if tier is Tier.SKIP:
        return _skipped(files)
    where = "Claude" if tier is Tier.CLAUDE else "Local"
    if flagged:
        parts = [_area(areas[name], scores[name], reasons) for name in flagged]
        return f"{where}: {'; '.join(parts)}."
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
    doubt = "between its two thresholds" if unsure else "below its threshold"
    return f"{where}: {name} weighs {scores[name]:g} of {areas[name].threshold:g}, {doubt}."


def _area(area: Area, score: float, reasons: Sequence[Match]) -> str:
    shown: list[str] = []
    told: set[str] = set()
    for match in reasons:
        if match.area == area.name and match.why not in told and len(shown) < 2:
            told.add(match.why)
            place = f"{match.path}:{match.line}" if match.line else match.path
            shown.append(f"{match.why[:1].lower()}{match.why[1:]} ({place})")
    return f"{area.name} weighs {score:g} of {area.threshold:g}: {', '.join(shown)}"


def _skipped(files: Sequence[FileRoute]) -> str:
    if not files:
        return "Nothing to review: the change has no files."
    counts = Counter(file.why for file in files)
    parts = [f"{count} × {why}" for why, count in sorted(counts.items())]
    return f"Nothing to review: {', '.join(parts)}."
