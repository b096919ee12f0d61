"""Orders and what was paid for them."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Line:
    """One product of an order, at its full price; a product has one line at most."""

    product: str
    total_cents: int


@dataclass
class Order:
    """An order. With a voucher `paid_cents` is less than `total_cents`."""

    id: str
    charge_id: str
    lines: tuple[Line, ...]
    paid_cents: int
    refunded_cents: int = 0
    returned: list[Line] = field(default_factory=list)

    @property
    def total_cents(self) -> int:
        return sum(line.total_cents for line in self.lines)
