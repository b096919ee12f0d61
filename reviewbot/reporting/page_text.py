"""A report as plain text of at most 100 columns, and as Markdown."""

from collections.abc import Iterator, Sequence
from textwrap import wrap

from reviewbot.privacy.invisible import escape_invisible
from reviewbot.publishing.markdown import safe_line, table_cell
from reviewbot.reporting.page import Bars, Block, Heading, Page, Paragraph, Points, Table

WIDTH = 100
#: Widest bar, columns.
BAR = 36
_EIGHTHS = " ▏▎▍▌▋▊▉"


def page_text(page: Page) -> str:
    """For a terminal or a mail."""
    lines = [_clean(page.title), *_wrapped(page.subtitle)]
    for block in page.blocks:
        lines += ["", *_text(block)]
    return "\n".join(line.rstrip() for line in lines)


def page_markdown(page: Page) -> str:
    """For an issue or a document."""
    parts = [f"# {safe_line(page.title)}", safe_line(page.subtitle)]
    for block in page.blocks:
        parts += list(_markdown(block))
    return "\n\n".join(part for part in parts if part)


def bar_text(value: float, most: float, width: int = BAR) -> str:
    """A bar of blocks, an eighth of a column fine; something for all that is more than nothing."""
    eighths = round(value / most * width * 8) if most > 0 else 0
    if value > 0:
        eighths = max(eighths, 1)
    return "█" * (eighths // 8) + _EIGHTHS[eighths % 8].strip()


def _text(block: Block) -> Iterator[str]:
    if isinstance(block, Heading):
        name = _clean(block.text)
        yield from (name, "─" * min(len(name), WIDTH))
    elif isinstance(block, Paragraph):
        yield from _wrapped(block.text)
    elif isinstance(block, Points):
        for item in block.items:
            yield from _wrapped(item, "- ")
    elif isinstance(block, Table):
        yield from _table(block)
    elif isinstance(block, Bars):
        yield from _wrapped(block.title)
        most = max((bar.value for bar in block.bars), default=0.0)
        label = max((len(_clean(bar.label)) for bar in block.bars), default=0)
        for bar in block.bars:
            yield f"  {_clean(bar.label):<{label}}  {bar_text(bar.value, most):<{BAR}}  {bar.text}"
    else:
        yield from _wrapped(block.told)


def _table(table: Table) -> Iterator[str]:
    rows = [[_clean(cell) for cell in row] for row in (table.columns, *table.rows)]
    widths = [max(len(row[index]) for row in rows) for index in range(len(table.columns))]
    gap = "  "
    while sum(widths) + len(gap) * len(widths) > WIDTH:
        widths[widths.index(max(widths))] -= 1
    for number, row in enumerate(rows):
        cells = [wrap(cell, width) or [""] for cell, width in zip(row, widths, strict=True)]
        for line in range(max(map(len, cells))):
            texts = [cell[line] if line < len(cell) else "" for cell in cells]
            yield gap + gap.join(
                text.ljust(width) if not index or index in table.words else text.rjust(width)
                for index, (text, width) in enumerate(zip(texts, widths, strict=True))
            )
        if not number:
            yield gap + gap.join("─" * width for width in widths)


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
    elif isinstance(block, Bars):
        most = max((bar.value for bar in block.bars), default=0.0)
        rows = [[bar.label, bar_text(bar.value, most, 24), bar.text] for bar in block.bars]
        yield _markdown_table([block.title, "", ""], rows, frozenset({1}))
    else:
        yield safe_line(block.told)


def _markdown_table(
    columns: Sequence[str], rows: Sequence[Sequence[str]], words: frozenset[int]
) -> str:
    ruler = ["---" if not i or i in words else "---:" for i in range(len(columns))]
    lines = [[table_cell(safe_line(cell)) for cell in row] for row in (columns, *rows)]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (lines[0], ruler, *lines[1:]))


def _wrapped(text: str, bullet: str = "") -> Iterator[str]:
    yield from wrap(_clean(text), WIDTH, initial_indent=bullet, subsequent_indent=" " * len(bullet))


def _clean(text: str) -> str:
    return " ".join(escape_invisible(text).split())
