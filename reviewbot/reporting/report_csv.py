"""The monthly report as CSV: one figure a line, made of its JSON form."""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from reviewbot.reporting.spreadsheet import Value, csv_lines

#: Sections that tell what the file is about; each line has that already.
_ABOUT = frozenset({"schema", "window"})
_PRICES = ("input", "output", "cache_read", "cache_write_5m", "cache_write_1h")
COLUMNS = ("section", "name", "figure", "value", "part", "of", "since", "until")


def report_csv(data: Mapping[str, Any]) -> str:
    """`data` is the report's JSON form. A rate has its part and whole beside its value."""
    return "".join(csv_lines([COLUMNS, *_rows(data)]))


def _rows(data: Mapping[str, Any]) -> Iterator[tuple[Value, ...]]:
    window = data["window"]
    for section, value in data.items():
        if section in _ABOUT:
            continue
        own = value.get("window") if isinstance(value, dict) else None
        period = own if isinstance(own, dict) else window
        for name, figure, one in _figures(section, value):
            times = (period["since"], period["until"])
            if isinstance(one, dict):
                part, whole = _number("usd", one["part"]), _number("usd", one["of"])
                yield section, name, figure, one["value"], part, whole, *times
            else:
                yield section, name, figure, _number(figure, one), None, None, *times


def _number(figure: str, value: Value) -> Value:
    """Amounts are strings in JSON, for their exactness; here they are numbers again."""
    exact = isinstance(value, str) and figure.endswith(("usd", "kwh", *_PRICES))
    return Decimal(str(value)) if exact else value


def _figures(section: str, value: Any, name: str = "") -> Iterator[tuple[str, str, Any]]:
    """(name, figure, value) of everything in a section; a value is plain, or a rate."""
    if isinstance(value, dict) and "part" not in value:
        for key, inner in value.items():
            if isinstance(inner, dict) and "part" not in inner:
                yield from _figures(section, inner, key)
            elif key != "name":
                yield name, key, inner
    elif isinstance(value, list):
        for number, item in enumerate(value, 1):
            if isinstance(item, dict):
                yield from _figures(section, item, item["name"])
            else:
                yield str(number), "text", item
    else:
        yield name, section, value
