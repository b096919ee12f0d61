"""A report as one HTML file that needs nothing else: no script, no font, no address."""

from collections.abc import Sequence
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
    body = "\n".join(_block(block) for block in page.blocks)
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; '
        "style-src 'unsafe-inline'\">\n"
        f"<title>{_safe(page.title)}</title>\n<style>\n{style()}</style>\n</head>\n<body>\n<main>\n"
        f'<h1>{_safe(page.title)}</h1>\n<p class="subtitle">{_safe(page.subtitle)}</p>\n'
        f"{body}\n</main>\n</body>\n</html>\n"
    )


def _block(block: Block) -> str:
    if isinstance(block, Heading):
        return f"<h2>{_safe(block.text)}</h2>"
    if isinstance(block, Paragraph):
        mark = ' class="strong"' if block.strong else ""
        return f"<p{mark}>{_safe(block.text)}</p>"
    if isinstance(block, Points):
        return "<ul>" + "".join(f"<li>{_safe(item)}</li>" for item in block.items) + "</ul>"
    if isinstance(block, Table):
        return _table(block)
    if isinstance(block, Tiles):
        return '<dl class="tiles">' + "".join(_tile(tile) for tile in block.items) + "</dl>"
    return f"<figure>{_charts(block)}<figcaption>{_safe(block.title)}</figcaption></figure>"


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


def _table(table: Table) -> str:
    head = "".join(
        f'<th scope="col"{_figure(index, table)}>{_safe(name)}</th>'
        for index, name in enumerate(table.columns)
    )
    rows = "\n".join(f"<tr>{_row(row, table)}</tr>" for row in table.rows)
    return f'<div class="wide"><table><thead><tr>{head}</tr></thead>\n<tbody>{rows}</tbody></table></div>'


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
