"""Pulling a model from a loopback hub: whole or not at all, whatever happens on the way."""

import hashlib
import json
import os
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from threading import Event, Thread
from types import SimpleNamespace

import pytest
from model_hub import COMMIT, Hub, running_hub
from tiny_gguf import write_model

from reviewbot.engines.llama.models import CATALOGUE
from reviewbot.engines.llama.pull import pull
from reviewbot.engines.llama.seal import read_seal, verified
from reviewbot.errors import EngineError

pytest.importorskip("huggingface_hub", reason="extra `llama`")

MODEL = replace(CATALOGUE[0], file="tiny.gguf")


@pytest.fixture(scope="module")
def content(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return write_model(tmp_path_factory.mktemp("hub") / "tiny.gguf").read_bytes()


@pytest.fixture
def hub(content: bytes, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """A hub with one model; its client reads in small steps and never sleeps."""
    from huggingface_hub.utils import close_session

    monkeypatch.setattr("huggingface_hub.constants.DOWNLOAD_CHUNK_SIZE", 16_384)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_DISABLE_TELEMETRY", False)
    quick = SimpleNamespace(sleep=lambda _: None)
    monkeypatch.setattr("huggingface_hub.file_download.time", quick)
    with running_hub() as hub:
        hub.files[f"{MODEL.repository}/{MODEL.file}"] = content
        monkeypatch.setenv("HF_ENDPOINT", hub.root)
        monkeypatch.setenv("HF_TOKEN", "hf_canary")
        yield hub
        close_session()
    assert hub.problems == []


@pytest.fixture
def models(tmp_path: Path) -> Path:
    return tmp_path / "models"


def watch(*_: object) -> None:
    """Nobody looks."""


def test_a_model_arrives_whole_and_sealed(hub: Hub, models: Path, content: bytes) -> None:
    from huggingface_hub import constants

    steps: list[tuple[str, int, int]] = []

    path = pull(MODEL, models, lambda *step: steps.append(step))

    assert path == models / "tiny.gguf"
    assert path.read_bytes() == content
    seal = json.loads((models / "tiny.gguf.json").read_text())
    assert seal["sha256"] == hashlib.sha256(content).hexdigest()
    assert (seal["size"], seal["mtime_ns"]) == (len(content), path.stat().st_mtime_ns)
    assert seal["source"] == f"{hub.root}/{MODEL.repository}@{COMMIT}/tiny.gguf"
    assert seal["pulled_at"].endswith("+00:00")
    assert sorted(os.listdir(models)) == ["tiny.gguf", "tiny.gguf.json"]
    assert {step[0] for step in steps} == {"downloading", "checking"}
    assert max(done for stage, done, _ in steps if stage == "downloading") == len(content)
    assert [method for method, _ in hub.asked] == ["HEAD", "GET"]
    assert set(hub.tokens) == {"Bearer hf_canary"}
    assert constants.HF_HUB_DISABLE_TELEMETRY


def test_a_model_that_is_there_is_not_fetched_again(hub: Hub, models: Path) -> None:
    pull(MODEL, models, watch)
    asked = len(hub.asked)

    pull(MODEL, models, watch)

    assert len(hub.asked) == asked


def test_cut_off_transfers_go_on_where_they_ended(hub: Hub, models: Path, content: bytes) -> None:
    hub.cuts = [100_000, 50_000, 1]

    path = pull(MODEL, models, watch)

    assert path.read_bytes() == content
    assert len(hub.sent) == 4
    assert all(first > 0 for first, _ in hub.sent[1:])
    assert {path.split("/")[4] for method, path in hub.asked if method == "GET"} == {COMMIT}


def test_what_came_is_kept_for_the_next_try(hub: Hub, models: Path, content: bytes) -> None:
    hub.cuts = [200_000, *[0] * 5]

    with pytest.raises(EngineError, match="the same command goes on from there"):
        pull(MODEL, models, watch)
    (part,) = models.iterdir()
    kept = part.stat().st_size
    hub.sent.clear()
    path = pull(MODEL, models, watch)

    assert kept >= 196_608
    assert hub.sent == [(kept, len(content) - kept)]
    assert path.read_bytes() == content


def test_a_storage_without_ranges_starts_anew(hub: Hub, models: Path, content: bytes) -> None:
    hub.cuts, hub.ignore_ranges = [200_000], True

    path = pull(MODEL, models, watch)

    assert path.read_bytes() == content
    assert [first for first, _ in hub.sent] == [0, 0]


def test_wrong_bytes_are_refused_and_deleted(hub: Hub, models: Path, content: bytes) -> None:
    hub.flip = len(content) // 2

    with pytest.raises(EngineError, match="not what the hub announced"):
        pull(MODEL, models, watch)

    assert list(models.iterdir()) == []


def test_a_page_instead_of_a_model_is_refused(hub: Hub, models: Path) -> None:
    hub.files[f"{MODEL.repository}/{MODEL.file}"] = b"<html>sign in</html>" * 500

    with pytest.raises(EngineError, match="is no GGUF file"):
        pull(MODEL, models, watch)

    assert list(models.iterdir()) == []


@pytest.mark.parametrize(
    ("status", "words"),
    [(401, r"\(401\): HF_TOKEN"), (403, r"\(403\)"), (404, r"has no Qwen/.*tiny"), (500, "500")],
)
def test_what_the_hub_refuses_is_said_in_one_line(
    hub: Hub, models: Path, status: int, words: str
) -> None:
    hub.status = status

    with pytest.raises(EngineError, match=words) as caught:
        pull(MODEL, models, watch)

    assert "hf_canary" not in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1
    assert not models.exists()


def test_nobody_there(hub: Hub, models: Path) -> None:
    with pytest.raises(EngineError, match=r"no whole answer of 127\.0\.0\.1:9 \(ConnectError\)"):
        pull(MODEL, models, watch, "http://127.0.0.1:9")


def test_a_hub_that_names_no_sha256_is_not_trusted(hub: Hub, models: Path) -> None:
    hub.announced_etag = "8" * 40  # a git blob's

    with pytest.raises(EngineError, match="names no commit, size or SHA-256"):
        pull(MODEL, models, watch)


def test_too_little_disk_is_said_before_anything_is_fetched(hub: Hub, models: Path) -> None:
    hub.announced_bytes = 10**18

    with pytest.raises(EngineError, match=r"not enough room in .*REVIEWBOT_DATA_DIR"):
        pull(MODEL, models, watch)

    assert hub.sent == []


def test_two_at_once_do_not_write_into_each_other(hub: Hub, models: Path, content: bytes) -> None:
    hub.hold = Event()
    first = Thread(target=pull, args=(MODEL, models, watch))
    first.start()
    assert hub.holding.wait(10)

    with pytest.raises(EngineError, match="by another process"):
        pull(MODEL, models, watch)
    hub.hold.set()
    first.join()

    assert (models / "tiny.gguf").read_bytes() == content


def test_a_file_brought_by_hand_is_taken_if_it_is_the_hubs(
    hub: Hub, models: Path, content: bytes
) -> None:
    models.mkdir()
    (models / "tiny.gguf").write_bytes(content)

    pull(MODEL, models, watch)

    assert hub.sent == []
    assert read_seal(models / "tiny.gguf") is not None
    (models / "tiny.gguf.json").unlink()
    (models / "tiny.gguf").write_bytes(content[:-1] + b"x")
    with pytest.raises(EngineError, match="not the hub's file"):
        pull(MODEL, models, watch)


def test_a_flipped_byte_is_found_when_the_file_was_touched(hub: Hub, models: Path) -> None:
    path = pull(MODEL, models, watch)
    assert verified(path)

    os.utime(path)
    assert verified(path)  # touched, but the same
    assert verified(path, thorough=True)
    raw = bytearray(path.read_bytes())
    raw[-100] ^= 1
    path.write_bytes(raw)

    with pytest.raises(EngineError, match=r"not the file that was pulled"):
        verified(path)
    with pytest.raises(EngineError, match=r"not the file that was pulled"):
        pull(MODEL, models, watch)


def test_a_byte_that_flipped_on_the_disk_is_found_by_a_thorough_look(
    hub: Hub, models: Path
) -> None:
    path = pull(MODEL, models, watch)
    before = path.stat()
    with path.open("r+b") as file:
        file.seek(-100, os.SEEK_END)
        file.write(b"\x00\x01\x02")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))

    with pytest.raises(EngineError, match="SHA-256 differs"):
        verified(path, thorough=True)


def test_a_file_of_ones_own_has_no_seal_and_a_damaged_seal_is_said(tmp_path: Path) -> None:
    own = write_model(tmp_path / "own.gguf")

    assert not verified(own)
    (tmp_path / "own.gguf.json").write_text('{"sha256": 3')
    with pytest.raises(EngineError, match="is damaged"):
        verified(own)
    with pytest.raises(EngineError, match="no model file"):
        verified(tmp_path / "none.gguf")


def test_without_the_hubs_client_one_line_says_what_to_do(
    models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)

    with pytest.raises(EngineError, match=r"pip install 'huggingface-hub>=2.4,<3'"):
        pull(MODEL, models, watch)
