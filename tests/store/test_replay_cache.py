"""Replayed changes kept on disk."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from reviewbot.errors import StoreError
from reviewbot.reporting.replay import Prompts, Replayed, Strategy
from reviewbot.routing.model import Tier
from reviewbot.store.replays import ReplayCache


@pytest.fixture
def replayed() -> Replayed:
    at = datetime(2030, 1, 1, tzinfo=UTC)
    prompts = {Strategy.FILE: {"claude": Prompts(1, 5_000), "local": Prompts(2, 9_000)}}
    return Replayed("c0ffee", at, Tier.CLAUDE, ("auth",), False, prompts)  # type: ignore[arg-type]


def test_what_is_kept_comes_back_under_the_same_inputs_only(
    tmp_path: Path, replayed: Replayed
) -> None:
    ReplayCache(tmp_path / "new", "key").add([replayed])

    assert ReplayCache(tmp_path / "new", "key").load() == {"c0ffee": replayed}
    assert ReplayCache(tmp_path / "new", "other").load() == {}


def test_a_broken_line_loses_only_itself(tmp_path: Path, replayed: Replayed) -> None:
    cache = ReplayCache(tmp_path, "key")
    cache.add([replayed])
    with (tmp_path / "key.jsonl").open("ab") as file:
        file.write(b'{"sha": "1"}\n[]\n\xff\xfe\n{"sha": "2", "at"')
    cache.add([replayed])

    assert cache.load() == {"c0ffee": replayed}


def test_a_folder_that_cannot_be_used_is_an_error(tmp_path: Path, replayed: Replayed) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "key.jsonl").mkdir()

    with pytest.raises(StoreError, match="cannot write"):
        ReplayCache(tmp_path / "file", "key").add([replayed])
    with pytest.raises(StoreError, match="cannot read"):
        ReplayCache(tmp_path, "key").load()
