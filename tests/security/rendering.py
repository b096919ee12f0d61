"""Which parts of a text act once GitHub shows it as Markdown."""

import re
from collections.abc import Iterator

from markdown_it import MarkdownIt
from markdown_it.token import Token

_READER = MarkdownIt("gfm-like", {"html": True, "linkify": False}).disable("linkify")
#: What GitHub itself makes of text outside code: addresses, mentions, references.
_LIVE = re.compile(
    r"@[a-z0-9]|#\d|\w://\w|www\.\w|(?<![a-z])gh-\d|(?:mailto|xmpp):\S", re.ASCII | re.IGNORECASE
)
#: The only HTML that is ours.
_OUR_HTML = re.compile(
    r"(?:<!-- reviewbot:v1 [\w:. =+/-]*-->|</?details>|<summary>[^<>]*</summary>|\s)*"
)
#: What a runner of GitHub Actions takes for a command where it stands in a log.
_FOR_RUNNERS = re.compile(r"\s*::")
_FENCES = ("mermaid", "math", "geojson", "topojson", "stl")


def acts(markdown: str) -> list[str]:
    """Images, links, foreign HTML, mentions, references, lines that are commands elsewhere."""
    lines = markdown.split("\n")
    found = [line for line in lines if line.startswith("/")]
    found += re.findall(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", markdown)
    for token in _READER.parse(markdown):
        found += _block(token)
        if token.type == "inline" and token.map:
            found += [line for line in lines[slice(*token.map)] if _FOR_RUNNERS.match(line)]
        for child in token.children or []:
            found += _inline(child)
    return found


def _block(token: Token) -> Iterator[str]:
    if token.type == "html_block" and not _OUR_HTML.fullmatch(token.content):
        yield token.content
    if token.type == "fence" and token.info.split()[:1] and token.info.split()[0] in _FENCES:
        yield token.info


def _inline(token: Token) -> Iterator[str]:
    if token.type == "html_inline" and not _OUR_HTML.fullmatch(token.content):
        yield token.content
    if token.type in ("image", "link_open"):
        yield f"{token.type} {token.attrs}"
    if token.type == "text" and (live := _LIVE.search(token.content)):
        yield live[0]
