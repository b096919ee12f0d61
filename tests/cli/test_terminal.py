"""What a person sees at a terminal."""

import io
import re
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from publishing.sample_reviews import (
    HOSTILE,
    hostile_review,
    large_review,
    scripted_review,
    shop_review,
)
from rich.cells import cell_len
from rich.console import Console

from reviewbot.change.model import Change
from reviewbot.cli.terminal import PIPED_WIDTH, Progress, print_review, print_route, stdout_console
from reviewbot.cli.terminal_text import Page
from reviewbot.publishing.result import Review

GOLDEN = Path(__file__).parents[1] / "publishing" / "golden"
COLOURS = re.compile(r"\x1b\[[0-9;]*m")


def shown(review: Review, width: int = 80, *, terminal: bool = False) -> str:
    out = io.StringIO()
    colours = "truecolor" if terminal else None
    print_review(
        review, Console(file=out, width=width, force_terminal=terminal, color_system=colours)
    )
    return out.getvalue()


@pytest.mark.parametrize("width", [80, 120])
def test_a_review_reads_as_agreed(width: int) -> None:
    golden = (GOLDEN / f"terminal_{width}.txt").read_text(encoding="utf-8")

    assert shown(shop_review(), width) == golden


def test_a_scripted_incomplete_review_says_so_first_and_last() -> None:
    lines = shown(scripted_review()).splitlines()

    assert lines[3].startswith("SCRIPTED: answers are written by hand")
    assert lines[5] == "ATTENTION"
    assert lines[6].startswith("  ! RISKY, NOT REVIEWED BY CLAUDE: shop/refund.py")
    assert lines[-1] == "INCOMPLETE: 1 critical, 1 medium, 1 low · would cost $0.0413 · SCRIPTED"


def test_a_clean_review_is_called_so() -> None:
    review = replace(shop_review(), findings=(), dropped={})

    assert shown(review).splitlines()[-1] == "nothing found · cost $0.0413"


def test_findings_stand_worst_first() -> None:
    review = shop_review()
    mixed = replace(review, findings=tuple(reversed(review.findings)))

    text = shown(mixed)

    assert text.index("CRITICAL ·") < text.index("MEDIUM ·") < text.index("LOW ·")


@pytest.mark.parametrize("width", [40, 80, 120])
@pytest.mark.parametrize(
    "review", [shop_review(), scripted_review(), hostile_review(), large_review(50, 5)]
)
def test_no_line_is_wider_than_the_terminal_or_ends_in_spaces(review: Review, width: int) -> None:
    for line in shown(review, width).split("\n"):
        assert cell_len(line) <= width, line
        assert line == line.rstrip()


def test_hostile_texts_reach_the_terminal_as_characters_only() -> None:
    plain = shown(hostile_review(), 200)
    coloured = COLOURS.sub("", shown(hostile_review(), 200, terminal=True))

    for text in (plain, coloured):
        assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", text)
        assert "[red]x[/red]" in text
        assert "<U+001B>" in text


def test_colours_are_only_for_terminals_that_want_them(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "\x1b" not in shown(shop_review())
    assert "\x1b[" in shown(shop_review(), terminal=True)

    monkeypatch.setenv("NO_COLOR", "1")

    assert not re.search(r"\x1b\[[0-9;]*3[0-9]m", shown(shop_review(), terminal=True))


def test_many_files_of_one_fate_are_one_row() -> None:
    rows = [
        line
        for line in shown(large_review(50, 0)).splitlines()
        if "openai" in line and "50" in line
    ]

    assert len(rows) == 2
    assert rows[1].split()[:4] == ["full", "openai-compatible", "50", "files:"]


def test_a_pipe_gets_plain_text_of_a_fixed_width(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding="ascii"))

    console = stdout_console()
    print_review(shop_review(), console)
    sys.stdout.flush()

    assert console.width == PIPED_WIDTH
    assert b"CRITICAL ? shop/refund.py:41-43" in raw.getvalue()
    assert b"\x1b" not in raw.getvalue()


def test_where_nothing_changed_one_line_is_enough() -> None:
    review = shop_review()
    route = replace(review.route, why="Nothing to review: the change has no files.")
    empty = replace(review, change=Change(()), route=route, coverage=(), findings=())

    assert shown(empty).strip() == "Nothing to review: the change has no files."
    hidden = replace(empty, change=Change((), missing_files=3))
    assert "Coverage" in shown(hidden)


def test_the_route_alone_shows_every_fate() -> None:
    out, review = io.StringIO(), shop_review()

    print_route(review.route, review.change, Console(file=out, width=80))

    lines = out.getvalue().splitlines()
    assert lines[0] == "Refund a share of an order"
    assert lines[1].startswith("CLAUDE · payments has 5 points")
    assert "skip    lockfile  uv.lock          lockfile" in [line.strip() for line in lines]


@settings(max_examples=100, deadline=None)
@given(st.text(), st.integers(10, 60))
def test_any_text_is_laid_out(text: str, width: int) -> None:
    out = io.StringIO()
    page = Page(Console(file=out, width=width))

    page.put(text, indent=2, hang=2)
    page.prose(text, indent=2)
    page.table([[text, "b"], ["a", text]])

    assert not re.search(r"[\x00-\x09\x0b-\x1f]", out.getvalue())


def test_progress_is_silent_where_nobody_looks() -> None:
    out = io.StringIO()

    with Progress(Console(file=out)) as progress:
        progress.say("reading the change")
        progress.start(2, "asking claude")
        progress.done("part 1 answered")

    assert out.getvalue() == ""


def test_progress_names_what_is_waited_for() -> None:
    out = io.StringIO()

    with Progress(Console(file=out, force_terminal=True, width=100, color_system=None)) as progress:
        progress.say(f"reading {HOSTILE}")
        progress.start(2, "asking claude-opus-5-5")
        progress.done("part 1 answered")
        progress.done("part 2 refused")
        progress.start(1, "asking claude-sonnet [red]")
        progress.done("part 2 answered")

    text = re.sub(r"\x1b\[[0-9?;]*[a-zA-Z]", "", out.getvalue())
    assert "asking claude-sonnet [red]: 3 of 3 answered · part 2 answered" in text
    assert "\x1b]0;" not in out.getvalue()
