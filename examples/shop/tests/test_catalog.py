from shop import catalog
from shop.catalog import Product, all_products


def test_products_are_found_by_a_part_of_their_name(monkeypatch):
    monkeypatch.setattr(catalog, "CATALOG", [Product("Tea pot", 2500), Product("Cup", 500)])

    assert all_products("POT") == [Product("Tea pot", 2500)]
