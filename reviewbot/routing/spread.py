"""How evidence lies in a change, and what was learned of that."""

from collections.abc import Mapping, Sequence

from reviewbot.routing.learned import STRONG, Learned, Spread, in_words
from reviewbot.routing.matcher import MOST_LINES, changes_code
from reviewbot.routing.model import Match
from reviewbot.routing.rules import Area
from reviewbot.routing.seen import Seen
from reviewbot.routing.vocabulary import Words, words_of


def weighed(
    seen: Sequence[Seen],
    titles: Sequence[Match],
    title: str,
    learned: Learned,
    areas: Mapping[str, Area],
) -> tuple[Match, ...]:
    """One reason for each area that something was learned of, where it moves the sum.

    None where the host did not send some file's text: how evidence lies there is not known.
    """
    if any(each.unknown for each in seen):
        return ()
    found = [m for s in seen for m in s.matches if m.rule in learned.rules]
    found += [m for m in titles if m.rule in learned.rules]
    words = words_in(seen, title)
    reasons = []
    for name in learned.areas:
        if name not in areas:
            continue
        matches = [m for m in found if m.area == name]
        spread, area = spread_of(seen, titles, name, learned.rules), areas[name]
        points = learned.points(
            name, spread, words, threshold=area.threshold, uncertain=area.uncertain
        )
        path = _named(seen, matches) if points else None
        if path is not None:
            why = in_words(spread, area.title, points, learned.areas[name].loudest(words, points))
            reasons.append(Match(f"{name}.learned", name, path, None, "RIGHT", why, points))
    return tuple(reasons)


def words_in(seen: Sequence[Seen], title: str) -> Words:
    """The words of a change, of the code that rules look at."""
    files = [each for each in seen if each.is_code and each.text]
    return words_of(
        (each.text for each in files if each.text), (each.file.path for each in files), title
    )


def _named(seen: Sequence[Seen], matches: Sequence[Match]) -> str | None:
    """The file of the heaviest match; without any the largest, if code changed at all."""
    if matches:
        return max(matches, key=lambda match: (match.weight, match.lines)).path
    files = [each for each in seen if each.is_code and each.text]
    if not any(changes_code(each.file) for each in files):
        return None
    return max(files, key=lambda each: each.changed).file.path


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
