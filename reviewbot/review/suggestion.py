"""Whether a suggested replacement applies cleanly to the file's text."""

import ast
import textwrap

from reviewbot.change.model import FileChange, Side
from reviewbot.review.answer import Remark


def fenced(code: str) -> str:
    """Code in a Markdown fence that nothing inside can close."""
    fence = "```"
    while fence in code:
        fence += "`"
    return f"{fence}\n{code}\n{fence}"


def checked_suggestion(
    remark: Remark, file: FileChange, place: tuple[Side, int, int], source: str | None
) -> tuple[str | None, str]:
    """(the suggestion, or None; prose to add to the body where it is not one).

    A suggestion holds only if it replaces whole lines of the new file that all stand in one hunk,
    as many as the remark names, changes them, and leaves Python that parsed before parsing.
    Indentation that a model dropped evenly is given back.
    """
    if not remark.suggestion or not remark.suggestion.strip():
        return None, ""
    side, first, last = place
    code = remark.suggestion.strip("\n").replace("\r\n", "\n")
    prose = "\n\nSuggested code:\n\n" + fenced(code)
    if side == "LEFT":
        return None, prose
    lines = [file.by_number.get(("RIGHT", number)) for number in range(first, last + 1)]
    if (
        any(line is None for line in lines)
        or (remark.end_line or remark.line) - remark.line != last - first
    ):
        return None, prose
    old = [line[1].text.rstrip("\r") for line in lines if line is not None]
    code = _indented_like(old, code)
    if code.split("\n") == old:
        return None, ""
    if source is not None and not _applies(
        source, first, last, old, code, python=file.language == "python"
    ):
        return None, prose
    return code, ""


def _indented_like(old: list[str], code: str) -> str:
    """Models drop the common indentation: give it back where all of the code lacks it."""
    wanted = old[0][: len(old[0]) - len(old[0].lstrip(" \t"))]
    if not wanted or code.startswith(wanted):
        return code
    dedented = textwrap.dedent(code)
    if dedented != code and not code.startswith(tuple(" \t")):
        return code
    return textwrap.indent(dedented, wanted)


def _applies(
    source: str, first: int, last: int, old: list[str], code: str, *, python: bool
) -> bool:
    lines = [line.rstrip("\r") for line in source.split("\n")]
    if lines[first - 1 : last] != old:
        return False
    if not python or not _parses("\n".join(lines)):
        return True
    return _parses("\n".join([*lines[: first - 1], code, *lines[last:]]))


def _parses(text: str) -> bool:
    try:
        ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True
