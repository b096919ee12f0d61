"""Which model a machine runs: the named one, the best downloaded one, or none, and why."""

import os
from pathlib import Path
from typing import Any

import pytest
from tiny_gguf import Shape, write_model

from reviewbot.config.settings import Settings
from reviewbot.engines.llama import choice
from reviewbot.engines.llama.choice import choose_local
from reviewbot.engines.llama.machine import Gpu, Machine
from reviewbot.engines.llama.models import model_of
from reviewbot.engines.llama.seal import Seal, write_seal
from reviewbot.errors import EngineError

GIB = 2**30
CPU = Machine(64 * GIB, 60 * GIB, 16)
CARD = Machine(64 * GIB, 60 * GIB, 16, (Gpu("card", 24 * GIB, 24 * GIB),))


@pytest.fixture(autouse=True)
def _installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choice, "llama_installed", lambda: True)


@pytest.fixture
def models(tmp_path: Path) -> Path:
    folder = tmp_path / "models"
    folder.mkdir()
    return folder


def download(folder: Path, *names: str) -> list[Path]:
    """Small files under the names of the catalogue."""
    shape = Shape(context=32_768)
    return [write_model(folder / model_of(name).file, shape) for name in names]


def settings(models: Path, **given: Any) -> Settings:
    return Settings(data_dir=models.parent, **given)


def test_auto_takes_a_downloaded_model_and_says_how_it_runs(models: Path) -> None:
    (path,) = download(models, "7b")

    chosen = choose_local(settings(models), CPU)

    assert chosen.plan is not None
    assert (chosen.plan.model, chosen.plan.threads) == (path, 16)
    assert chosen.note == (
        "local engine: qwen2.5-coder-7b-instruct-q4_k_m on the CPU, 8,192 tokens, 4 at a time"
    )


@pytest.mark.parametrize(("machine", "name"), [(CPU, "1.5b"), (CARD, "32b")])
def test_of_several_the_largest_that_answers_in_time(
    models: Path, machine: Machine, name: str
) -> None:
    download(models, "0.5b", "1.5b", "32b")

    chosen = choose_local(settings(models), machine)

    assert chosen.plan is not None
    assert chosen.plan.model.name == model_of(name).file


def test_a_server_is_the_second_choice_unless_its_model_is_named(models: Path) -> None:
    server = {"local_url": "http://127.0.0.1:8000/v1"}
    nothing = choose_local(settings(models, **server), CPU)
    download(models, "7b")

    assert nothing.plan is None
    assert "`reviewbot model pull auto`" in nothing.note
    assert choose_local(settings(models, **server), CPU).plan is not None
    for name in ("qwen2.5-coder:7b", "qwen2.5-coder-7b"):
        named = choose_local(settings(models, local_model=name, **server), CPU)
        assert named.plan is None
        assert named.note == f"{name} is a model of http://127.0.0.1:8000/v1"


def test_any_file_may_be_named(models: Path, tmp_path: Path) -> None:
    own = write_model(tmp_path / "Own.GGUF")

    chosen = choose_local(settings(models, local_model=str(own)), CPU)

    assert chosen.plan is not None
    assert chosen.plan.model == own
    assert chosen.plan.context_tokens == 4_096  # all that it was trained for


@pytest.mark.parametrize("engine", ["none", "openai"])
def test_another_engine_is_not_this_one(models: Path, engine: Any) -> None:
    download(models, "7b")

    chosen = choose_local(settings(models, local_engine=engine), CPU)

    assert chosen.plan is None
    assert engine in chosen.note


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({}, r"no model in .*models: `reviewbot model pull auto`"),
        ({"local_model": "7b"}, "not downloaded: `reviewbot model pull qwen2.5-coder-7b`"),
        ({"local_model": "qwen2.5-coder-77b"}, r"did you mean qwen2\.5-coder-7b\?"),
        ({"local_model": "/none/x.gguf"}, r"no model file /none/x\.gguf"),
    ],
)
def test_what_stands_in_the_way_is_an_error_if_asked_for_and_else_a_note(
    models: Path, given: dict[str, Any], words: str
) -> None:
    with pytest.raises(EngineError, match=words):
        choose_local(settings(models, local_engine="llama", **given), CPU)

    chosen = choose_local(settings(models, **given), CPU)

    assert chosen.plan is None
    assert chosen.note


def test_without_the_library_everything_else_works(
    models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(choice, "llama_installed", lambda: False)
    download(models, "7b")

    chosen = choose_local(settings(models), CPU)

    assert chosen == choice.Chosen(
        None, "llama-cpp-python is not installed: `make llama` builds it"
    )


def test_a_file_that_is_not_what_was_pulled_is_not_used(models: Path) -> None:
    (path,) = download(models, "7b")
    write_seal(path, Seal("0" * 64, path.stat().st_size, 0, "hub", "2026-01-01T00:00:00+00:00"))

    with pytest.raises(EngineError, match="SHA-256 differs"):
        choose_local(settings(models, local_engine="llama"), CPU)

    chosen = choose_local(settings(models), CPU)
    assert chosen.plan is None
    assert "SHA-256 differs" in chosen.note


def test_a_downloaded_model_that_does_not_fit_is_refused_with_sizes(models: Path) -> None:
    download(models, "32b")

    with pytest.raises(EngineError, match=r"does not fit: .* the nearest that fits is"):
        choose_local(settings(models, local_engine="llama"), Machine(8 * GIB, 7 * GIB, 4))


def test_what_the_operator_set_goes_into_the_plan(models: Path) -> None:
    download(models, "7b")

    plan = choose_local(
        settings(
            models,
            local_context_tokens=12_288,
            local_sequences=3,
            local_gpu_layers=1,
            local_kv="q8_0",
        ),
        CARD,
    ).plan

    assert plan is not None
    assert (plan.context_tokens, plan.sequences, plan.gpu_layers) == (12_288, 3, 1)
    assert (plan.kv, plan.flash_attention) == ("q8_0", True)


def test_a_broken_file_is_a_note_too(models: Path) -> None:
    (path,) = download(models, "7b")
    os.truncate(path, 1_000)

    assert "cut off" in choose_local(settings(models), CPU).note
