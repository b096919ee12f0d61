"""The examples are true: the changes apply, are routed as said, and the answers can be proved."""

import importlib
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from reviewbot.change.source import Fetched
from reviewbot.config.policy import Policy
from reviewbot.git.ranges import read_range
from reviewbot.review.anchor import Anchors
from reviewbot.review.answer import parse_answer
from reviewbot.routing.router import decide
from reviewbot.routing.rules import shipped_rules

ROUTES = {
    "01-remember-me": ("claude", "auth"),
    "02-refund-rounding": ("claude", "payments"),
    "03-public-order-number": ("claude", "migrations"),
    "04-catalogue-pages": ("local", ""),
    "05-docs-typo": ("local", ""),
}
#: Change → a program that shows its flaw, and what it prints.
FLAWS = {
    "02-refund-rounding": (
        "from shop.payments.orders import *; from shop.payments.refunds import *\n"
        "class Paid: refund = lambda *given, **named: ''\n"
        "lines = tuple(Line(name, 500) for name in 'abc')\n"
        "order = Order('o', 'c', lines, paid_cents=1001)\n"
        "print(sum(refund_line(order, line, Paid()) for line in lines))",
        "1002",
    ),
    "04-catalogue-pages": (
        "from shop import catalog\n"
        "catalog.CATALOG += [catalog.Product('cup', 500) for _ in range(24)]\n"
        "print(len(catalog.page_of_products('', 1).products), catalog.page_of_products('', 1).pages)",
        "0 2",
    ),
}


@pytest.fixture(scope="module")
def demo_shop(examples: Path) -> ModuleType:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(examples))
        return importlib.import_module("demo_shop")


@pytest.fixture(scope="module")
def shop(demo_shop: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The repository of the demonstration."""
    shop = tmp_path_factory.mktemp("demo") / "shop"
    assert [branch.name for branch in demo_shop.make_repository(shop)] == list(ROUTES)
    return shop


@pytest.fixture
def fetched(shop: Path, name: str) -> Fetched:
    return read_range(shop, f"main...{name}")


@pytest.mark.parametrize("name", ROUTES)
def test_each_change_goes_where_it_should(fetched: Fetched, name: str) -> None:
    route = decide(fetched.change, shipped_rules(), Policy(), local_context_tokens=16_384)

    assert (route.tier, ",".join(route.areas)) == ROUTES[name]


@pytest.mark.parametrize("name", ROUTES)
def test_each_answer_stands_where_it_says(fetched: Fetched, examples: Path, name: str) -> None:
    answer = parse_answer((examples / "answers" / f"{name}.json").read_text("utf-8"))

    assert answer.whole
    assert answer.problems == ()
    for remark in answer.remarks:
        finding = Anchors(fetched.change, fetched.sources.head).anchor(remark, engine="claude")
        assert finding.unanchored_reason == ""
        assert (finding.path, finding.line) == (remark.path, remark.line)
        assert finding.quote == remark.quote
        assert finding.suggestion == remark.suggestion


@pytest.mark.parametrize("name", FLAWS)
def test_a_flaw_is_there(shop: Path, tmp_path: Path, name: str) -> None:
    program, printed = FLAWS[name]
    tree = tmp_path / name
    subprocess.run(["git", "clone", "--quiet", "--branch", name, str(shop), str(tree)], check=True)

    run = subprocess.run(
        [sys.executable, "-c", program], cwd=tree, capture_output=True, text=True, check=True
    )

    assert run.stdout.strip() == printed


def test_the_shop_passes_its_own_tests(shop: Path) -> None:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    environment = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}

    run = subprocess.run(
        command, cwd=shop, env=environment, capture_output=True, text=True, check=False
    )

    assert run.returncode == 0, run.stdout
