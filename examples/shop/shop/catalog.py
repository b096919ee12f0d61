"""What is for sale."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Product:
    """One thing for sale; its price in cents."""

    name: str
    price: int


CATALOG: list[Product] = []


def all_products(wanted: str = "") -> list[Product]:
    """The products whose name has `wanted` in it, by name."""
    found = [product for product in CATALOG if wanted.lower() in product.name.lower()]
    return sorted(found, key=lambda product: product.name)
