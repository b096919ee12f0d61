"""Untrusted text, wrapped and laid out for a terminal.

Everything goes through `clean` and into rich's `Text`, which reads no markup: no escape sequence
and no `[red]` of a diff or a model reaches the terminal.
"""

import re
from collections.abc import Sequence

from rich.console import Console
from rich.text import Text

from reviewbot.privacy.invisible import escape_invisible
from reviewbot.publishing.prose import Block, blocks, pieces

#: Where a backslash goes: a runner of GitHub Actions takes lines of its log that start with `::`, or
#: hold `##[`, for commands.
_FOR_RUNNERS = re.compile(r"^\s*(?=::)|##(?=\[)")
#: Widest line of prose, columns: longer ones are hard to read.
WIDEST = 110


def clean(text: str) -> str:
    """One line without control or invisible characters."""
    return " ".join(escape_invisible(text).split())


def code_text(text: str) -> str:
    """One line of code: its spaces stay."""
    return escape_invisible(text.rstrip("\r").expandtabs(4)).replace("\n", " ").replace("\r", " ")


class Page:
    """Writes lines of at most the console's width, without spaces at their end."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self.width = min(console.width, WIDEST)

    def blank(self) -> None:
        self._console.print()

    def heading(self, name: str, rest: str = "") -> None:
        """A part's name, after an empty line."""
        self.blank()
        self.put(
            Text.assemble((name, "bold underline"), (f"  {clean(rest)}" if rest else "", "bold"))
        )

    def put(self, text: Text | str, *, indent: int = 0, hang: int = 0, style: str = "") -> None:
        """Text wrapped between words; lines after the first are `hang` columns further in."""
        whole = Text(clean(text), style) if isinstance(text, str) else text
        lines = whole.wrap(self._console, max(self.width - indent - hang, 16))
        for number, line in enumerate(lines):
            self._line(line, indent + (hang if number else 0))

    def code(self, text: Text, *, indent: int) -> None:
        """One line of code, cut at the width."""
        text.truncate(max(self.width - indent, 16), overflow="ellipsis")
        self._line(text, indent)

    def prose(self, markdown: str, *, indent: int) -> None:
        """A model's Markdown."""
        previous: Block | None = None
        for block in blocks(markdown):
            if previous is not None and not previous.kind == block.kind == "item":
                self.blank()
            self._block(block, indent)
            previous = block

    def table(self, rows: Sequence[Sequence[Text | str]], *, right: Sequence[int] = ()) -> None:
        """Rows of cells, each column as wide as it needs; the widest give way where the line is
        too short. Columns in `right` are flush right."""
        cells = [[Text(clean(c)) if isinstance(c, str) else c for c in row] for row in rows]
        if not cells:
            return
        widths = [max(row[i].cell_len for row in cells) for i in range(len(cells[0]))]
        while sum(widths) > max(self.width - 2 * len(widths), 8 * len(widths)):
            widths[widths.index(max(widths))] -= 1
        for row in cells:
            wrapped = [
                list(cell.wrap(self._console, width))
                for cell, width in zip(row, widths, strict=True)
            ]
            for number in range(max(map(len, wrapped))):
                self._row(
                    [lines[number] if number < len(lines) else Text() for lines in wrapped],
                    widths,
                    right,
                )

    def _row(self, cells: Sequence[Text], widths: Sequence[int], right: Sequence[int]) -> None:
        line = Text()
        for index, (cell, width) in enumerate(zip(cells, widths, strict=True)):
            cell.rstrip()
            space = " " * max(width - cell.cell_len, 0)
            line.append_text(Text(space) + cell if index in right else cell + Text(space))
            line.append("  ")
        self._line(line, 2)

    def _block(self, block: Block, indent: int) -> None:
        if block.kind == "code":
            for line in block.text.split("\n"):
                self.code(Text(code_text(line), "dim"), indent=indent + 4)
            return
        text = Text(style="bold" if block.kind == "heading" else "")
        if block.kind == "item":
            text.append(f"{block.marker} ")
            self.put(
                text.append_text(_prose(block)),
                indent=indent + 2 * block.depth,
                hang=len(block.marker) + 1,
            )
        elif block.kind == "quote":
            self.put(text.append("> ").append_text(_prose(block)), indent=indent, hang=2)
        else:
            self.put(text.append_text(_prose(block)), indent=indent)

    def _line(self, line: Text, indent: int) -> None:
        whole = Text(" " * indent).append_text(line)
        for found in reversed(list(_FOR_RUNNERS.finditer(whole.plain))):
            whole = Text.assemble(whole[: found.end()], "\\", whole[found.end() :])
        whole.rstrip()
        self._console.print(whole, no_wrap=True, overflow="ignore", crop=False, highlight=False)


def _prose(block: Block) -> Text:
    """Code keeps its backticks: without colour it must be told from words."""
    text = Text()
    for piece in pieces(block.text):
        strong = "bold" if piece.strong else ""
        text.append(
            f"`{piece.text}`" if piece.code else piece.text, "cyan" if piece.code else strong
        )
    return text
