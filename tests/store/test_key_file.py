"""A key that is made once and stays."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from reviewbot.errors import StoreError
from reviewbot.store.key_file import kept_key


def test_a_key_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "data" / "marker.key"

    with ThreadPoolExecutor(8) as pool:
        keys = set(pool.map(kept_key, [path] * 32))

    assert len(keys) == 1
    assert len(keys.pop()) == 64
    assert path.stat().st_mode & 0o777 == 0o600
    assert [file.name for file in path.parent.iterdir()] == ["marker.key"]


def test_each_folder_has_its_own(tmp_path: Path) -> None:
    assert kept_key(tmp_path / "a" / "k") != kept_key(tmp_path / "b" / "k")


def test_a_damaged_file_signs_nothing(tmp_path: Path) -> None:
    path = tmp_path / "marker.key"
    path.touch()

    with pytest.raises(StoreError, match=r"marker\.key is damaged: delete it"):
        kept_key(path)


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(StoreError, match=r"can't be used.*REVIEWBOT_MARKER_KEY"):
        kept_key(tmp_path / "file" / "marker.key")
