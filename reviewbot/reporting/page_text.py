"""A report as plain text of at most 100 columns, and as Markdown."""

from collections.abc import Iterator, Sequence
from textwrap import wrap
from typing import Literal, NamedTuple

from reviewbot.privacy.invisible import escape_invisible
from reviewbot.publishing.markdown import safe_line, table_cell
from reviewbot.reporting.page import (
    Bars,
    Block,
    Cell,
    Heading,
    Link,
    Page,
    Paragraph,
    Points,
    Table,
    Tiles,
    text_of,
)

WIDTH = 100
#: Widest bar, columns.
BAR = 36
#: Longest body of an issue or a comment at GitHub.
ISSUE_CHARACTERS = 65_536
_LEFT_OUT = "{} further parts do not fit here: `reviewbot report` shows all."
_EIGHTHS = " ▏▎▍▌▋▊▉"

Style = Literal["plain", "title", "heading", "strong", "faint", "bar"]


class Line(NamedTuple):
    """One line of text, and what it is, for whoever has colours."""

    text: str
    style: Style = "plain"


def page_text(page: Page) -> str:
    """For a mail or a file."""
    return "\n".join(line.text for line in page_lines(page))


def page_lines(page: Page) -> Iterator[Line]:
    """The same, line by line, for a terminal."""
    yield Line(_clean(page.title), "title")
    for text in _wrapped(page.subtitle):
        yield Line(text, "faint")
    for block in page.blocks:
        yield Line("")
        for line in _lines(block):
            yield line._replace(text=line.text.rstrip())


def page_markdown(page: Page) -> str:
    """For a document."""
    parts = [f"# {safe_line(page.title)}", safe_line(page.subtitle)]
    for block in page.blocks:
        parts += list(_markdown(block))
    return "\n\n".join(part for part in parts if part)


def issue_markdown(page: Page, limit: int = ISSUE_CHARACTERS) -> str:
    """For the body of an issue, which has its own title: at most `limit` characters, whole parts
    from the top and then how many are left out."""
    room = limit - len(_LEFT_OUT) - 10
    parts = [safe_line(page.subtitle)]
    for number, block in enumerate(page.blocks):
        more = [part for part in _markdown(block) if part]
        room -= sum(len(part) + 2 for part in more)
        if room < len(parts[0]):
            parts.append(_LEFT_OUT.format(len(page.blocks) - number))
            break
        parts += more
    return "\n\n".join(part for part in parts if part)


def bar_text(value: float, most: float, width: int = BAR) -> str:
    """A bar of blocks, an eighth of a column fine; something for all that is more than nothing."""
    eighths = round(value / most * width * 8) if most > 0 else 0
    if value > 0:
        eighths = max(eighths, 1)
    return "█" * (eighths // 8) + _EIGHTHS[eighths % 8].strip()


def _lines(block: Block) -> Iterator[Line]:
    if isinstance(block, Heading):
        name = _clean(block.text)
        yield Line(name, "heading")
        yield Line("─" * min(len(name), WIDTH), "faint")
    elif isinstance(block, Paragraph):
        for text in _wrapped(block.text):
            yield Line(text, "strong" if block.strong else "plain")
    elif isinstance(block, Points):
        for item in block.items:
            yield from map(Line, _wrapped(item, "- "))
    elif isinstance(block, Table):
        yield from _table(block)
    elif isinstance(block, Tiles):
        yield from _tiles(block)
    elif isinstance(block, Bars):
        yield from _bars(block)
    else:
        yield from map(Line, _wrapped(block.told))


def _bars(chart: Bars) -> Iterator[Line]:
    yield from map(Line, _wrapped(chart.title))
    most = max((bar.value for bar in chart.bars), default=0.0)
    label = max((len(_clean(bar.label)) for bar in chart.bars), default=0)
    for bar in chart.bars:
        text = f"  {_clean(bar.label):<{label}}  {bar_text(bar.value, most):<{BAR}}  {bar.text}"
        yield Line(text, "bar")


def _tiles(tiles: Tiles) -> Iterator[Line]:
    what = max((len(_clean(tile.what)) for tile in tiles.items), default=0)
    value = max((len(_clean(tile.value)) for tile in tiles.items), default=0)
    for tile in tiles.items:
        start = f"  {_clean(tile.what):<{what}}  {_clean(tile.value):>{value}}  "
        first, *more = wrap(_clean(tile.note), WIDTH - len(start)) or [""]
        yield Line(start + first, "strong")
        for text in more:
            yield Line(" " * len(start) + text)


def _table(table: Table) -> Iterator[Line]:
    rows = [[_clean(text_of(cell)) for cell in row] for row in (table.columns, *table.rows)]
    widths = [max(1, *(len(row[index]) for row in rows)) for index in range(len(table.columns))]
    gap = "  "
    while sum(widths) + len(gap) * len(widths) > WIDTH:
        widths[widths.index(max(widths))] -= 1
    for number, row in enumerate(rows):
        cells = [wrap(cell, width) or [""] for cell, width in zip(row, widths, strict=True)]
        for line in range(max(map(len, cells))):
            texts = [cell[line] if line < len(cell) else "" for cell in cells]
            text = gap + gap.join(
                text.ljust(width) if not index or index in table.words else text.rjust(width)
                for index, (text, width) in enumerate(zip(texts, widths, strict=True))
            )
            yield Line(text, "plain" if number else "faint")
        if not number:
            yield Line(gap + gap.join("─" * width for width in widths), "faint")


def _markdown(block: Block) -> Iterator[str]:
    if isinstance(block, Heading):
        yield f"## {safe_line(block.text)}"
    elif isinstance(block, Paragraph):
        text = safe_line(block.text)
        yield f"**{text}**" if block.strong else text
    elif isinstance(block, Points):
        yield "\n".join(f"- {safe_line(item)}" for item in block.items)
    elif isinstance(block, Table):
        yield _markdown_table(block.columns, block.rows, block.words)
    elif isinstance(block, Tiles):
        tiles = [(tile.what, tile.value, tile.note) for tile in block.items]
        yield _markdown_table(("", "", ""), tiles, frozenset({2}))
    elif isinstance(block, Bars):
        most = max((bar.value for bar in block.bars), default=0.0)
        rows = [[bar.label, bar_text(bar.value, most, 24), bar.text] for bar in block.bars]
        yield _markdown_table([block.title, "", ""], rows, frozenset({1}))
    else:
        yield safe_line(block.told)


def _markdown_table(
    columns: Sequence[str], rows: Sequence[Sequence[Cell]], words: frozenset[int]
) -> str:
    ruler = ["---" if not i or i in words else "---:" for i in range(len(columns))]
    lines = [[_markdown_cell(cell) for cell in row] for row in (columns, *rows)]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (lines[0], ruler, *lines[1:]))


def _markdown_cell(cell: Cell) -> str:
    text = table_cell(safe_line(text_of(cell)))
    return f"[{text}](<{cell.url}>)" if isinstance(cell, Link) else text


def _wrapped(text: str, bullet: str = "") -> Iterator[str]:
    yield from wrap(_clean(text), WIDTH, initial_indent=bullet, subsequent_indent=" " * len(bullet))


def _clean(text: str) -> str:
    return " ".join(escape_invisible(text).split())
