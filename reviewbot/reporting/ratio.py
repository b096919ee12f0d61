"""A part of a whole, which is never shown without both."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from reviewbot.costs.money import decimal_text


@dataclass(frozen=True)
class Ratio:
    """`part` of `whole`, counted or in USD."""

    part: int | Decimal = 0
    whole: int | Decimal = 0

    @property
    def value(self) -> Decimal | None:
        """None where the whole is nothing."""
        return Decimal(self.part) / Decimal(self.whole) if self.whole else None

    @property
    def percent(self) -> str:
        """`31 %`, `0.4 %`; a dash where the whole is nothing."""
        if self.value is None:
            return "–"
        percent = self.value * 100
        places = 0 if not percent or percent >= 10 else max(1, -percent.adjusted())
        return f"{percent:,.{places}f} %"

    @property
    def text(self) -> str:
        """`31 of 100 (31 %)`: counts only."""
        return f"{self.part:,} of {self.whole:,} ({self.percent})" if self.whole else "0 of 0"

    def of(self, what: str) -> str:
        """`31 of 100 reviews (31 %)`: counts only."""
        return f"{self.part:,} of {self.whole:,} {what} ({self.percent})"

    def to_json(self, window: str) -> dict[str, Any]:
        """With the time that it is over; counts are numbers, USD are decimal strings."""
        value = self.value
        return {
            "part": _plain(self.part),
            "of": _plain(self.whole),
            "value": None if value is None else round(float(value), 6),
            "window": window,
        }


def _plain(number: int | Decimal) -> int | str:
    return decimal_text(number) if isinstance(number, Decimal) else number
