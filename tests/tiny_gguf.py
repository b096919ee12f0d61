"""Models with random weights in the real qwen2 form: small enough to be written in each test run."""

import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice, product
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Literal

if TYPE_CHECKING:
    import numpy as np

CONTROLS = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
#: Runs of letters that become one token each, as frequent words do in a trained vocabulary.
WORDS = """
walkthrough path line end_line quote severity category title body suggestion confidence null
critical high medium low correctness security concurrency data_loss performance api tests
maintainability return amount round def class import self the and not value user assistant
system src refunds app main test change file review problem error when this that with
"""
_NORMAL, _CONTROL = 1, 3
#: Type of a tensor → its number, weights of a block, bytes of a block.
_KINDS = {
    "f32": (0, 1, 4),
    "f16": (1, 1, 2),
    "q8_0": (8, 32, 34),
    "q4_k": (12, 256, 144),
    "q6_k": (14, 256, 210),
}
_ALIGNMENT = 32


@dataclass(frozen=True)
class Shape:
    """The size of a model; the defaults make a file of about half a megabyte."""

    layers: int = 2
    width: int = 64
    heads: int = 4
    kv_heads: int = 2
    feed_forward: int = 128
    context: int = 4_096
    vocabulary: int = 0
    """Tokens; 0 for no more than bytes, words and control tokens need."""
    kind: Literal["f16", "q8_0", "q4_k_m"] = "f16"
    """How the weights are kept; for `q4_k_m` all widths must be multiples of 256."""
    architecture: str = "qwen2"
    controls: Sequence[str] = CONTROLS
    control_type: int = _CONTROL
    tied: bool = False
    """The last matrix is the first one, as in the smallest models."""
    nan: bool = False
    """Weights that are no numbers, as a broken download or card gives them."""


def write_model(path: Path, shape: Shape = Shape(), *, seed: int = 4) -> Path:
    """Write a model file. The same shape and seed give the same bytes."""
    import numpy as np  # comes with llama-cpp-python, without which there is no use for a model

    tokens, types, merges = _vocabulary(shape)
    facts = _facts(shape, tokens, types, merges)
    tensors = list(_tensors(shape, len(tokens)))
    random = np.random.default_rng(seed)
    with path.open("wb") as file:
        file.write(b"GGUF" + struct.pack("<IQQ", 3, len(tensors), len(facts)))
        for key, (kind, value) in facts.items():
            file.write(_text(key) + struct.pack("<I", _TYPES[kind]) + _value(kind, value))
        offset = 0
        for name, rows, columns in tensors:
            kind = _kind(shape, name, rows)
            dimensions = (columns,) if rows == 0 else (columns, rows)
            file.write(_text(name) + struct.pack("<I", len(dimensions)))
            file.write(struct.pack(f"<{len(dimensions)}Q", *dimensions))
            file.write(struct.pack("<IQ", _KINDS[kind][0], offset))
            offset += _padded(_size(kind, max(rows, 1) * columns))
        _pad(file)
        for name, rows, columns in tensors:
            _write_weights(file, random, shape, name, rows, columns)
            _pad(file)
    return path


def weight_bytes(shape: Shape) -> int:
    """Bytes of all weights of a model whose vocabulary is given."""
    return sum(
        _size(_kind(shape, name, rows), max(rows, 1) * columns)
        for name, rows, columns in _tensors(shape, shape.vocabulary)
    )


def _kind(shape: Shape, name: str, rows: int) -> str:
    """How a tensor is kept. In Q4_K_M most are Q4_K and some Q6_K, as llama.cpp chooses them."""
    if rows == 0:
        return "f32"
    if shape.kind != "q4_k_m":
        return shape.kind
    if name == "output.weight" or (shape.tied and name == "token_embd.weight"):
        return "q6_k"
    if not name.endswith(("attn_v.weight", "ffn_down.weight")):
        return "q4_k"
    layer, eighth = int(name.split(".")[1]), shape.layers // 8
    more = layer < eighth or layer >= 7 * shape.layers // 8 or (layer - eighth) % 3 == 2
    return "q6_k" if more else "q4_k"


def _vocabulary(shape: Shape) -> tuple[list[str], list[int], list[str]]:
    """Tokens, their types, and the merges that make words of bytes."""
    table = _byte_characters()
    tokens = dict.fromkeys(table.values())
    merges: dict[str, None] = {}
    for word in [*WORDS.split(), *(f" {word}" for word in WORDS.split()), "    ", '": "', '", "']:
        left, *rest = (table[byte] for byte in word.encode())
        for right in rest:
            merges[f"{left} {right}"] = None
            left += right
            tokens[left] = None
    spare = max(shape.vocabulary - len(tokens) - len(shape.controls), 0)
    letters = "etaoinshrdlucmfw"
    made = ("".join(word) for size in (3, 4, 5) for word in product(letters, repeat=size))
    tokens.update(dict.fromkeys(islice((word for word in made if word not in tokens), spare)))
    types = [_NORMAL] * len(tokens) + [shape.control_type] * len(shape.controls)
    return [*tokens, *shape.controls], types, list(merges)


def _byte_characters() -> dict[int, str]:
    """byte → the printable character that stands for it in vocabularies of this kind."""
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [byte for byte in range(256) if byte not in plain]
    return {byte: chr(byte) for byte in plain} | {b: chr(256 + i) for i, b in enumerate(others)}


def _facts(
    shape: Shape, tokens: list[str], types: list[int], merges: list[str]
) -> Mapping[str, tuple[str, Any]]:
    arch = shape.architecture
    facts: dict[str, tuple[str, Any]] = {
        "general.architecture": ("text", arch),
        "general.name": ("text", "tiny"),
        "general.file_type": ("u32", {"f16": 1, "q8_0": 7, "q4_k_m": 15}[shape.kind]),
        f"{arch}.context_length": ("u32", shape.context),
        f"{arch}.embedding_length": ("u32", shape.width),
        f"{arch}.block_count": ("u32", shape.layers),
        f"{arch}.feed_forward_length": ("u32", shape.feed_forward),
        f"{arch}.attention.head_count": ("u32", shape.heads),
        f"{arch}.attention.head_count_kv": ("u32", shape.kv_heads),
        f"{arch}.attention.layer_norm_rms_epsilon": ("f32", 1e-6),
        f"{arch}.rope.freq_base": ("f32", 1e6),
        "tokenizer.ggml.model": ("text", "gpt2"),
        "tokenizer.ggml.pre": ("text", "qwen2"),
        "tokenizer.ggml.tokens": ("texts", tokens),
        "tokenizer.ggml.token_type": ("i32s", types),
        "tokenizer.ggml.merges": ("texts", merges),
        "tokenizer.ggml.add_bos_token": ("bool", False),
    }
    if shape.controls:
        facts["tokenizer.ggml.eos_token_id"] = ("u32", len(tokens) - 1)
    return facts


def _tensors(shape: Shape, vocabulary: int) -> Iterator[tuple[str, int, int]]:
    """Name, rows and columns of each; 0 rows for a vector."""
    width, key_width = shape.width, shape.width // shape.heads * shape.kv_heads
    yield "token_embd.weight", vocabulary, width
    yield "output_norm.weight", 0, width
    if not shape.tied:
        yield "output.weight", vocabulary, width
    for block in (f"blk.{index}." for index in range(shape.layers)):
        yield f"{block}attn_norm.weight", 0, width
        yield f"{block}ffn_norm.weight", 0, width
        for part, rows in (("q", width), ("k", key_width), ("v", key_width)):
            yield f"{block}attn_{part}.weight", rows, width
            yield f"{block}attn_{part}.bias", 0, rows
        yield f"{block}attn_output.weight", width, width
        yield f"{block}ffn_gate.weight", shape.feed_forward, width
        yield f"{block}ffn_up.weight", shape.feed_forward, width
        yield f"{block}ffn_down.weight", width, shape.feed_forward


def _write_weights(
    file: BinaryIO,
    random: "np.random.Generator",
    shape: Shape,
    name: str,
    rows: int,
    columns: int,
) -> None:
    import numpy as np

    if rows == 0:
        value = 0.0 if name.endswith("bias") else np.nan if shape.nan else 1.0
        file.write(np.full(columns, value, np.float32).tobytes())
        return
    spread = 0.5 if name == "token_embd.weight" else columns**-0.5
    for start in range(0, rows, 8_192):  # the largest matrix would be gigabytes at once
        count = min(8_192, rows - start) * columns
        match _kind(shape, name, rows):
            case "f16":
                weights = random.standard_normal(count, np.float32) * spread
                file.write(weights.astype(np.float16).tobytes())
            case "q8_0":
                blocks = np.zeros(count // 32, [("scale", np.float16), ("q", np.int8, 32)])
                blocks["scale"] = spread / 73  # the spread of evenly drawn -127..127
                blocks["q"] = random.integers(-127, 128, (len(blocks), 32), np.int8)
                file.write(blocks.tobytes())
            case kind:
                file.write(_k_blocks(random, kind, count, spread))


def _k_blocks(random: "np.random.Generator", kind: str, count: int, spread: float) -> bytes:
    """Blocks of 256 weights with evenly drawn numbers and one scale."""
    import numpy as np

    if kind == "q4_k":  # scale * 8 * (0..15) - smallest * 8
        form = [("scale", np.float16), ("smallest", np.float16), ("s", "V12"), ("q", np.uint8, 128)]
        blocks = np.zeros(count // 256, form)
        blocks["scale"], blocks["smallest"] = spread / 36.9, 7.5 * spread / 36.9
        blocks["s"] = np.void(b"\x08" * 8 + b"\x88" * 4)
    else:  # scale * (-32..31)
        form = [("q", np.uint8, 192), ("s", np.int8, 16), ("scale", np.float16)]
        blocks = np.zeros(count // 256, form)
        blocks["scale"], blocks["s"] = spread / 18.5, 1
    blocks["q"] = random.integers(0, 256, blocks["q"].shape, np.uint8)
    return blocks.tobytes()


_TYPES = {"u32": 4, "f32": 6, "bool": 7, "text": 8, "texts": 9, "i32s": 9}


def _value(kind: str, value: Any) -> bytes:
    if kind == "text":
        return _text(value)
    if kind == "texts":
        return struct.pack("<IQ", 8, len(value)) + b"".join(map(_text, value))
    if kind == "i32s":
        return struct.pack(f"<IQ{len(value)}i", 5, len(value), *value)
    return struct.pack({"u32": "<I", "f32": "<f", "bool": "<?"}[kind], value)


def _text(text: str) -> bytes:
    raw = text.encode()
    return struct.pack("<Q", len(raw)) + raw


def _size(kind: str, weights: int) -> int:
    _, per_block, block = _KINDS[kind]
    return weights // per_block * block


def _padded(size: int) -> int:
    return -(-size // _ALIGNMENT) * _ALIGNMENT


def _pad(file: BinaryIO) -> None:
    file.write(bytes(_padded(file.tell()) - file.tell()))
