"""USD as exact decimals: how they are rounded and written."""

from decimal import ROUND_CEILING, ROUND_HALF_EVEN, Decimal

#: A trillionth of a dollar. A token count times a price of up to six decimals per million tokens
#: is exact in it; only local costs, which are divisions, are rounded to it.
SMALLEST = Decimal("1e-12")


def exact(usd: Decimal) -> Decimal:
    """`usd` to 12 decimals, half to even."""
    return usd.quantize(SMALLEST, rounding=ROUND_HALF_EVEN)


def at_least(usd: Decimal) -> Decimal:
    """`usd` to 12 decimals, never less: for bounds."""
    return usd.quantize(SMALLEST, rounding=ROUND_CEILING)


def decimal_text(value: Decimal) -> str:
    """Plain digits without exponent and without zeros at the end: `0.0125`, `4`, `0`."""
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text
