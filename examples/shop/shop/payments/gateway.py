"""What refunds need of a payment provider."""

from typing import Protocol


class Gateway(Protocol):
    """Pays money back to where it came from."""

    def refund(self, charge_id: str, amount: int, idempotency_key: str) -> str:
        """Pay `amount` cents of a charge back; the provider's id of the refund."""
        ...
