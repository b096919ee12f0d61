"""The catalogue's figures hold together: sizes, shapes, cache, names."""

import pytest

from reviewbot.engines.llama.models import CATALOGUE, CatalogueModel, find_model, model_of
from reviewbot.errors import EngineError

NAMES = [model.name for model in CATALOGUE]


@pytest.mark.parametrize(
    ("name", "kib"),
    [("0.5b", 12), ("1.5b", 28), ("3b", 36), ("7b", 56), ("14b", 192), ("32b", 256)],
)
def test_one_token_of_cache_takes_what_the_shape_says(name: str, kib: int) -> None:
    facts = model_of(name).facts

    assert facts.kv_bytes("f16") == kib * 1024
    assert facts.kv_bytes("q8_0") == kib * 1024 * 17 / 32


@pytest.mark.parametrize("model", CATALOGUE, ids=NAMES)
def test_parameters_follow_from_the_shape(model: CatalogueModel) -> None:
    """A wrong layer, width or head count shows here."""
    facts = model.facts
    keys = facts.kv_heads * facts.head_dim
    layer = facts.embedding * (2 * facts.embedding + 2 * keys + 3 * facts.feed_forward)
    tables = 1 if model.name in NAMES[:3] else 2  # up to 3B, output weights are the embeddings

    counted = facts.layers * layer + tables * facts.vocabulary * facts.embedding

    assert counted == pytest.approx(facts.parameters, rel=0.015)


@pytest.mark.parametrize("model", CATALOGUE, ids=NAMES)
def test_a_file_holds_four_to_seven_bits_for_each_weight(model: CatalogueModel) -> None:
    facts = model.facts
    tables = 2 * facts.vocabulary * facts.embedding

    bits = 8 * facts.layer_bytes / (facts.parameters - (tables if facts.parameters > 5e9 else 0))

    assert 4 < bits < 7
    assert facts.weight_bytes == pytest.approx(model.file_bytes, rel=0.001)


def test_names_repositories_and_files_go_together() -> None:
    for model in CATALOGUE:
        size = model.name.removeprefix("qwen2.5-coder-")
        assert model.repository == f"Qwen/Qwen2.5-Coder-{size.upper()}-Instruct-GGUF"
        assert model.file == f"qwen2.5-coder-{size}-instruct-q4_k_m.gguf"
    assert [m.file_bytes for m in CATALOGUE] == sorted(m.file_bytes for m in CATALOGUE)
    assert [m.name for m in CATALOGUE if m.licence != "Apache-2.0"] == ["qwen2.5-coder-3b"]


def test_a_model_is_found_by_its_name_or_size() -> None:
    assert find_model("Qwen2.5-Coder-32B") is find_model("32b") is CATALOGUE[-1]
    assert find_model("5b") is None
    with pytest.raises(EngineError, match=r"did you mean qwen2\.5-coder-14b\?"):
        model_of("qwen-coder-14b")
