"""Text that others wrote, as Markdown that can't do anything: for GitHub comments and summaries.

The output is made of a closed set: one-line paragraphs, items, quotes, fences, inline code, bold.
Every other character that Markdown, GitHub or its readers give a meaning to is escaped, so that
the reading in `prose` may err without harm. Mentions, references and addresses stand in backticks:
hosts make nothing of what is in code. No closing keyword, image, link, HTML, slash command or
applicable `suggestion` is left.
"""

import re

from reviewbot.privacy.invisible import escape_invisible
from reviewbot.publishing.prose import Block, Piece, blocks, merged, pieces

_SPECIAL = re.compile(r"[\\`*\[\]<>~|]|&(?=[#\w])|(?<![^\W_])_|_(?![^\W_])")
#: A dollar sign is escaped only where another could close a formula.
_ENTITIES = {"`": "&#96;", "<": "&lt;", ">": "&gt;", "&": "&amp;", "|": "&#124;"}
#: A runner of GitHub Actions takes a line of its log that starts with `::` for a command.
_LINE_START = re.compile(r"^(?:[#+=-]|:(?=:)|\d+(?=[.)]))")
_COMMAND = re.compile(r"^/\S*")
_LANGUAGE = re.compile(r"[A-Za-z0-9][\w.+#-]{0,19}", re.ASCII)
#: Fences that GitHub renders as something else than code.
_EMBEDDED = frozenset({"suggestion", "mermaid", "math", "geojson", "topojson", "stl"})


def safe_markdown(text: str) -> str:
    """A model's Markdown without anything that acts: paragraphs, lists, quotes, bold and code."""
    parts: list[str] = []
    previous: Block | None = None
    for block in blocks(text):
        if previous is not None:
            parts.append("\n" if _same_list(previous, block) else "\n\n")
        parts.append(_block(block))
        previous = block
    return "".join(parts)


def safe_line(text: str) -> str:
    """One line of a model's prose, such as a title: inline code and bold stay."""
    return _line(pieces(" ".join(escape_invisible(text).split())))


def inline_code(text: str) -> str:
    """One line as code, whatever it holds; nothing for an empty text."""
    line = re.sub(r"[\r\n]+", " ", escape_invisible(text))
    if not line:
        return ""
    ticks = "`" * (max((len(run) for run in re.findall("`+", line)), default=0) + 1)
    pad = " " if line[0] in "` " or line[-1] in "` " else ""
    return f"{ticks}{pad}{line}{pad}{ticks}"


def table_cell(markdown: str) -> str:
    """Safe Markdown on one line for a cell of a table. Only code can still hold a pipe; hosts
    disagree on one after a backslash, so the two are kept apart."""
    line = " ".join(markdown.split("\n"))
    return re.sub(r"\\?\|", lambda m: r"\ \|" if len(m[0]) == 2 else r"\|", line)


def fenced_code(code: str, language: str = "") -> str:
    """A block of code that nothing inside can close, and that GitHub shows as code only.

    A line that starts with `/` is moved by a space, which the reader does not see: programs that
    look for commands in comments do not know fences.
    """
    text = escape_invisible(code).replace("\r\n", "\n")
    ticks = "`" * max(3, max((len(run) for run in re.findall("`+", text)), default=0) + 1)
    word = language if _LANGUAGE.fullmatch(language) and language.lower() not in _EMBEDDED else ""
    indent = " " if re.search(r"^/", text, re.MULTILINE) else ""
    return "\n".join(indent + line for line in [ticks + word, *text.split("\n"), ticks])


def _same_list(one: Block, other: Block) -> bool:
    bullets = (one.marker == "-") == (other.marker == "-")
    return one.kind == other.kind == "item" and (bullets or one.depth != other.depth)


def _block(block: Block) -> str:
    if block.kind == "code":
        return fenced_code(block.text, block.language)
    line = pieces(block.text)
    if block.kind == "heading":
        return _line([piece._replace(strong=True) for piece in line])
    if block.kind == "item":
        return f"{'    ' * block.depth}{block.marker} {_line(line)}"
    return ("> " if block.kind == "quote" else "") + _line(line)


def _line(line: list[Piece]) -> str:
    """Pieces as one line of Markdown; its start is neither a block nor a command."""
    if line and not line[0].code and (command := _COMMAND.match(line[0].text)):
        first, rest = line[0], line[0].text[command.end() :]
        after = [first._replace(text=rest)] if rest else []
        line = merged([first._replace(text=command[0], code=True), *after, *line[1:]])
    formula = sum(piece.text.count("$") for piece in line) > 1
    parts: list[str] = []
    strong = False
    for piece in line:
        if piece.strong != strong:
            parts.append("**")
            strong = piece.strong
        if piece.code:
            parts.append(inline_code(piece.text))
        else:
            parts.append(_escaped(piece.text, at_start=not parts, formula=formula))
    return "".join(parts) + ("**" if strong else "")


def _escaped(text: str, *, at_start: bool, formula: bool) -> str:
    safe = _SPECIAL.sub(lambda m: _ENTITIES.get(m[0], "\\" + m[0]), text)
    if formula:
        safe = safe.replace("$", "&#36;")
    if not at_start:
        return safe
    return _LINE_START.sub(lambda m: m[0] + "\\" if m[0].isdigit() else "\\" + m[0], safe)
