"""Facts from the header of a GGUF file, read in a fraction of a second.

The file may be anybody's: every count, length and offset is checked against the file's own size
before it is used. The format is described in ggml's own documentation.
"""

import math
import re
import struct
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from reviewbot.engines.llama.models import ModelFacts
from reviewbot.errors import EngineError

#: More than any real model has; a header beyond them is refused before it costs time or memory.
MAX_ENTRIES, MAX_TENSORS, MAX_ELEMENTS, MAX_SPLITS = 4_096, 65_536, 4_194_304, 256
MAX_KEY, MAX_STRING, MAX_HEADER = 1_024, 16 * 1024 * 1024, 256 * 1024 * 1024
#: Longer arrays of numbers are read over: what is said of each layer is short.
_KEPT_ELEMENTS = 1_024

#: Tokens that begin and end a turn in ChatML: our prompts are made of them.
CHATML = (b"<|im_start|>", b"<|im_end|>")

_STRING, _ARRAY = 8, 9
_LENGTH = struct.Struct("<Q")
_NUMBERS = {
    0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d",
}  # fmt: skip
#: Tensor type → (weights of a block, its bytes).
BLOCKS = {
    0: (1, 4), 1: (1, 2), 2: (32, 18), 3: (32, 20), 6: (32, 22), 7: (32, 24), 8: (32, 34),
    9: (32, 40), 10: (256, 84), 11: (256, 110), 12: (256, 144), 13: (256, 176), 14: (256, 210),
    15: (256, 292), 16: (256, 66), 17: (256, 74), 18: (256, 98), 19: (256, 50), 20: (32, 18),
    21: (256, 110), 22: (256, 82), 23: (256, 136), 24: (1, 1), 25: (1, 2), 26: (1, 4), 27: (1, 8),
    28: (1, 8), 29: (256, 56), 30: (1, 2), 34: (256, 54), 35: (256, 66), 39: (32, 17), 40: (64, 36),
    41: (128, 18),
}  # fmt: skip
#: `general.file_type` → what people call it.
_QUANTISATIONS = {
    0: "F32", 1: "F16", 2: "Q4_0", 3: "Q4_1", 7: "Q8_0", 8: "Q5_0", 9: "Q5_1", 10: "Q2_K",
    11: "Q3_K_S", 12: "Q3_K_M", 13: "Q3_K_L", 14: "Q4_K_S", 15: "Q4_K_M", 16: "Q5_K_S",
    17: "Q5_K_M", 18: "Q6_K", 30: "IQ4_XS", 32: "BF16",
}  # fmt: skip
_SPLIT = re.compile(r"(?P<stem>.+)-(?P<no>\d{5})-of-(?P<count>\d{5})\.gguf")


class _Bad(Exception):
    """What is wrong with the file; the words follow its name."""


class _Tensor(NamedTuple):
    name: str
    weights: int
    bytes: int


class _Header(NamedTuple):
    values: dict[str, Any]
    """Numbers, texts, short arrays of numbers; of every other array its length."""
    tensors: list[_Tensor]
    chatml: bool


def parts(path: Path) -> tuple[Path, ...]:
    """All files of a model: itself, or every part of a split one, in order.

    Raises EngineError if a part is missing or `path` is not the first.
    """
    match = _SPLIT.fullmatch(path.name)
    if not match:
        return (path,)
    count = int(match["count"])
    if int(match["no"]) != 1 or not 1 <= count <= MAX_SPLITS:
        raise EngineError(f"{path} is a part of a split model: name its first part")
    files = tuple(
        path.with_name(f"{match['stem']}-{number:05}-of-{count:05}.gguf")
        for number in range(1, count + 1)
    )
    for file in files:
        if not file.is_file():
            raise EngineError(f"{path} is split into {count} parts: {file.name} is missing")
    return files


def read_facts(path: Path) -> ModelFacts:
    """What a GGUF file, or the parts of a split one, says of its model.

    Raises EngineError with one clear line for anything that is no whole GGUF file of a language
    model with ChatML's tokens.
    """
    headers = []
    for file in parts(path):
        try:
            with file.open("rb") as stream:
                headers.append(_Reader(stream, file.stat().st_size).header())
        except OSError as error:
            raise EngineError(f"cannot read {file}: {error.strerror}") from None
        except _Bad as problem:
            raise EngineError(f"{file} {problem}") from None
    first = headers[0]
    tensors = [tensor for header in headers for tensor in header.tensors]
    split = first.values.get("split.count", 0)
    try:
        if isinstance(split, int) and split > len(headers):
            raise _Bad(f"is one of {split} parts: name the first as …-00001-of-{split:05}.gguf")
        if not first.chatml:
            raise _Bad("has no <|im_start|> in its vocabulary: only ChatML models work here")
        return _facts(first.values, tensors)
    except _Bad as problem:
        raise EngineError(f"{path} {problem}") from None


def _facts(values: dict[str, Any], tensors: list[_Tensor]) -> ModelFacts:
    architecture = values.get("general.architecture")
    if not isinstance(architecture, str):
        raise _Bad("names no architecture")

    def number(key: str, default: int | None = None) -> int:
        value = values.get(f"{architecture}.{key}", default)
        if isinstance(value, list) and value:  # one for each layer: the largest is the safe one
            value = max(value)
        if not isinstance(value, int) or not 0 < value < 2**31:
            raise _Bad(f"is no language model: {architecture}.{key} is missing or makes no sense")
        return value

    layers, heads = number("block_count"), number("attention.head_count")
    width = number("embedding_length")
    embedding = sum(t.bytes for t in tensors if t.name == "token_embd.weight")
    output = sum(t.bytes for t in tensors if t.name == "output.weight")
    whole = sum(tensor.bytes for tensor in tensors)
    tokens = values.get("tokenizer.ggml.tokens")
    if not tokens or not embedding:
        raise _Bad("is no language model: it has no vocabulary or no embeddings")
    return ModelFacts(
        architecture=architecture,
        quantisation=_QUANTISATIONS.get(values.get("general.file_type", -1), "unknown"),
        parameters=sum(tensor.weights for tensor in tensors),
        layers=layers,
        heads=heads,
        kv_heads=number("attention.head_count_kv", heads),
        head_dim=number("attention.key_length", max(width // heads, 1)),
        embedding=width,
        feed_forward=number("feed_forward_length"),
        vocabulary=tokens,
        context_tokens=number("context_length"),
        layer_bytes=whole - embedding - output,
        embedding_bytes=embedding,
        output_bytes=output or embedding,
        tied=not output,
    )


class _Reader:
    """Reads one header from the start of `stream`, a file of `size` bytes."""

    def __init__(self, stream: BinaryIO, size: int) -> None:
        self._stream, self._size = stream, size
        self._left = min(size, MAX_HEADER)
        self._chatml: set[bytes] = set()

    def header(self) -> _Header:
        """Everything before the tensors' data. Raises _Bad."""
        if self._size == 0:
            raise _Bad("is empty")
        magic = self._stream.read(4)
        if magic != b"GGUF":
            raise _Bad("is no GGUF file")
        version = self._number("I")
        if version not in (2, 3):
            raise _Bad(f"is a GGUF file of version {version}: only 2 and 3 are known")
        tensor_count, entry_count = self._number("Q"), self._number("Q")
        if tensor_count > MAX_TENSORS or entry_count > MAX_ENTRIES:
            raise _Bad("makes no sense: more tensors or entries than any model has")
        values = dict(self._entry() for _ in range(entry_count))
        tensors = self._tensors(tensor_count, values.get("general.alignment", 32))
        return _Header(values, tensors, self._chatml == set(CHATML))

    def _tensors(self, count: int, alignment: object) -> list[_Tensor]:
        if not isinstance(alignment, int) or not 0 < alignment <= 65_536:
            raise _Bad("makes no sense: its alignment")
        tensors, end = [], 0
        for _ in range(count):
            name = self._text(MAX_KEY).decode(errors="replace")
            dimensions = [self._number("Q") for _ in range(self._at_most(self._number("I"), 8))]
            kind, offset = self._number("I"), self._number("Q")
            weights = math.prod(dimensions)
            if kind not in BLOCKS:
                raise _Bad(f"has a tensor of unknown type {kind}: {name[:60]}")
            per_block, block_bytes = BLOCKS[kind]
            size = -(-weights // per_block) * block_bytes
            tensors.append(_Tensor(name, weights, size))
            end = max(end, offset + size)
        start = -(-self._stream.tell() // alignment) * alignment
        if start + end > self._size:
            raise _Bad(f"is cut off: {self._size:,} bytes of {start + end:,}")
        return tensors

    def _entry(self) -> tuple[str, Any]:
        key = self._text(MAX_KEY).decode(errors="replace")
        kind = self._number("I")
        if kind == _STRING:
            return key, self._text(MAX_STRING).decode(errors="replace")
        return key, self._array() if kind == _ARRAY else self._number(self._format(kind))

    def _array(self) -> Any:
        kind = self._number("I")
        count = self._at_most(self._number("Q"), MAX_ELEMENTS)
        if kind == _STRING:
            self._read_over_texts(count)
            return count
        format_ = self._format(kind)
        data = self._take(count * struct.calcsize("<" + format_))
        return list(struct.unpack(f"<{count}{format_}", data)) if count <= _KEPT_ELEMENTS else count

    def _read_over_texts(self, count: int) -> None:
        """The vocabulary's 150,000 tokens and as many merges come through here: as little work
        for each as can be."""
        read, unpack, left = self._stream.read, _LENGTH.unpack, self._left
        for _ in range(count):
            size = read(8)
            if len(size) != 8:
                raise _Bad("is cut off in its header, or makes no sense")
            length: int = unpack(size)[0]
            left -= length + 8
            text = read(length) if left >= 0 else b""
            if len(text) != length:
                raise _Bad("is cut off in its header, or makes no sense")
            if text in CHATML:
                self._chatml.add(text)
        self._left = left

    def _format(self, kind: int) -> str:
        if kind not in _NUMBERS:
            raise _Bad(f"makes no sense: a value of type {kind}")
        return _NUMBERS[kind]

    def _number(self, format_: str) -> Any:
        return struct.unpack("<" + format_, self._take(struct.calcsize("<" + format_)))[0]

    def _text(self, limit: int) -> bytes:
        return self._take(self._at_most(self._number("Q"), limit))

    def _at_most(self, count: int, limit: int) -> int:
        if count > limit:
            raise _Bad(f"makes no sense: a count of {count:,}")
        return count

    def _take(self, count: int) -> bytes:
        self._left -= count
        data = self._stream.read(count) if self._left >= 0 else b""
        if len(data) != count:
            raise _Bad("is cut off in its header, or makes no sense")
        return data
