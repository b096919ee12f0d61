"""The monthly report in every format: the golden texts, and what must hold of any month."""

import csv
import io
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from markdown_it import MarkdownIt
from sample_month import API_URL, GOLDEN, basis, month_report, november, write_month, written

from reviewbot.reporting.charts import columns_svg
from reviewbot.reporting.page import (
    Bars,
    Block,
    Column,
    Columns,
    Heading,
    Link,
    Page,
    Paragraph,
    Points,
    Table,
    Tile,
    Tiles,
    text_of,
)
from reviewbot.reporting.page_html import page_html
from reviewbot.reporting.page_text import issue_markdown, page_lines, page_markdown, page_text
from reviewbot.reporting.ratio import Ratio
from reviewbot.reporting.report import Report, build_report
from reviewbot.reporting.report_csv import COLUMNS, report_csv
from reviewbot.reporting.report_json import report_json
from reviewbot.reporting.report_page import report_page
from reviewbot.reporting.report_words import verdicts
from reviewbot.reporting.sums import PullSum, ReviewSum, Sums
from reviewbot.reporting.window import between, previous
from reviewbot.store.reports import open_report_store

HOSTILE = '<script>alert(1)</script>"|`&\u202eevil\x1b[31m =1+1 @octocat closes #1'


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Report]:
    folder = tmp_path_factory.mktemp("month")
    with open_report_store(f"sqlite:///{folder}/x.db") as store:
        write_month(store)
        yield month_report(store)


@pytest.fixture
def hostile(report: Report) -> Report:
    """Names and titles that others chose try to act."""
    calls = tuple(call._replace(model=HOSTILE, engine=HOSTILE) for call in report.sums.calls)
    pull = PullSum(HOSTILE, 1, 1, Decimal(9))
    sums = replace(report.sums, calls=calls, pulls=(pull,), titles={(HOSTILE, 1): HOSTILE})
    return _built(sums)


def _built(sums: Sums, **more: Any) -> Report:
    window = november()
    return build_report(sums, Sums(), basis(), window, previous(window), **more)


def _page(report: Report) -> Page:
    return report_page(report, api_url=API_URL)


class Elements(HTMLParser):
    """All elements, closed in order, and where links lead."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.seen: list[str] = []
        self.open: list[str] = []
        self.links: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append(tag)
        if tag != "meta":
            self.open.append(tag)
        self.links += [value or "" for name, value in attrs if name in ("href", "src")]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append(tag)


@pytest.mark.parametrize("name", ["txt", "md", "json", "csv", "html"])
def test_the_month_reads_as_it_did(report: Report, name: str) -> None:
    golden = (GOLDEN / f"november.{name}").read_text("utf-8")

    now = written(report)[f"november.{name}"]

    assert now == golden, "if that is meant: python tests/sample_month.py"


def test_text_fits_a_hundred_columns(report: Report, hostile: Report) -> None:
    for each in (report, hostile):
        assert max(map(len, page_text(_page(each)).splitlines())) <= 100


def test_a_terminal_learns_what_each_line_is(report: Report) -> None:
    lines = list(page_lines(_page(report)))

    assert "\n".join(line.text for line in lines) == page_text(_page(report))
    assert lines[0].style == "title"
    assert {line.style for line in lines} == {
        "plain",
        "title",
        "heading",
        "strong",
        "faint",
        "bar",
    }


def test_html_is_whole_and_asks_nobody(report: Report) -> None:
    text = page_html(_page(report))

    elements = Elements(text)
    assert elements.open == []
    assert {"svg", "table", "dl", "figure", "a"} <= set(elements.seen)
    assert not {"script", "link", "img", "iframe", "object"} & set(elements.seen)
    assert elements.links == [
        f"https://github.com/acme/{name}"
        for name in ("shop/pull/1", "shop/pull/3", "shop/pull/2", "api/pull/4")
    ]
    outside = re.sub(r'<a href="[^"]*"', "", text)
    assert not re.search(r"(?:https?:)?//|url\(|@import", outside)
    for media in ("prefers-color-scheme: dark", "@media print", "max-width: 40rem"):
        assert media in text


def test_every_chart_is_well_formed_and_told(report: Report) -> None:
    charts = re.findall(r"<svg.*?</svg>", page_html(_page(report)))

    assert len(charts) == 4, "two charts, each for a desk and for a telephone"
    for chart in charts:
        drawn = ElementTree.fromstring(chart)
        assert drawn.findtext("title")
        assert drawn.findtext("desc")


def test_markdown_keeps_its_tables_and_links(report: Report) -> None:
    tokens = MarkdownIt("commonmark").enable("table").parse(page_markdown(_page(report)))

    kinds = [token.type for token in tokens]
    assert kinds.count("table_open") == 16
    assert "html_block" not in kinds
    inline = [child for token in tokens for child in token.children or ()]
    links = [child.attrs["href"] for child in inline if child.type == "link_open"]
    assert links[0] == "https://github.com/acme/shop/pull/1"
    assert len(links) == 4


@pytest.mark.parametrize("limit", [65_536, 4_000, 700])
def test_an_issue_holds_what_fits(report: Report, limit: int) -> None:
    whole = issue_markdown(_page(report))

    text = issue_markdown(_page(report), limit)

    assert len(text) <= limit
    assert "**November 2026 cost " in text
    assert (text == whole) == (len(whole) <= limit)
    if text != whole:
        assert re.search(r"\d+ further parts do not fit here", text)


def test_hostile_names_are_only_names(hostile: Report) -> None:
    texts = written(hostile)

    assert "script" not in Elements(texts["november.html"]).seen
    assert "&lt;script&gt;" in texts["november.html"]
    rendered = MarkdownIt("commonmark").enable("table").render(texts["november.md"])
    assert "<script>" not in rendered
    assert "@octocat" not in re.sub(r"<code>.*?</code>", "", rendered), "nobody is called"
    for text in texts.values():
        assert "\u202e" not in text
        assert "\x1b" not in text
    assert "](<" not in texts["november.md"], "no link is made of a hostile name"
    cells = [cell for row in csv.reader(io.StringIO(texts["november.csv"])) for cell in row]
    acting = [cell for cell in cells if cell[:1] in set("=+@")]
    assert acting == []


def test_csv_says_the_same_as_json(report: Report) -> None:
    data = report_json(report, api_url=API_URL)
    rows = list(csv.DictReader(io.StringIO(report_csv(data))))

    by_name = {(row["section"], row["name"], row["figure"]): row for row in rows}
    assert tuple(rows[0]) == COLUMNS
    assert len(by_name) == len(rows), "no figure stands twice"
    total = by_name["totals", "", "total_usd"]
    assert total["value"] == data["totals"]["total_usd"]
    saved = by_name["counterfactuals", "all_claude", "saved_usd"]
    assert saved["value"] == data["counterfactuals"]["all_claude"]["saved_usd"]
    assert saved["value"].startswith("-38.87"), "a figure, not a text"
    rate = by_name["rates", "", "acceptance"]
    assert (rate["part"], rate["of"], rate["value"]) == ("2", "5", "0.4")
    assert (rate["since"][:10], rate["until"][:10]) == ("2026-11-01", "2026-12-01")
    assert by_name["before", "", "total_usd"]["since"][:10] == "2026-10-01"


def test_no_rate_in_data_comes_without_its_whole_and_window(report: Report) -> None:
    rates: list[dict[str, Any]] = []

    def look(value: Any) -> None:
        if isinstance(value, dict):
            if "part" in value:
                rates.append(value)
            for inner in value.values():
                look(inner)
        elif isinstance(value, list):
            for inner in value:
                look(inner)

    look(json.loads(json.dumps(report_json(report, api_url=API_URL))))

    assert len(rates) > 40
    assert all(set(rate) == {"part", "of", "value", "window"} for rate in rates)


def test_no_percentage_is_shown_alone(report: Report) -> None:
    shown = [text for block in _page(report).blocks for text in _texts(block) if "%" in text]

    assert len(shown) > 40
    for text in shown:
        with_its_whole = r"[$]?[\d.,]+ of [$]?[\d.,]+[^(%]*\([\d.]+ %\)"
        assert "%" not in re.sub(with_its_whole, "", text), text


def test_every_part_with_rates_names_its_window(report: Report) -> None:
    headings = [block.text for block in _page(report).blocks if isinstance(block, Heading)]

    assert [text for text in headings if "November 2026" not in text] == ["What this rests on"]


def _texts(block: Block) -> list[str]:
    if isinstance(block, Paragraph):
        return [block.text]
    if isinstance(block, Points):
        return list(block.items)
    if isinstance(block, Tiles):
        return [text for tile in block.items for text in (tile.value, tile.note)]
    if isinstance(block, Table):
        return [text_of(cell) for row in block.rows for cell in row]
    return [bar.text for bar in block.bars] if isinstance(block, Bars) else []


def test_an_empty_month_says_what_to_do(report: Report) -> None:
    empty = _built(Sums())
    newest = november().since

    page = report_page(empty, api_url=API_URL, newest=newest)

    text = page_text(page)
    assert "No change was reviewed in November 2026." in text
    assert "reviewbot report --month 2026-11" in text
    assert "reviewbot serve" in text
    assert Elements(page_html(page)).open == []
    assert report_json(empty, api_url=API_URL)["totals"]["total_usd"] == "0"


def test_a_machine_that_nobody_used_cost_something_all_the_same() -> None:
    page = _page(_built(Sums(has_hardware=True)))

    assert "The machine stood idle and lost $38.89 of its price." in page_text(page)


def test_a_month_that_saved_says_so(report: Report) -> None:
    dear = ReviewSum("local", (), True, False, True, 10, 3, Decimal(900))
    sums = replace(report.sums, reviews=(*report.sums.reviews, dear))

    first, second, *_ = verdicts(_built(sums))

    assert first.startswith("November 2026 cost $38.91: Claude $0.0172, power ")
    assert second == "claude-opus-5-5 alone would have cost $900.03: $861.12 saved."


def test_a_month_without_a_machine_has_no_price_of_one(report: Report) -> None:
    calls = tuple(call for call in report.sums.calls if call.is_claude)
    sums = replace(report.sums, calls=calls, has_hardware=False)

    alone = _built(sums)

    told = " ".join(verdicts(alone))
    assert alone.spending.total_usd == Decimal("0.0172")
    assert "Local cost more" not in told
    assert "machine" not in told
    assert alone.counterfactuals.all_local is None
    assert alone.counterfactuals.cheapest is None


def test_written_answers_are_never_shown_as_money_spent(report: Report) -> None:
    calls = tuple(call._replace(scripted=call.calls) for call in report.sums.calls)

    page = _page(_built(replace(report.sums, calls=calls)))

    first = page.blocks[0]
    assert isinstance(first, Paragraph)
    assert first.text.startswith("SCRIPTED: 7 of 7 calls (100 %) were answered by hand-written")


def test_tiles_and_links_are_written_everywhere() -> None:
    page = Page(
        "T",
        "",
        [
            Tiles([Tile("spent", "$1", "as before", "bad")]),
            Table(("a", "b"), [(Link("here #1", "https://example.org/1"), "2")]),
        ],
    )

    assert 'class="tile bad"' in page_html(page)
    assert '<a href="https://example.org/1" rel="noreferrer">here #1</a>' in page_html(page)
    assert "](<https://example.org/1>)" in page_markdown(page)
    assert "spent  $1  as before" in page_text(page)


def test_columns_stack_from_the_ground_up() -> None:
    drawn = ElementTree.fromstring(
        columns_svg(
            Columns("a day", ["x", "y"], [Column("1", [1, 3]), Column("2", [0, 0])], "told")
        )
    )

    first, second = [each for each in drawn.iter("rect") if "flat" in each.attrib["class"]]
    bottom = float(first.attrib["y"])
    assert float(second.attrib["y"]) + float(second.attrib["height"]) == pytest.approx(bottom)
    assert float(second.attrib["height"]) == pytest.approx(3 * float(first.attrib["height"]))


@pytest.mark.parametrize(
    ("since", "until", "labels"),
    [
        ("2026-11-01", "2026-12-01", [f"11-{day:02}" for day in range(1, 31)]),
        ("2026-11-30", "2026-12-02", ["11-30", "12-01"]),
        ("2026-11-05", "2027-02-01", ["2026-11", "2026-12", "2027-01"]),
    ],
)
def test_long_times_are_drawn_by_month(
    report: Report, since: str, until: str, labels: list[str]
) -> None:
    times = [datetime.fromisoformat(day).replace(tzinfo=UTC) for day in (since, until)]

    page = _page(replace(report, window=between(*times)))

    [chart] = [block for block in page.blocks if isinstance(block, Columns)]
    assert [column.label for column in chart.columns] == labels
    if labels[0] == "2026-11":
        shown = sum(part for column in chart.columns for part in column.parts)
        assert shown == pytest.approx(float(report.spending.calls_usd))


@pytest.mark.parametrize(
    ("ratio", "percent"),
    [
        (Ratio(0, 0), "–"),
        (Ratio(0, 5), "0 %"),
        (Ratio(2, 4000), "0.05 %"),
        (Ratio(1, 48_000), "0.002 %"),
        (Ratio(1, 1000), "0.1 %"),
        (Ratio(1, 30), "3.3 %"),
        (Ratio(2, 3), "67 %"),
        (Ratio(5, 5), "100 %"),
    ],
)
def test_percent_has_as_many_places_as_it_needs(ratio: Ratio, percent: str) -> None:
    assert ratio.percent == percent


def test_golden_texts_are_all_there() -> None:
    assert {path.suffix for path in Path(GOLDEN).iterdir()} == {
        ".txt",
        ".md",
        ".json",
        ".csv",
        ".html",
    }
