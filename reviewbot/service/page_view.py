"""A stored review, made ready to be shown: figures in words, a model's text in harmless pieces."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, NamedTuple

from reviewbot.costs.budget import Spending
from reviewbot.privacy.invisible import escape_invisible
from reviewbot.publishing.figures import usd
from reviewbot.publishing.links import pull_link
from reviewbot.publishing.prose import Block, Piece, blocks, pieces
from reviewbot.publishing.spending import left_row
from reviewbot.review.answer import Severity
from reviewbot.routing.wording import plural
from reviewbot.store.reviews import StoredReview

#: Control characters other than those that end lines and columns.
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
Json = Mapping[str, Any]


class Figure(NamedTuple):
    """A number that stands large, and what it means."""

    what: str
    value: str
    note: str = ""


class Paragraph(NamedTuple):
    """A block of a model's text; of prose, its pieces."""

    block: Block
    pieces: tuple[Piece, ...]


@dataclass(frozen=True)
class PageView:
    """What the template shows of a review; `result` is its JSON form."""

    review: StoredReview
    result: Json
    link: str
    """The pull request at its host; empty where there is none."""
    verdict: str
    mood: str
    """`clean`, `found`, `bad` or `incomplete`: the verdict's colour."""
    figures: tuple[Figure, ...]
    costs: tuple[Figure, ...]
    scores: tuple[tuple[str, float, int], ...]
    """Area, its score, and the share of the highest one in per cent."""
    coverage: tuple[tuple[Json, str], ...]
    """Each file's coverage, and the mood of its status."""
    counts: tuple[tuple[str, int, str], ...]
    """Coverage: status, files and mood."""


def page_view(review: StoredReview, api_url: str) -> PageView:
    """Everything that the page of `review` shows."""
    result = review.result
    verdict, mood = _verdict(result)
    scores = result["route"]["scores"]
    coverage = _coverage(result)
    highest = max((abs(score) for score in scores.values()), default=0) or 1
    return PageView(
        review=review,
        result=result,
        link=pull_link(review.repository, review.number, api_url),
        verdict=verdict,
        mood=mood,
        figures=_figures(result),
        costs=(*_costs(result["cost"]), *_budget(result)),
        scores=tuple((a, s, round(100 * max(s, 0) / highest)) for a, s in scores.items()),
        coverage=coverage,
        counts=_counts(coverage),
    )


def paragraphs(text: str) -> list[Paragraph]:
    """A model's Markdown as blocks of plain pieces: nothing of it is ever HTML."""
    return [
        Paragraph(b, () if b.kind == "code" else tuple(pieces(b.text)))
        for b in blocks(_CONTROL.sub(_picture, text))
    ]


def plain(text: object) -> str:
    """Text that others wrote on one line, invisible characters made visible."""
    return code(" ".join(str(text).split()))


def code(text: object) -> str:
    """Code that others wrote, invisible characters made visible."""
    return escape_invisible(_CONTROL.sub(_picture, str(text)))


def money(amount: object) -> str:
    """A decimal string as `$0.0412`; a dash where there is none."""
    try:
        return "–" if amount is None else usd(Decimal(str(amount)))
    except InvalidOperation:
        return "–"


def call_cost(call: Json) -> str:
    """What one call cost: the bill, or the power and wear of our own hardware."""
    parts = (call.get(name, 0) for name in ("usd", "energy_usd", "amortisation_usd"))
    return money(sum((Decimal(str(part)) for part in parts), Decimal(0)))


def size(count: int) -> str:
    """`812 B`, `4.2 kB`, `1.3 MB`."""
    if count < 1000:
        return f"{count} B"
    return f"{count / 1000:.1f} kB" if count < 1_000_000 else f"{count / 1e6:.1f} MB"


def place(finding: Json) -> str:
    """`src/a.py:3–5`, or the path alone."""
    line, last = finding["line"], finding["end_line"]
    if line is None:
        return code(finding["path"])
    end = f"–{last}" if last not in (None, line) else ""
    return f"{code(finding['path'])}:{line}{end}" + (
        " (removed)" if finding["side"] == "LEFT" else ""
    )


def _picture(control: re.Match[str]) -> str:
    """`␛` for an escape: control characters are shown, not obeyed."""
    return chr(0x2400 + ord(control[0])) if control[0] != "\x7f" else "␡"


def _verdict(result: Json) -> tuple[str, str]:
    counts = {level.value: 0 for level in Severity}
    for finding in (*result["findings"], *result.get("still_open", ())):
        counts[finding["severity"]] = counts.get(finding["severity"], 0) + 1
    found = ", ".join(f"{n} {level}" for level, n in counts.items() if n)
    if result.get("held"):
        return "Held: budget used up", "incomplete"
    if not result["complete"]:
        return f"Incomplete: {found or 'nothing found in what was read'}", "incomplete"
    if not found:
        return ("Nothing found" if result["coverage"] else "Nothing to review"), "clean"
    severe = counts.get("critical", 0) + counts.get("high", 0)
    return found, "bad" if severe else "found"


def _figures(result: Json) -> tuple[Figure, ...]:
    cost, calls, files = result["cost"], result["calls"], result["coverage"]
    full = sum(entry["status"] == "full" for entry in files)
    sent = sum(entry["bytes"] for entry in result["egress"])
    cut = sum(entry["redactions"] for entry in result["egress"])
    seconds = sum(call.get("latency_seconds", 0) for call in calls)
    scripted = cost["scripted"]
    return (
        Figure("would cost" if scripted else "cost", money(cost["total_usd"]), _saved(cost)),
        Figure("read in full", f"{full} of {len(files)}", "files"),
        Figure("model calls", str(cost["calls"]), f"{seconds:.1f} s in all" if calls else ""),
        Figure(
            "would leave this machine" if scripted else "left this machine",
            size(sent) if sent else "nothing",
            f"{plural(cut, 'secret')} cut out" if cut else "",
        ),
    )


def _saved(cost: Json) -> str:
    return f"all Claude: {money(cost['all_claude_usd'])}" if cost["all_claude_usd"] else ""


def _costs(cost: Json) -> tuple[Figure, ...]:
    joules = f"{cost['joules']:,.0f} J ({cost['joules_how']})" if cost["joules"] else ""
    rows = [
        Figure("Claude", money(cost["claude_usd"])),
        Figure("Local", money(cost["local_usd"]), joules),
    ]
    if Decimal(cost["other_external_usd"]):
        rows.append(Figure("Other services", money(cost["other_external_usd"])))
    rows.append(Figure("Total", money(cost["total_usd"]), "estimated" if cost["estimated"] else ""))
    if Decimal(cost["unknown_usd"]):
        rows.append(Figure("At most more", money(cost["unknown_usd"]), "calls without an answer"))
    if cost["all_claude_usd"] is not None:
        rows.append(Figure("All Claude", money(cost["all_claude_usd"]), "the same prompts"))
    return tuple(rows)


def _budget(result: Json) -> tuple[Figure, ...]:
    """What was left when the review was posted; reviews of earlier versions do not say."""
    known = result.get("spending")
    left = left_row(Spending.from_json(known)) if known else None
    return (Figure(*left),) if left else ()


def _coverage(result: Json) -> tuple[tuple[Json, str], ...]:
    """What the route leaves out on purpose is no alarm; what was to be read and was not, is."""
    unwanted = {file["path"] for file in result["route"]["files"] if file["tier"] == "skip"}
    return tuple(
        (entry, "skip" if entry["path"] in unwanted else entry["status"])
        for entry in result["coverage"]
    )


def _counts(coverage: Sequence[tuple[Json, str]]) -> tuple[tuple[str, int, str], ...]:
    found = Counter((entry["status"], mood) for entry, mood in coverage)
    return tuple((status, count, mood) for (status, mood), count in found.most_common())
