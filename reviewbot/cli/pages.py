"""Pages of figures, written in the format that was asked for."""

import sys
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from reviewbot.reporting.page import Page

#: How each kind of line looks in a terminal.
_STYLES = {
    "plain": "",
    "title": "bold underline",
    "heading": "bold",
    "strong": "bold",
    "faint": "dim",
    "bar": "cyan",
}


def show_page(page: "Page", format_: str) -> None:
    """Print a page as `text`, `markdown` or `html`; text has styles in a terminal."""
    from reviewbot.reporting.page_html import page_html
    from reviewbot.reporting.page_text import page_lines, page_markdown, page_text

    if format_ == "text" and sys.stdout.isatty():
        # takes a while to import, and a pipe has no need of it
        from rich.text import Text

        from reviewbot.cli.terminal import stdout_console

        console = stdout_console()
        for line in page_lines(page):
            console.print(Text(line.text, _STYLES[line.style]), soft_wrap=True)
        return
    writers = {"text": page_text, "markdown": page_markdown, "html": page_html}
    click.echo(writers[format_](page).rstrip("\n"))
