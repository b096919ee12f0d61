"""The local tier read by a model on this machine, from the command line on."""

from dataclasses import replace
from pathlib import Path

import pytest
from flow.conftest import Terminal
from tiny_gguf import Shape, write_model


def test_a_model_file_is_all_that_the_local_tier_needs(
    terminal: Terminal, repository: Path, tmp_path: Path
) -> None:
    pytest.importorskip("llama_cpp", reason="llama-cpp-python is not installed (make llama)")
    model = write_model(tmp_path / "tiny.gguf", replace(Shape(), context=16_384))
    terminal.set(local_model=model)

    review = terminal.review(repository, "plain")

    assert [entry["engine"] for entry in review["coverage"]] == ["llama"]
    [call] = review["calls"]
    assert (call["engine"], call["provider"]) == ("llama", None)
    assert call["outcome"] in ("answered", "truncated")  # a model that knows nothing may go on
    assert call["usage"]["input"] > 1_000
    assert review["egress"] == []
    assert any(note.startswith("local engine: tiny on the CPU") for note in review["notes"])
