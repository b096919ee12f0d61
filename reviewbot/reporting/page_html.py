"""A report as one HTML file that needs nothing else: no script, no font, no address."""

from collections.abc import Iterator, Sequence
from functools import cache
from html import escape
from importlib.resources import files

from reviewbot.privacy.invisible import escape_invisible
from reviewbot.reporting.charts import bars_svg, columns_svg, curves_svg
from reviewbot.reporting.page import (
    Bars,
    Block,
    Cell,
    Columns,
    Curves,
    Heading,
    Link,
    Page,
    Paragraph,
    Points,
    Table,
    Tile,
    Tiles,
)


@cache
def style() -> str:
    """The style sheet: light, dark and paper."""
    return (files("reviewbot.reporting") / "page.css").read_text(encoding="utf-8")


def page_html(page: Page) -> str:
    """The whole document."""
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; '
        "style-src 'unsafe-inline'\">\n"
        f"<title>{_safe(page.title)}</title>\n<style>\n{style()}</style>\n</head>\n<body>\n<main>\n"
        f"{page_body(page)}\n</main>\n</body>\n</html>\n"
    )


def page_body(page: Page) -> str:
    """What stands within `<main>`, for a document of somebody else's that has `style()`."""
    return (
        f'<h1>{_safe(page.title)}</h1>\n<p class="subtitle">{_safe(page.subtitle)}</p>\n'
        f"{blocks_html(page.blocks, page.title)}"
    )


def blocks_html(blocks: Sequence[Block], about: str) -> str:
    """Blocks one after another; `about` names the tables before the first heading to whoever can't
    see where they stand."""
    return "\n".join(_blocks(blocks, about))


def _blocks(blocks: Sequence[Block], about: str) -> Iterator[str]:
    for block in blocks:
        about = block.text if isinstance(block, Heading) else about
        yield _block(block, about)


def _block(block: Block, about: str) -> str:
    if isinstance(block, Heading):
        return f"<h2>{_safe(block.text)}</h2>"
    if isinstance(block, Paragraph):
        mark = ' class="strong"' if block.strong else ""
        return f"<p{mark}>{_safe(block.text)}</p>"
    if isinstance(block, Points):
        return "<ul>" + "".join(f"<li>{_safe(item)}</li>" for item in block.items) + "</ul>"
    if isinstance(block, Table):
        return _table(block, f"{about}: {block.columns[0]}" if block.columns[0] else about)
    if isinstance(block, Tiles):
        return '<dl class="tiles">' + "".join(_tile(tile) for tile in block.items) + "</dl>"
    numbers = _numbers(block) if isinstance(block, Columns) and block.numbers else ""
    return (
        f"<figure>{_charts(block)}<figcaption>{_safe(block.title)}</figcaption>{numbers}</figure>"
    )


def _numbers(chart: Columns) -> str:
    """What the columns show, as a table that is folded away."""
    rows = [
        (column.label, *(f"${part:,.4f}" for part in column.parts))
        for column in chart.columns
        if column.parts
    ]
    if not rows:
        return ""
    table = _table(Table(("", *chart.names), rows), chart.title)
    return f"<details><summary>The numbers</summary>{table}</details>"


def _charts(block: Bars | Curves | Columns) -> str:
    """The chart for a desk and the one for a telephone; the page shows one of them."""
    if isinstance(block, Bars):
        return bars_svg(block) + bars_svg(block, narrow=True)
    if isinstance(block, Curves):
        return curves_svg(block) + curves_svg(block, narrow=True)
    return columns_svg(block) + columns_svg(block, narrow=True)


def _tile(tile: Tile) -> str:
    note = f'<dd class="note">{_safe(tile.note)}</dd>' if tile.note else ""
    return (
        f'<div class="tile {tile.tone}"><dt>{_safe(tile.what)}</dt>'
        f'<dd class="value">{_safe(tile.value)}</dd>{note}</div>'
    )


def _table(table: Table, caption: str) -> str:
    head = "".join(
        f'<th scope="col"{_figure(index, table)}>{_safe(name)}</th>'
        for index, name in enumerate(table.columns)
    )
    rows = "\n".join(f"<tr>{_row(row, table)}</tr>" for row in table.rows)
    # a region that can be scrolled must be reachable by the keyboard
    return (
        f'<div class="wide" tabindex="0" role="region" aria-label="{_safe(caption)}"><table>'
        f'<caption class="unseen">{_safe(caption)}</caption>'
        f"<thead><tr>{head}</tr></thead>\n<tbody>{rows}</tbody></table></div>"
    )


def _row(row: Sequence[Cell], table: Table) -> str:
    first, *others = row
    return f'<th scope="row">{_cell(first)}</th>' + "".join(
        f"<td{_figure(index, table)}>{_cell(cell)}</td>" for index, cell in enumerate(others, 1)
    )


def _cell(cell: Cell) -> str:
    if isinstance(cell, Link):
        return f'<a href="{escape(cell.url)}" rel="noreferrer">{_safe(cell.text)}</a>'
    return _safe(cell)


def _figure(index: int, table: Table) -> str:
    return ' class="figure"' if index and index not in table.words else ""


def _safe(text: str) -> str:
    """Harmless, and a number stays beside its percent sign."""
    return escape(escape_invisible(text)).replace(" %", "&#160;%")
