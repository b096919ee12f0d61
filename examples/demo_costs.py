"""The table at the end: every pull request with its route and cost, and the sum."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

#: A review's result as `reviewbot review --format json` prints it.
Result = Mapping[str, Any]

_HEADS = (
    *("pull request", "goes to", "areas", "findings"),
    *("Claude $", "local $", "joules", "all Claude $"),
)
_MONEY = ("claude_usd", "local_usd", "joules", "all_claude_usd")
_LONGEST_TITLE = 27


def table(results: Sequence[Result]) -> str:
    """All results, in at most 100 columns."""
    scripted = any(result["scripted"] for result in results)
    title = "What it would cost (SCRIPTED: no real money)" if scripted else "What it cost"
    sums = [sum((_amount(one, key) for one in results), Decimal(0)) for key in _MONEY]
    found = sum(len(result["findings"]) for result in results)
    rows = [_HEADS, *map(_row, results), ("total", "", "", str(found), *_figures(sums))]
    widths = [max(len(row[at]) for row in rows) for at in range(len(_HEADS))]
    widths[0] = min(widths[0], _LONGEST_TITLE)
    lines = [_line(row, widths) for row in rows]
    lines.insert(1, "─" * len(lines[0]))
    lines.insert(-1, "─" * len(lines[0]))
    if not all(result["complete"] for result in results):
        lines.append("! incomplete: the pull request's summary says what was not read, and why")
    return "\n".join([title, "", *lines])


def _row(result: Result) -> tuple[str, ...]:
    change, route = result["change"], result["route"]
    return (
        f"#{change['number']} {change['title']}",
        route["tier"],
        ", ".join(route["areas"]) or "–",
        str(len(result["findings"])) + ("" if result["complete"] else " !"),
        *_figures([_amount(result, key) for key in _MONEY]),
    )


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    title = row[0] if len(row[0]) <= widths[0] else row[0][: widths[0] - 1] + "…"
    words = [title, row[1], row[2]]
    texts = [text.ljust(width) for text, width in zip(words, widths[:3], strict=True)]
    numbers = [text.rjust(width) for text, width in zip(row[3:], widths[3:], strict=True)]
    return "  ".join([*texts, *numbers])


def _amount(result: Result, key: str) -> Decimal:
    return Decimal(str(result["cost"][key] or 0))


def _figures(amounts: Sequence[Decimal]) -> tuple[str, ...]:
    # six decimals: prices are in dollars for a million tokens, so that the column adds up
    claude, local, joules, all_claude = amounts
    return f"{claude:.6f}", f"{local:.6f}", f"{joules:.0f}", f"{all_claude:.6f}"
