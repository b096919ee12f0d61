"""What a model wrote can't act once it is shown as Markdown."""

import re

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from reviewbot.publishing.markdown import (
    fenced_code,
    inline_code,
    safe_line,
    safe_markdown,
    table_cell,
)

READER = MarkdownIt("gfm-like", {"html": True, "linkify": False}).disable("linkify")
#: What GitHub turns into links, mentions and references in text outside code.
LIVE = re.compile(r"@\w|#\d|\w://\w|www\.\w|(?<![a-z])gh-\d", re.IGNORECASE)
JOINED = (
    "@octocat @o/team closes #1|GH-1|o/r#1|http://e.com/a|www.e.com|a@e.com|<http://e.com>|`|``|```"
    "|~~~|\n|\n\n| |    |\t|*|**|_|[a]|(|](http://e.com)|![|[|]|<!--|-->|<img src=x>|<b>|&#64;|&lt;"
    "|\\|\\@|- |1. |> |\n---\n|:-:|/approve|\r|\r\n|\u202e|\x1b[31m|$|$$|word|suggestion|mermaid"
    "|[x]: http://e.com|@|#|~|=|+|mailto:|'|\"|)"
)
FRAGMENTS = [*JOINED.split("|"), "|", "|-|"]
texts = st.one_of(
    st.lists(st.sampled_from(FRAGMENTS), max_size=30).map("".join), st.text(max_size=60)
)


def inert(tokens: list[Token]) -> bool:
    """No image, link, HTML, heading or table, and nothing live in text."""
    for token in tokens:
        if token.type in ("html_block", "heading_open", "table_open", "hr"):
            return False
        if token.type == "fence" and token.info.split()[:1] in (["suggestion"], ["mermaid"]):
            return False
        for child in token.children or []:
            if child.type in ("image", "link_open", "html_inline"):
                return False
            if child.type == "text" and LIVE.search(child.content):
                return False
    return True


@settings(max_examples=400, deadline=None)
@given(texts)
@example("@<!-- -->octocat")
@example("/approve@octocat")
@example("`a\\`@octocat`")
@example("x#1@octocat")
@example("a\n:-:\n@b")
def test_no_text_of_a_model_acts(text: str) -> None:
    shown = safe_markdown(text)

    assert inert(READER.parse(shown)), shown
    assert not any(line.startswith("/") for line in shown.split("\n"))


@settings(max_examples=200, deadline=None)
@given(texts)
def test_a_table_cell_stays_one_cell(text: str) -> None:
    row = f"| {table_cell(safe_line(text))} | {table_cell(inline_code(text))} |"

    tokens = READER.parse(f"| a | b |\n|---|---|\n{row}\n")

    cells = [token for token in tokens if token.type == "inline"]
    assert len(cells) == 4, row
    assert inert(cells), row
    assert {child.type for child in cells[3].children or []} <= {"code_inline"}, row


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("ping @octocat, closes #12", "ping `@octocat`, closes `#12`"),
        ("see [the docs](https://e.com/a_(b) 'x').", "see the docs."),
        ("![graph](http://e.com/?d=secret)", "graph"),
        ("at https://e.com/x?d=1.", "at `https://e.com/x?d=1`."),
        ("/approve this", "`/approve` this"),
        ("use <b>x</b> & y", "use &lt;b&gt;x&lt;/b&gt; & y"),
        ("a <!-- hidden --> b", "a  b"),
        ("a\u202eb", "a&lt;U+202E&gt;b"),
        ("**bold `x`** and 2**n, 3**m", "**bold `x`** and 2\\*\\*n, 3\\*\\*m"),
        ("__init__ of snake_case", "\\_\\_init\\_\\_ of snake_case"),
        ("callbacks[i](event) and List<int>", "callbacks\\[i\\](event) and List&lt;int&gt;"),
        ("# Loud", "**Loud**"),
        ("costs $5", "costs $5"),
        ("$x$ is math", "&#36;x&#36; is math"),
        ("1) one\n2) two", "1. one\n2. two"),
        ("- a\n  - b", "- a\n    - b"),
        ("> [!NOTE]\n> x", "> \\[!NOTE\\] x"),
        ("line one\nline two", "line one line two"),
        ("````\n```\n````", "````\n```\n````"),
        ("```suggestion\nevil()\n```", "```\nevil()\n```"),
        ("```py\nopen", "```py\nopen\n```"),
        ("", ""),
    ],
)
def test_what_is_harmless_is_kept(written: str, shown: str) -> None:
    assert safe_markdown(written) == shown


def test_a_command_in_a_fence_does_not_start_its_line() -> None:
    shown = fenced_code("/merge\nx", "sh")

    assert shown == " ```sh\n /merge\n x\n ```"
    assert READER.parse(shown)[0].content == "/merge\nx\n"


def test_a_long_hostile_text_takes_no_long_time() -> None:
    # each of these is quadratic or worse for a careless pattern; 200 000 characters would never end
    for part in (
        "`",
        "``a",
        "[",
        "![a](",
        "**a ",
        "<!--",
        "@",
        "a@",
        "a.",
        "http:",
        "_",
        "|",
        "> ",
    ):
        assert inert(READER.parse(safe_markdown(part * 500)))
