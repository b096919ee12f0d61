"""CSV that a spreadsheet only shows, whatever its texts hold."""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal

from reviewbot.costs.money import decimal_text
from reviewbot.privacy.invisible import escape_invisible

#: What makes a spreadsheet take a text for a formula; the wide forms are read as the narrow ones.
_FORMULA = frozenset("=+-@＝＋－＠\t\r\n")

Value = str | int | float | bool | Decimal | None


def csv_lines(rows: Iterable[Sequence[Value]]) -> Iterator[str]:
    """One line for each row, with its end; a row at a time."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    for row in rows:
        writer.writerow([cell_text(value) for value in row])
        yield buffer.getvalue()
        buffer.seek(0)
        buffer.truncate()


def cell_text(value: Value) -> str:
    """A value as it stands in a cell: numbers plain, `true` and `false`, nothing for None, and text
    that can't act: an apostrophe stands before what would be a formula, and invisible characters
    are written out."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return decimal_text(value)
    if not isinstance(value, str):
        return str(value)
    text = value if value.isascii() and value.isprintable() else escape_invisible(value)
    acts = value[:1] in _FORMULA or value.lstrip()[:1] in _FORMULA
    return f"'{text}" if value and acts else text
