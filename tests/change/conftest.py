"""A real git repository for each test that asks for one."""

from pathlib import Path

import pytest
from git_repository import Repository


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository(tmp_path / "work")


@pytest.fixture
def library(tmp_path: Path) -> Repository:
    """Another one beside it, at `../library`."""
    return Repository(tmp_path / "library")
