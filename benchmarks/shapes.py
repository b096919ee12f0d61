"""A model of a true size with random weights: how fast a machine reads, writes and reviews with it.

Speed depends on the shape of a model and not on what its weights say, so that no download is needed.
"""

import ctypes
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple

import llama_cpp
import numpy as np
from llama_cpp._ggml import libggml
from tiny_gguf import Shape, write_model

from reviewbot.engines.energy import energy_meter
from reviewbot.engines.llama.batch import Batch, Job, sequences_needed
from reviewbot.engines.llama.chatml import ChatML, ChatPrompt
from reviewbot.engines.llama.fit import Wishes, fit
from reviewbot.engines.llama.gguf import read_facts
from reviewbot.engines.llama.machine import usable_machine
from reviewbot.engines.llama.models import ModelFacts, model_of
from reviewbot.engines.llama.native import Native, Row
from reviewbot.engines.llama.plan import LoadPlan

TINY = Shape(
    layers=3,
    width=256,
    heads=4,
    kv_heads=2,
    feed_forward=512,
    context=8_192,
    vocabulary=1_024,
    kind="q4_k_m",
)
#: Tokens of a review's prompts that all its parts share.
SHARED = 1_500
#: Copied to see how fast a device's memory is, bytes; and how often.
COPIED, COPIES = 256 * 2**20, 8
_CPU, _GPU = 0, 1


@dataclass(frozen=True)
class Wanted:
    """What is measured."""

    shape: str
    """`tiny`, or a size of the catalogue."""
    prompt: int
    """Tokens that each sequence reads before it writes."""
    steps: int
    """Tokens that each sequence writes."""
    reviews: int
    review_tokens: int
    """Tokens of one review's prompts that have to be computed."""
    answer: int
    """Tokens of the answer to each part."""
    sequences: tuple[int, ...] = (1, 4, 8, 16)


class Speeds(NamedTuple):
    """Tokens per second of all sequences together."""

    prefill: float
    decode: float
    limit: float
    """Of decode: what the memory's speed allows, if each step reads all weights and all cache."""


def measured(wanted: Wanted, cache: Path, watts: float) -> dict[str, Any]:
    """Everything, as JSON."""
    model = made(wanted.shape, cache)
    facts, machine = read_facts(model), usable_machine()
    plan = fit(model, facts, machine, Wishes()).plan
    device, bandwidth = copy_bandwidth(_GPU if plan.gpu_layers else _CPU)
    speeds = raw_speeds(wanted, plan, facts, bandwidth)
    seconds, joules = reviewed(wanted, plan)
    return {
        "shape": wanted.shape,
        "file_bytes": model.stat().st_size,
        "device": device,
        "gpu_layers": plan.gpu_layers,
        "copy_gb_per_s": round(bandwidth / 1e9, 1),
        "speeds": {
            size: {
                "prefill_tokens_per_s": round(each.prefill, 1),
                "decode_tokens_per_s": round(each.decode, 1),
                "decode_limit": round(each.limit, 1),
                "of_limit": round(each.decode / each.limit, 2),
            }
            for size, each in speeds.items()
        },
        "at_a_time": plan.sequences,
        "context_tokens": plan.context_tokens,
        "review_tokens": wanted.review_tokens,
        "reviews_per_hour": round(3_600 * wanted.reviews / seconds, 1),
        "joules_per_review": round(
            (seconds * watts if joules is None else joules) / wanted.reviews
        ),
        "joules_how": f"{watts:.0f} W x seconds" if joules is None else "measured",
    }


def made(shape: str, cache: Path) -> Path:
    """The model's file; written if it is not there."""
    path = cache / f"random-{shape}.gguf"
    if not path.exists():
        cache.mkdir(parents=True, exist_ok=True)
        write_model(path.with_suffix(".part"), shape_of(shape)).rename(path)
    return path


def shape_of(name: str) -> Shape:
    """The true shape of a catalogue model. Raises EngineError for a name that is none."""
    if name == "tiny":
        return TINY
    facts = model_of(name).facts
    # rows that are no multiple of 256 can't be kept in Q4_K: such a file has 5 and 8 bits instead
    kind: Literal["q4_k_m", "q8_0"] = "q8_0" if facts.embedding % 256 else "q4_k_m"
    return Shape(
        layers=facts.layers,
        width=facts.embedding,
        heads=facts.heads,
        kv_heads=facts.kv_heads,
        feed_forward=facts.feed_forward,
        context=facts.context_tokens,
        vocabulary=facts.vocabulary,
        kind=kind,
    )


def raw_speeds(
    wanted: Wanted, plan: LoadPlan, facts: ModelFacts, bandwidth: float
) -> dict[int, Speeds]:
    """Sequences side by side that share nothing, without grammars or anything else of ours."""
    most = max(wanted.sequences)
    each = wanted.prompt + wanted.steps
    cells = -(-most * each // 256) * 256
    roomy = LoadPlan(
        plan.model,
        each,
        cells,
        most,
        plan.gpu_layers,
        flash_attention=True,
        batch_tokens=plan.batch_tokens,
        threads=plan.threads,
    )
    native = Native(roomy, sequences=most)
    tokens = np.random.default_rng(1).integers(0, 256, (most, each)).tolist()
    try:
        return {
            size: _speeds(native, tokens[:size], wanted, facts, bandwidth)
            for size in wanted.sequences
        }
    finally:
        native.close()


def _speeds(
    native: Native,
    tokens: Sequence[Sequence[int]],
    wanted: Wanted,
    facts: ModelFacts,
    bandwidth: float,
) -> Speeds:
    size = len(tokens)
    prompts = [
        Row(text[at], at, sequence, False)
        for sequence, text in enumerate(tokens)
        for at in range(wanted.prompt)
    ]
    began = time.monotonic()
    for start in range(0, len(prompts), native.batch_tokens):
        native.decode(prompts[start : start + native.batch_tokens])
    _wait(native)
    read = time.monotonic()
    for at in range(wanted.prompt, wanted.prompt + wanted.steps):
        native.decode([Row(text[at], at, s, True) for s, text in enumerate(tokens)])
        native.scores(size - 1)[0]  # waits for the device
    written = time.monotonic()
    for sequence in range(size):
        native.drop(sequence)
    cells = size * (wanted.prompt + wanted.steps / 2)
    step_bytes = facts.layer_bytes + facts.output_bytes + cells * facts.kv_bytes("f16")
    return Speeds(
        size * wanted.prompt / (read - began),
        size * wanted.steps / (written - read),
        size * bandwidth / step_bytes,
    )


def _wait(native: Native) -> None:
    llama_cpp.llama_synchronize(native._context)


def reviewed(wanted: Wanted, plan: LoadPlan) -> tuple[float, float | None]:
    """Whole reviews by the batch engine, loaded as it would be here: seconds for all of them, and
    joules where a card counts them. Each has as many parts as its tokens need."""
    native = Native(plan, sequences=sequences_needed(plan.sequences))
    chat, batch = ChatML(native), Batch(native, sequences=plan.sequences)
    shared = min(SHARED, wanted.review_tokens // 4)
    room = plan.context_tokens * 3 // 4 - shared - 64
    rest = wanted.review_tokens - shared
    parts = -(-rest // room)
    prompts = [
        ChatPrompt("Review.", letters(shared, review), letters(rest // parts, part))
        for review in range(wanted.reviews)
        for part in range(parts)
    ]
    meter = energy_meter() if plan.gpu_layers else None
    before, began = meter() if meter else 0.0, time.monotonic()
    for number, prompt in enumerate(prompts):
        batch.add(Job(number, *chat.layout(prompt), wanted.answer, temperature=0.7, seed=number))
    while batch.busy:
        batch.admit()
        batch.step()
    seconds = time.monotonic() - began
    joules = meter() - before if meter else None
    native.close()
    return seconds, joules


def letters(count: int, seed: int) -> str:
    """Letters that the vocabularies made here have no longer tokens of: one token each."""
    return "".join(np.random.default_rng(seed).choice(list("jqxz"), count))


class _Params(ctypes.Structure):
    _fields_ = (
        ("mem_size", ctypes.c_size_t),
        ("mem_buffer", ctypes.c_void_p),
        ("no_alloc", ctypes.c_bool),
    )


def copy_bandwidth(kind: int) -> tuple[str, float]:
    """A device's name, and bytes that its memory reads and writes in a second when one part of it
    is copied to another. Raises LookupError if there is no device of this kind."""
    pointer = ctypes.c_void_p

    def call(name: str, result: Any, *arguments: Any) -> Any:
        function = getattr(libggml, name)
        function.restype = result
        function.argtypes = [type(argument) for argument in arguments]
        return function(*arguments)

    devices = [
        pointer(call("ggml_backend_dev_get", pointer, ctypes.c_size_t(index)))
        for index in range(call("ggml_backend_dev_count", ctypes.c_size_t))
    ]
    device = next(
        (d for d in devices if call("ggml_backend_dev_type", ctypes.c_int, d) == kind), None
    )
    if device is None:
        raise LookupError("llama.cpp knows no such device")
    name = call("ggml_backend_dev_description", ctypes.c_char_p, device).decode()
    backend = pointer(call("ggml_backend_dev_init", pointer, device, ctypes.c_char_p(None)))
    context = pointer(call("ggml_init", pointer, _Params(1 << 20, None, True)))
    numbers = ctypes.c_int64(COPIED // 4)
    source, target = (
        pointer(call("ggml_new_tensor_1d", pointer, context, ctypes.c_int(0), numbers))
        for _ in range(2)
    )
    buffer = pointer(call("ggml_backend_alloc_ctx_tensors", pointer, context, backend))
    best = float("inf")
    for _ in range(COPIES):
        began = time.perf_counter()
        call("ggml_backend_tensor_copy", None, source, target)
        call("ggml_backend_synchronize", None, backend)
        best = min(best, time.perf_counter() - began)
    call("ggml_backend_buffer_free", None, buffer)
    call("ggml_free", None, context)
    call("ggml_backend_free", None, backend)
    return name, 2 * COPIED / best
