"""How evidence lies in a change, and what was learned of that."""

from collections.abc import Mapping, Sequence

from reviewbot.routing.learned import STRONG, Learned, Spread, in_words
from reviewbot.routing.matcher import MOST_LINES
from reviewbot.routing.model import Match
from reviewbot.routing.rules import Area
from reviewbot.routing.seen import Seen


def weighed(
    seen: Sequence[Seen],
    titles: Sequence[Match],
    learned: Learned | None,
    areas: Mapping[str, Area],
) -> tuple[Match, ...]:
    """One reason for each area that the rules speak for and something was learned of.

    None for an area with evidence in a file whose text the host did not send: how it lies there
    is not known.
    """
    if learned is None:
        return ()
    found = [m for s in seen for m in s.matches if m.rule in learned.rules]
    found += [m for m in titles if m.rule in learned.rules]
    if not found:
        return ()
    reasons = []
    for name in learned.areas:
        if name not in areas:
            continue
        matches = [m for m in found if m.area == name]
        if not matches or any(s.unknown for s in seen):
            continue
        spread, area = spread_of(seen, titles, name, learned.rules), areas[name]
        points = learned.points(name, spread, threshold=area.threshold, uncertain=area.uncertain)
        heaviest = max(matches, key=lambda match: (match.weight, match.lines))
        if points:
            why = in_words(spread, area.title, points)
            reasons.append(
                Match(f"{name}.learned", name, heaviest.path, None, "RIGHT", why, points)
            )
    return tuple(reasons)


def spread_of(
    seen: Sequence[Seen], titles: Sequence[Match], area: str, rules: frozenset[str]
) -> Spread:
    """How the evidence lies that these rules found of an area, in files and in the title."""
    named = {
        match.rule: match.weight for match in titles if match.area == area and match.rule in rules
    }
    weights = dict(named)
    lines, taken_away, more = 0, False, False
    for each in seen:
        if not each.matches:
            continue
        matches = [m for m in each.matches if m.area == area and m.rule in rules]
        own = max((match.lines for match in matches), default=0)
        lines, more = lines + own, more or own >= MOST_LINES
        for match in matches:
            weights[match.rule] = max(match.weight, weights.get(match.rule, 0))
            taken_away |= match.side == "LEFT" and match.weight >= STRONG
    return Spread(
        sum(weights.values()),
        lines,
        sum(each.changed for each in seen),
        sum(each.changed for each in seen if area in each.places),
        taken_away,
        bool(named),
        more,
    )
