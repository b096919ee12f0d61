"""The forecast as text, Markdown and HTML."""

import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from markdown_it import MarkdownIt

from reviewbot.reporting.charts import bars_svg, curves_svg, ticks
from reviewbot.reporting.forecast import Basis, Past, forecast
from reviewbot.reporting.forecast_page import forecast_page
from reviewbot.reporting.page import Bar, Bars, Curve, Curves, Page, Paragraph, Table
from reviewbot.reporting.page_html import page_html
from reviewbot.reporting.page_text import bar_text, page_markdown, page_text

HOSTILE = '<script>alert(1)</script>"|`&\u202eevil\x1b[31m'


class Tags(HTMLParser):
    """All elements, and whether each is closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.seen: list[str] = []
        self.open: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append(tag)
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append(tag)


@pytest.fixture
def page(past: Past, basis: Basis) -> Page:
    other = replace(past, name="tools", notes=("tools is a shallow clone",), unread=3)
    return forecast_page(forecast([past, other], basis))


@pytest.fixture
def hostile(past: Past, basis: Basis) -> Page:
    return forecast_page(forecast([replace(past, name=HOSTILE)], basis))


def test_text_tells_everything_in_a_hundred_columns(page: Page) -> None:
    text = page_text(page)

    assert max(map(len, text.splitlines())) <= 100
    for part in ("Hybrid by file", "█", "tokens p50", "auth", "GPU hours", "tools is a shallow"):
        assert part in text
    assert "tools: 3 merges left out" in text
    assert re.search(r"Claude only +█+ +\$137\.00 +\(\$", text)


def test_markdown_keeps_its_tables(page: Page) -> None:
    tokens = MarkdownIt("commonmark").enable("table").parse(page_markdown(page))

    kinds = [token.type for token in tokens]
    assert kinds.count("table_open") == 5
    assert kinds.count("heading_open") == 4
    assert "html_block" not in kinds


def test_html_is_whole_and_needs_nothing_else(page: Page) -> None:
    text = page_html(page)

    tags = Tags(text)
    assert tags.open == []
    assert {"svg", "table", "figure", "h1"} <= set(tags.seen)
    assert not {"script", "link", "img", "iframe"} & set(tags.seen)
    assert not re.search(r"(?:https?:)?//|url\(|@import", text)
    for media in ("prefers-color-scheme: dark", "@media print"):
        assert media in text


def test_a_hostile_name_is_only_a_name(hostile: Page) -> None:
    html, markdown, text = page_html(hostile), page_markdown(hostile), page_text(hostile)

    assert "script" not in Tags(html).seen
    assert "&lt;script&gt;" in html
    for written in (html, markdown, text):
        assert "\u202e" not in written
        assert "\x1b" not in written
    assert "<script>" not in MarkdownIt("commonmark").enable("table").render(markdown)


def test_the_verdict_stands_first(page: Page) -> None:
    first = page.blocks[0]

    assert isinstance(first, Paragraph)
    assert first.strong
    assert first.text.startswith("Hybrid by file costs ")


def test_charts_name_what_they_show() -> None:
    chart = bars_svg(Bars("Costs", [Bar("a <b>", 5, "$5", 4, 6), Bar("b", 0, "$0")]))

    assert "<title>Costs</title><desc>a &lt;b&gt;: $5; b: $0</desc>" in chart
    assert chart.count("<rect") == 2
    assert chart.count('class="whisker"') == 1


def test_a_chart_of_nothing_is_drawn_too() -> None:
    assert "<svg" in bars_svg(Bars("Nothing", []))
    assert "<svg" in curves_svg(Curves("Nothing", "months", [Curve("none", [(0, 0)])], ""))


def test_a_bar_is_as_long_as_its_value() -> None:
    assert bar_text(10, 10, 8) == "█" * 8
    assert bar_text(5, 10, 8) == "█" * 4
    assert bar_text(0.001, 10, 8) == "▏"
    assert bar_text(0, 10, 8) == ""


@pytest.mark.parametrize(
    ("most", "expected"),
    [(0, [0]), (10, [0, 2, 4, 6, 8, 10]), (7, [0, 2, 4, 6]), (3000, [0, 1000, 2000, 3000])],
)
def test_axes_have_round_numbers(most: float, expected: list[float]) -> None:
    assert ticks(most) == expected


def test_a_wide_table_is_wrapped() -> None:
    table = Table(("name", "figure"), [("word " * 40, "12")])

    assert max(map(len, page_text(Page("T", "", [table])).splitlines())) <= 100
