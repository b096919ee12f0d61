"""What decides whether a line, or a part of it, stands on both sides of a diff."""

import re

#: What formatters change. No brackets and semicolons: `if (!ok(x)); return` always returns; and of commas
#: only the last of a line.
_FORMATTING = b" \t"
#: One quote is as good as another.
_QUOTES = bytes.maketrans(b"'`", b'""')
#: What stands before code that was commented out, in most languages.
_OUT = re.compile(rb"(?:\A|[\s;{}])(?://|#|--|/\*|<!--|<%#|\{/\*|\{\{--|\{#)|\A\s*\*")
#: What a linter shall pass over, behind the code that it is about. Nothing in it may be a call or
#: end a string, so that no code hides there.
_LINTED = re.compile(
    rb"(?m)(?://|#)[ \t]*(?:@ts-|@phpstan-|biome-|codespell:|eslint-|nolint|noqa|nosec"
    rb"|phpcs:|pragma:|pylint:|rubocop:|type:[ \t]*ignore)[^;(){}\"'`\n]*$"
)


def form(text: bytes) -> bytes:
    """What is left of lines without what formatters change and linters are told."""
    if b"#" in text or b"//" in text:
        text = _LINTED.sub(b"", text)
    return text.translate(_QUOTES, _FORMATTING).replace(b",\n", b"\n").removesuffix(b",")


def commented(side: bytes, text: bytes) -> int:
    """How often `text` stands behind the sign of a comment on this side."""
    count, at = 0, side.find(text)
    while at >= 0:
        count += bool(_OUT.search(side[side.rfind(b"\n", 0, at) + 1 : at]))
        at = side.find(text, at + len(text))
    return count
