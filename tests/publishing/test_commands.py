"""Commands in comments: a closed set."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reviewbot.publishing.commands import ABOUT, CALL, Command, help_text, read_command


@pytest.mark.parametrize("command", Command)
def test_every_command_is_read(command: Command):
    assert read_command(f"/reviewbot {command}") is command


@pytest.mark.parametrize(
    "text",
    [
        "/reviewbot review claude",
        "/ReviewBot REVIEW Claude",
        "  /reviewbot  review\tclaude  ",
        "/reviewbot review claude\n",
        "/reviewbot review claude\r\nplease, the login changed\r\n",
        "/reviewbot review claude\n/reviewbot pause",
    ],
)
def test_capitals_spaces_and_further_lines_make_no_difference(text: str):
    assert read_command(text) is Command.REVIEW_CLAUDE


@pytest.mark.parametrize(
    "text",
    [
        "",
        "/reviewbot",
        "/reviewbot reviews",
        "/reviewbot review now",
        "/reviewbot review claude --budget=1000",
        "/reviewbot review.model=x",
        "/reviewbot why claude",
        "/reviewbot:review",
        "reviewbot review",
        "//reviewbot review",
        "please /reviewbot review",
        "> /reviewbot review",
        "- /reviewbot review",
        "`/reviewbot review`",
        "```\n/reviewbot review\n```",
        "    /reviewbot review",
        "\t/reviewbot review",
        "\n/reviewbot review",
        "<!-- -->\n/reviewbot review",
        "/reviewbot\nreview",
        "/reviewbot review\u200b",
        "\u200b/reviewbot review",
        "\ufeff/reviewbot review",
        "/reviewbot re\u200bview",
        "/reviewbot\u00a0review",
        "/reviewbot\u2028review",
        "/reviewbot review\x00",
        "/reviewbot review\rclaude",
        "/reviewbot d\u0131smiss",
        "/reviewbot di\u017fmiss",
        "/reviewbot review" + " " * 200,
        "/reviewbot " + "\t " * 30_000 + "review",
    ],
)
def test_what_only_resembles_a_command_is_none(text: str):
    assert read_command(text) is None


_PIECES = (
    *(word for command in Command for word in command.split()),
    *(
        CALL,
        f"{CALL} ",
        f"{CALL} review",
        "/ReviewBot ",
        " ",
        " ",
        "  ",
        "    ",
        "\t",
        "\n",
        "\r\n",
    ),
    *(">", "`", "```\n", "--config", "=", "\u200b", "\xa0", "\u212a", "\u017f", "\x0b", "\x00"),
)
_WEIGHTS = [8 if piece.startswith(CALL) or piece == " " else 1 for piece in _PIECES]


def test_a_generated_comment_is_a_command_only_where_its_first_line_is_one():
    dice = random.Random(7)
    comments = [
        "".join(dice.choices(_PIECES, _WEIGHTS, k=dice.randint(1, 5))) for _ in range(10_000)
    ]
    found = [read_command(text) for text in comments]
    assert found == [_meant(text) for text in comments]
    assert set(found) == {*Command, None}


@settings(deadline=None)
@given(st.text(max_size=60))
def test_any_text_is_a_command_only_where_its_first_line_is_one(text: str):
    for comment in (text, f"{CALL} {text}", f"{CALL} review{text}", f"{text}{CALL} review"):
        assert read_command(comment) == _meant(comment)


def _meant(text: str) -> Command | None:
    """The same, in other words: split into words, no pattern."""
    line = text.split("\n")[0].removesuffix("\r")
    if not line.isascii() or line.startswith(("\t", " \t", "  \t", "   \t", "    ")):
        return None
    words = [word for word in line.lower().replace("\t", " ").split(" ") if word]
    return next((c for c in Command if words == [CALL, *c.split()]), None)


def test_help_names_every_command_and_is_none_itself():
    text = help_text()
    assert set(ABOUT) == set(Command)
    assert all(f"| `/reviewbot {command}` |" in text for command in Command)
    assert read_command(text) is None


def test_only_reviews_ask_for_a_review_and_a_tier():
    asked = {command: command.tier for command in Command if command.asks_review}
    assert asked == {
        Command.REVIEW: None,
        Command.REVIEW_CLAUDE: "claude",
        Command.REVIEW_LOCAL: "local",
    }
    assert all(command.tier is None for command in Command if not command.asks_review)
