"""The models that are known by name, and what planning must know of any model."""

import difflib
from dataclasses import dataclass
from typing import Literal

from reviewbot.engines.llama.plan import KvType
from reviewbot.errors import EngineError

Licence = Literal["Apache-2.0", "Qwen Research"]

#: Bytes of one number of the cache: q8_0 keeps 32 numbers in 34 bytes.
KV_BYTES: dict[KvType, float] = {"f16": 2.0, "q8_0": 34 / 32}


@dataclass(frozen=True)
class ModelFacts:
    """Size and shape of a model: enough to say what memory it takes, and roughly how fast it is."""

    architecture: str
    quantisation: str
    parameters: int
    layers: int
    heads: int
    kv_heads: int
    head_dim: int
    embedding: int
    """Width of the model."""
    feed_forward: int
    """Inner width of its feed-forward layers."""
    vocabulary: int
    context_tokens: int
    """Context that it was trained for."""
    layer_bytes: int
    """Weights of all layers."""
    embedding_bytes: int
    """Token embeddings: always in RAM."""
    output_bytes: int
    """Output weights: with the embeddings, or on the GPU after the last layer."""
    tied: bool
    """The output weights are the embeddings: a GPU gets a copy."""

    @property
    def weight_bytes(self) -> int:
        return self.layer_bytes + self.embedding_bytes + (0 if self.tied else self.output_bytes)

    def kv_bytes(self, kv: KvType) -> float:
        """Bytes of cache for one token: a key and a value in each layer."""
        return self.layers * 2 * self.kv_heads * self.head_dim * KV_BYTES[kv]


@dataclass(frozen=True)
class CatalogueModel:
    """A model that `model pull` can get."""

    name: str
    repository: str
    """On the Hugging Face hub."""
    file: str
    file_bytes: int
    """To plan with; the hub's own figure counts when it is pulled."""
    licence: Licence
    facts: ModelFacts


def _qwen(
    size: str,
    file_bytes: int,
    parameters: float,
    shape: tuple[int, int, int, int, int],
    *,
    licence: Licence = "Apache-2.0",
) -> CatalogueModel:
    """Qwen2.5-Coder-Instruct of one size. `shape`: layers, heads, KV heads, width, inner width.

    Q4_K_M keeps the output weights in Q6_K (6.5625 bits each) and the embeddings in Q4_K (4.5
    bits). Up to 3B both are the same in the model, but these files hold them twice. Shapes: the
    models' own `config.json`.
    """
    layers, heads, kv_heads, width, inner = shape
    vocabulary = 151_936 if parameters < 5e9 else 152_064
    output = int(vocabulary * width * 6.5625 / 8)
    embedding = int(vocabulary * width * 4.5 / 8)
    facts = ModelFacts(
        architecture="qwen2",
        quantisation="Q4_K_M",
        parameters=int(parameters),
        layers=layers,
        heads=heads,
        kv_heads=kv_heads,
        head_dim=width // heads,
        embedding=width,
        feed_forward=inner,
        vocabulary=vocabulary,
        context_tokens=32_768,
        layer_bytes=file_bytes - embedding - output,
        embedding_bytes=embedding,
        output_bytes=output,
        tied=False,
    )
    repository = f"Qwen/Qwen2.5-Coder-{size.upper()}-Instruct-GGUF"
    file = f"qwen2.5-coder-{size}-instruct-q4_k_m.gguf"
    return CatalogueModel(f"qwen2.5-coder-{size}", repository, file, file_bytes, licence, facts)


CATALOGUE = (
    _qwen("0.5b", 491_400_064, 0.49e9, (24, 14, 2, 896, 4_864)),
    _qwen("1.5b", 1_117_320_768, 1.54e9, (28, 12, 2, 1_536, 8_960)),
    _qwen("3b", 2_104_932_800, 3.09e9, (36, 16, 2, 2_048, 11_008), licence="Qwen Research"),
    _qwen("7b", 4_683_073_536, 7.62e9, (28, 28, 4, 3_584, 18_944)),
    _qwen("14b", 8_988_110_272, 14.77e9, (48, 40, 8, 5_120, 13_824)),
    _qwen("32b", 19_851_335_872, 32.76e9, (64, 40, 8, 5_120, 27_648)),
)
"""From the smallest to the largest."""


def find_model(name: str) -> CatalogueModel | None:
    """The model of that name, or of that size (`32b`), in any case of letters."""
    wanted = name.strip().lower()
    for model in CATALOGUE:
        if wanted in (model.name, model.name.rsplit("-", 1)[1]):
            return model
    return None


def model_of(name: str) -> CatalogueModel:
    """The same. Raises EngineError naming the nearest for a name that is none."""
    if found := find_model(name):
        return found
    names = [model.name for model in CATALOGUE]
    near = difflib.get_close_matches(name.lower(), names, 1)
    hint = f"did you mean {near[0]}?" if near else "`reviewbot model list` shows them all"
    raise EngineError(f"no model {name} in the catalogue ({hint})")


def size(count: float) -> str:
    """Bytes for people."""
    return f"{count / 2**30:.1f} GiB" if count >= 0.95 * 2**30 else f"{count / 2**20:.0f} MiB"
