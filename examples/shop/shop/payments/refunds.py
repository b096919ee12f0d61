"""Refunds: never more than was paid, to the cent."""

from shop.payments.gateway import Gateway
from shop.payments.orders import Line, Order


class RefundError(Exception):
    """A refund that must not be made."""


def refund_line(order: Order, line: Line, gateway: Gateway) -> int:
    """Pay back what the customer paid for one line; the amount in cents."""
    if line in order.returned:
        raise RefundError(f"{line.product} was returned before")
    amount = _share(order, line)
    _refund(order, amount, gateway)
    order.returned.append(line)
    return amount


def _share(order: Order, line: Line) -> int:
    """What was paid for a line of a discounted order. The last line takes the odd cents."""
    if len(order.returned) == len(order.lines) - 1:
        return order.paid_cents - order.refunded_cents
    return line.total_cents * order.paid_cents // order.total_cents


def _refund(order: Order, amount: int, gateway: Gateway) -> None:
    left = order.paid_cents - order.refunded_cents
    if not 0 < amount <= left:
        raise RefundError(f"{amount} cents can't be refunded: {left} are left of what was paid")
    gateway.refund(order.charge_id, amount, idempotency_key=f"{order.id}:{order.refunded_cents}")
    order.refunded_cents += amount
