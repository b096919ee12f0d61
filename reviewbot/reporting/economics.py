"""When hardware of one's own is worth its money: the same arithmetic for stated figures and for
replayed ones. Amounts are USD a month unless a name says otherwise."""

from decimal import Decimal
from typing import NamedTuple

from reviewbot.publishing.figures import usd

#: What takes a hundred years is never.
NEVER_MONTHS = 1_200


class Hardware(NamedTuple):
    """What a machine costs."""

    usd: Decimal
    """Once."""
    months: int | None
    """Over which it is written off; None: only its price counts."""
    power_usd: Decimal
    """Its power, a month at the load in question."""

    @property
    def amortisation_usd(self) -> Decimal:
        return self.usd / self.months if self.months else Decimal(0)

    @property
    def worth_from_usd(self) -> Decimal:
        """What it must save a month to have paid for itself when it is written off."""
        return self.amortisation_usd + self.power_usd


def break_even_months(hardware: Hardware, saved_usd: Decimal) -> Decimal | None:
    """Months until `saved_usd` a month, less the power, add up to the hardware's price.

    None: never.
    """
    gained = saved_usd - hardware.power_usd
    return hardware.usd / gained if gained > 0 else None


def break_even_words(hardware: Hardware, saved_usd: Decimal, against: str) -> str:
    """Whether and when it pays, in a sentence."""
    months = break_even_months(hardware, saved_usd)
    price = usd(hardware.usd)
    if months is None or months > NEVER_MONTHS:
        return (
            f"Against {against} the {price} of hardware never pay for themselves: they replace "
            f"{usd(max(saved_usd, Decimal(0)))} a month, and power alone is {usd(hardware.power_usd)}."
        )
    span = "1 month" if round(months, 1) == 1 else f"{months:,.1f} months"
    late = hardware.months is not None and months > hardware.months
    after = f", after the {hardware.months} months over which they are written off" if late else ""
    return f"Against {against} the {price} of hardware pay for themselves in {span}{after}."


def worth_words(hardware: Hardware) -> str:
    """The threshold, in a sentence."""
    return (
        f"Hardware that replaces less than {usd(hardware.worth_from_usd)} of paid calls a month does "
        f"not pay for itself within its {hardware.months} months "
        f"({usd(hardware.amortisation_usd)} written off + {usd(hardware.power_usd)} of power a month)."
    )
