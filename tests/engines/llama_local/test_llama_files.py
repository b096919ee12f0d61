"""Files that are no model for us end in one clear line."""

from pathlib import Path

import pytest
from tiny_gguf import Shape, write_model

from reviewbot.engines.llama.batch import sequences_needed
from reviewbot.engines.llama.chatml import ChatML
from reviewbot.engines.llama.native import Native
from reviewbot.engines.llama.plan import LoadPlan
from reviewbot.errors import EngineError


def refusal(model: Path, **more: object) -> str:
    plan = LoadPlan(model, 256, 256, 1, 0, threads=1, **more)  # type: ignore[arg-type]
    with pytest.raises(EngineError) as caught:
        ChatML(Native(plan, sequences=sequences_needed(1))).controls  # noqa: B018
    return str(caught.value)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "failed to read magic"),
        (b"# A model card\n" * 100, "expected 'GGUF'"),
        (b"GGUF\x03\0\0\0", "failed to read"),
        (b"GGUF" + b"\xff" * 400, "only supports up to version 3"),
    ],
    ids=["empty", "text", "header only", "noise"],
)
@pytest.mark.usefixtures("tiny_model")
def test_a_file_that_is_no_gguf(tmp_path: Path, content: bytes, words: str) -> None:
    model = tmp_path / "odd.gguf"
    model.write_bytes(content)

    said = refusal(model)

    assert said.startswith("odd.gguf: llama.cpp can't load it: ")
    assert words in said
    assert "\n" not in said


@pytest.mark.usefixtures("tiny_model")
def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    assert "No such file" in refusal(tmp_path / "gone.gguf")


def test_a_download_that_broke_off(tmp_path: Path, tiny_model: Path) -> None:
    model = tmp_path / "half.gguf"
    model.write_bytes(tiny_model.read_bytes()[:-50_000])

    assert "corrupted or incomplete" in refusal(model)


@pytest.mark.usefixtures("tiny_model")
def test_another_architecture(tmp_path: Path) -> None:
    model = write_model(tmp_path / "other.gguf", Shape(architecture="nonsense"))

    assert "unknown model architecture: 'nonsense'" in refusal(model)


@pytest.mark.usefixtures("tiny_model")
def test_a_model_that_does_not_speak_chatml(tmp_path: Path) -> None:
    model = write_model(tmp_path / "base.gguf", Shape(controls=()))

    assert "has no <|im_start|>" in refusal(model)


def test_a_plan_that_llama_cpp_refuses(tiny_model: Path) -> None:
    said = refusal(tiny_model, kv="q8_0", flash_attention=False)

    assert said.startswith("tiny.gguf: no room for a context of 256 tokens: ")
