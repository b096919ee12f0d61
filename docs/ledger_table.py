"""Writes the table of the ledger's columns in costs.md from the code; `make fmt` runs it."""

from pathlib import Path

from reviewbot.reporting.ledger_table import COLUMNS

DOCUMENT = Path(__file__).parent / "costs.md"
START, END = (
    "<!-- columns of the export, written by docs/ledger_table.py -->",
    "<!-- end of columns -->",
)


def ledger_table() -> str:
    """The table: one row for each column, in their order."""
    rows = ["| Column | Holds |", "|---|---|"]
    rows += [f"| `{name}` | {what} |" for name, what in COLUMNS.items()]
    return "\n".join(rows)


def with_table(document: str) -> str:
    """The document with the table between its two marks. Raises ValueError if one is missing."""
    start, end = document.index(START) + len(START), document.index(END)
    return f"{document[:start]}\n{ledger_table()}\n{document[end:]}"


if __name__ == "__main__":
    DOCUMENT.write_text(with_table(DOCUMENT.read_text(encoding="utf-8")), encoding="utf-8")
