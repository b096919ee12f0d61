"""The code around a finding."""

from dataclasses import replace

from publishing.sample_reviews import shop_change, shop_findings

from reviewbot.change.parse import parse_diff
from reviewbot.publishing.excerpt import CONTEXT, MOST, excerpt, replaced


def test_the_findings_lines_are_marked_among_their_neighbours() -> None:
    lines = excerpt(shop_findings()[0], shop_change())

    assert [(line.number, line.marker) for line in lines if line.hit] == [
        (41, "+"),
        (42, "+"),
        (43, "+"),
    ]
    assert [line.marker for line in lines if not line.hit] == ["-", "-", " ", " "]


def test_removed_lines_are_shown_by_their_old_numbers() -> None:
    lines = excerpt(shop_findings()[1], shop_change())

    assert [line.number for line in lines if line.hit] == [11, 12]
    assert lines[1].text == "    if item not in basket.lines:"


def test_no_quote_no_code() -> None:
    assert excerpt(replace(shop_findings()[0], quote=""), shop_change()) == ()
    assert excerpt(shop_findings()[2], shop_change()) == ()


def test_a_long_place_is_shown_in_part() -> None:
    count = 100
    body = "".join(f"+line {number}\n" for number in range(1, count + 1))
    change = parse_diff(f"--- /dev/null\n+++ b/a.txt\n@@ -0,0 +1,{count} @@\n{body}")
    finding = replace(shop_findings()[0], path="a.txt", line=1, end_line=count)

    lines = excerpt(finding, change)

    assert len(lines) == MOST + 2 * CONTEXT + 1
    assert "… 84 more lines" in [line.text for line in lines]


def test_a_suggestion_replaces_exactly_the_findings_lines() -> None:
    old = replaced(shop_findings()[0], shop_change())

    assert "\n".join(old) == shop_findings()[0].quote
