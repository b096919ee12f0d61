"""How evidence lies in a change, and what was learned of that."""

from collections.abc import Mapping, Sequence

from reviewbot.routing.learned import MAX_POINTS, STRONG, Learned, Spread, in_words
from reviewbot.routing.matcher import MOST_LINES
from reviewbot.routing.model import Match
from reviewbot.routing.rules import Area
from reviewbot.routing.seen import Seen
from reviewbot.routing.vocabulary import NO_WORDS, Vocabulary, Words


def weighed(
    seen: Sequence[Seen],
    titles: Sequence[Match],
    title: str,
    learned: Learned,
    areas: Mapping[str, Area],
) -> tuple[Match, ...]:
    """One reason for each area that the rules speak for, and that what was learned can move.

    None where the host did not send some file's text: how evidence lies there is not known.
    """
    found = [m for s in seen for m in s.matches if m.rule in learned.rules]
    found += [m for m in titles if m.rule in learned.rules]
    if not found or any(each.unknown for each in seen):
        return ()
    read: Words | None = None
    reasons = []
    for name, model in learned.areas.items():
        matches = [m for m in found if m.area == name]
        if name not in areas or not matches:
            continue
        spread, area = spread_of(seen, titles, name, learned.rules), areas[name]
        if spread.points >= area.threshold + MAX_POINTS:  # sure, whatever is said of it
            continue
        words = NO_WORDS
        if learned.needs_words(name, spread):
            words = read = read or words_in(seen, title, learned.vocabulary)
        points = learned.points(
            name, spread, words, threshold=area.threshold, uncertain=area.uncertain
        )
        if points:
            heaviest = max(matches, key=lambda match: (match.weight, match.lines))
            why = in_words(spread, area.title, points, model.loudest(words, points))
            reasons.append(
                Match(f"{name}.learned", name, heaviest.path, None, "RIGHT", why, points)
            )
    return tuple(reasons)


def words_in(seen: Sequence[Seen], title: str, vocabulary: Vocabulary) -> Words:
    """The words of a change, of the code that rules look at."""
    read = [(each.text, each.file.path) for each in seen if each.is_code and each.text]
    return vocabulary.words_of([text for text, _ in read], [path for _, path in read], title)


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
            taken_away |= match.gone and match.weight >= STRONG
    return Spread(
        sum(weights.values()),
        lines,
        sum(each.changed for each in seen),
        sum(each.changed for each in seen if area in each.places),
        taken_away,
        bool(named),
        more,
    )
