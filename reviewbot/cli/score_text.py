"""A scored corpus as a table for people, or as JSON."""

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from reviewbot.routing.score import Figures, Miss, Report, Score

#: Reasons shown for one miss.
MAX_REASONS = 6
_HEAD = f"{'precision':>10}{'recall':>8}{'F1':>6}{'right':>7}{'false':>7}{'missed':>8}"


def score_text(report: Report, *, by: str | None, misses: bool) -> str:
    """The figures; broken down and with every miss where asked for."""
    lines = [*_score("clear changes", report.clear)]
    if report.ambiguous.changes:
        lines += ["", *_score("ambiguous changes, apart", report.ambiguous)]
    lines += ["", "certainty     changes  labelled"]
    for name, band in report.bands.items():
        share = f"{band.labelled / band.changes:>10.0%}" if band.changes else f"{'–':>10}"
        lines.append(f"{name:<12}{band.changes:>9}{share}")
    if by:
        for name, each in report.groups.items():
            lines += ["", *_score(f"{by} {name}", each)]
    if misses:
        for miss in report.misses:
            lines += ["", *_miss(miss)]
    return "\n".join(lines)


def score_json(report: Report, *, by: str | None, misses: bool) -> dict[str, Any]:
    """The same as JSON values; shares are null where they mean nothing."""
    made: dict[str, Any] = {
        **_score_json(report.clear),
        "ambiguous": _score_json(report.ambiguous),
        "certainty": {name: asdict(band) for name, band in report.bands.items()},
    }
    if by:
        made["by"] = {by: {name: _score_json(each) for name, each in report.groups.items()}}
    if misses:
        made["misses"] = [
            {**asdict(miss), "reasons": [match._asdict() for match in miss.reasons]}
            for miss in report.misses
        ]
    return made


def _score(title: str, score: Score) -> Iterator[str]:
    share = score.flagged_share
    flagged = "" if share is None else f", {share:.0%} flagged"
    yield f"{title}: {score.changes}{flagged}"
    yield f"{'':<12}{_HEAD}"
    for name, row in [("flagged", score.flagged), *score.areas.items()]:
        cells = [_cell(value) for value in (row.precision, row.recall, row.f1)]
        yield (
            f"{name:<12}{cells[0]:>10}{cells[1]:>8}{cells[2]:>6}"
            f"{row.true_positives:>7}{row.false_positives:>7}{row.false_negatives:>8}"
        )


def _cell(share: float | None) -> str:
    return "–" if share is None else f"{share:.2f}"


def _miss(miss: Miss) -> Iterator[str]:
    elsewhere = ", flagged for another area" if miss.problem == "missed" and miss.flagged else ""
    needed = f"{miss.points:g} of {miss.needed:g} (uncertain from {miss.doubtful:g})"
    yield f"{miss.problem}: {miss.area} weighs {needed}{elsewhere}: {miss.id} {miss.title}".rstrip()
    for match in miss.reasons[:MAX_REASONS]:
        place = f"{match.path}:{match.line}" if match.line else match.path
        yield f"  {match.weight:+g} {match.rule}  {place}  {match.excerpt}".rstrip()
    if not miss.reasons:
        yield "  no rule fired"


def _score_json(score: Score) -> dict[str, Any]:
    return {
        "changes": score.changes,
        "flagged_share": score.flagged_share,
        "flagged": _figures_json(score.flagged),
        "areas": {name: _figures_json(row) for name, row in score.areas.items()},
    }


def _figures_json(figures: Figures) -> dict[str, Any]:
    shares = {"precision": figures.precision, "recall": figures.recall, "f1": figures.f1}
    return {**asdict(figures), **shares}
