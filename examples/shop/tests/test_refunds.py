import pytest
from shop.payments.orders import Line, Order
from shop.payments.refunds import RefundError, refund_line


class Paid:
    """A gateway that remembers what it paid."""

    def __init__(self) -> None:
        self.amounts: list[int] = []

    def refund(self, charge_id: str, amount: int, idempotency_key: str) -> str:
        self.amounts.append(amount)
        return f"refund-{len(self.amounts)}"


def test_refunds_of_a_discounted_order_add_up_to_what_was_paid():
    lines = (Line("cup", 500), Line("pot", 500), Line("tea", 500))
    order, gateway = Order("o1", "ch1", lines, paid_cents=1000), Paid()

    for line in lines:
        refund_line(order, line, gateway)

    assert gateway.amounts == [333, 333, 334]


def test_a_line_is_refunded_once():
    line = Line("cup", 500)
    order, gateway = Order("o1", "ch1", (line, Line("pot", 500)), paid_cents=1000), Paid()
    refund_line(order, line, gateway)

    with pytest.raises(RefundError):
        refund_line(order, line, gateway)
