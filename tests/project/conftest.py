"""The repository itself as a fixture."""

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def root() -> Path:
    """The folder of `pyproject.toml`."""
    return Path(__file__).parents[2]


@pytest.fixture(scope="session")
def examples(root: Path) -> Path:
    """The shop, the changes to it, and the demonstration."""
    return root / "examples"
