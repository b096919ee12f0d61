"""How a model is loaded so that it fits: worked out from figures, before anything is read.

Memory is weights, cache and compute buffers. The first two are exact. The last is a bound on what
llama.cpp 0.3.36 reserves, fitted to what it reserved (`no_alloc`) for the shapes of 0.5B to 32B at
8 K to 128 K tokens: some 20 MiB above with flash attention, at most 200 MiB without.
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple

from reviewbot.engines.llama.machine import Machine
from reviewbot.engines.llama.models import CATALOGUE, ModelFacts, size
from reviewbot.engines.llama.plan import KvType, LoadPlan
from reviewbot.errors import EngineError

#: Smallest context that is worth a review; and the usual one where all is on GPUs, tokens.
MIN_CONTEXT, GPU_CONTEXT = 8_192, 16_384
#: Most requests in one batch. More gain nothing on a CPU.
GPU_SEQUENCES, CPU_SEQUENCES = 8, 4
#: Left free on each card for CUDA itself, and in RAM for the rest of reviewbot, bytes.
GPU_RESERVE = RAM_RESERVE = 768 * 2**20
#: A model that is not all on GPUs is chosen by itself only if a middling prompt is answered in this
#: time (half of the default limit), seconds.
PATIENCE_SECONDS = 300.0

#: Tokens of one decode step; llama.cpp's own default.
_BATCH = 512
#: Most tokens of a step whose scores are needed: one for each sequence that may exist.
_OUTPUTS = 32
#: llama.cpp makes caches of whole blocks, tokens.
_BLOCK = 256
#: A middling prompt and its answer, tokens.
_PROMPT, _ANSWER = 6_000, 700
#: One core of a 2.5 GHz Xeon with AVX-512: 0.5B read 62 and wrote 12.8 tokens a second; memory
#: feeds about four of them.
_CORE_FLOPS, _CORE_BYTES, _FED_CORES = 61e9, 6.8e9, 4

Where = Literal["gpu", "both", "cpu"]


@dataclass(frozen=True)
class Wishes:
    """What the operator set; None where it may be as fits."""

    context_tokens: int | None = None
    sequences: int | None = None
    gpu_layers: int | None = None
    kv: KvType | None = None

    @property
    def any(self) -> bool:
        return self != Wishes()


@dataclass(frozen=True)
class Fit:
    """A plan that fits, with what it takes; bytes."""

    plan: LoadPlan
    facts: ModelFacts
    vram_bytes: int
    ram_bytes: int
    answer_seconds: float
    """What the CPU's part of a middling prompt takes: a rough guess, 0 where all is on GPUs."""

    @property
    def where(self) -> Where:
        if self.plan.gpu_layers > self.facts.layers:
            return "gpu"
        return "both" if self.plan.gpu_layers else "cpu"

    @property
    def words(self) -> str:
        """In words: where, how much context, how many at a time."""
        plan, all_layers = self.plan, self.facts.layers + 1
        place = {
            "gpu": "on the GPU",
            "both": f"{plan.gpu_layers} of {all_layers} layers on the GPU",
            "cpu": "on the CPU",
        }[self.where]
        return (
            f"{place}, {plan.context_tokens:,} tokens, {plan.sequences} at a time"
            + (f", cache {plan.kv}" if plan.kv != "f16" else "")
            + (f", about {self.answer_seconds / 60:.0f} min a prompt" if self._slow else "")
        )

    @property
    def _slow(self) -> bool:
        return self.answer_seconds >= 60


class Candidate(NamedTuple):
    """A model that could be loaded."""

    name: str
    file: Path
    facts: ModelFacts


class _Share(NamedTuple):
    """One kind of memory: what a plan takes of it, whatever the cache's length and for each of its
    tokens, and what there is; bytes."""

    fixed: float
    per_cell: float
    room: int

    @property
    def cells(self) -> float:
        """Tokens that fit; negative if not even the rest does."""
        left = self.room - self.fixed
        if not self.per_cell:
            return math.inf if left >= 0 else -math.inf
        return left / self.per_cell


class _Cache(NamedTuple):
    kv: KvType
    flash: bool
    cells: int


class _Goal(NamedTuple):
    """Tokens of cache: at least, enough to look no further, and at most."""

    least: int
    enough: int
    most: int


def fit(model: Path, facts: ModelFacts, machine: Machine, wishes: Wishes | None = None) -> Fit:
    """The plan to load a model with: on GPUs as far as they go.

    Raises EngineError with the sizes, and the nearest model that fits, if this one does not.
    """
    wishes = wishes or Wishes()
    found = _fit(model, facts, machine, wishes)
    if found is None:
        raise EngineError(_refusal(model, facts, machine, wishes))
    return found


def best(candidates: Iterable[Candidate], machine: Machine, wishes: Wishes) -> Fit | None:
    """The largest that is all on GPUs; without one, the largest that the CPU answers with in
    time, and if none does, the smallest. None if none fits."""
    ordered = sorted(candidates, key=lambda each: each.facts.weight_bytes)
    fits = [f for c in ordered if (f := _fit(c.file, c.facts, machine, wishes))]
    whole = [found for found in fits if found.where == "gpu"]
    quick = [found for found in fits if found.answer_seconds <= PATIENCE_SECONDS]
    ranked = whole or quick or fits[:1]
    return ranked[-1] if ranked else None


def _fit(model: Path, facts: ModelFacts, machine: Machine, wishes: Wishes) -> Fit | None:
    for gpu_layers in _placements(facts, machine, wishes):
        context = _context(facts, gpu_layers, wishes)
        cache = _cache(
            facts, machine, gpu_layers, _goal(facts, gpu_layers, context, wishes), wishes
        )
        if cache:
            return _planned(
                model, facts, machine, gpu_layers, min(context, cache.cells), cache, wishes
            )
    return None


def _placements(facts: ModelFacts, machine: Machine, wishes: Wishes) -> Iterator[int]:
    """How many layers on GPUs: the best first."""
    everything = facts.layers + 1  # and the output weights
    if wishes.gpu_layers is not None:
        yield min(wishes.gpu_layers, everything)
    elif machine.gpus:
        yield from range(everything, -1, -1)
    else:
        yield 0


def _context(facts: ModelFacts, gpu_layers: int, wishes: Wishes) -> int:
    usual = GPU_CONTEXT if gpu_layers > facts.layers else MIN_CONTEXT
    return min(wishes.context_tokens or usual, facts.context_tokens)


def _goal(facts: ModelFacts, gpu_layers: int, context: int, wishes: Wishes) -> _Goal:
    least = context if wishes.context_tokens else min(context, MIN_CONTEXT)
    if gpu_layers > facts.layers:
        return _Goal(least, 2 * context, (wishes.sequences or GPU_SEQUENCES) * context)
    if gpu_layers and wishes.gpu_layers is None:  # each layer in RAM costs more than cache gains
        return _Goal(2 * context, 2 * context, 2 * context)
    return _Goal(least, 2 * context, (wishes.sequences or CPU_SEQUENCES) * context)


def _cache(
    facts: ModelFacts, machine: Machine, gpu_layers: int, goal: _Goal, wishes: Wishes
) -> _Cache | None:
    """The first kind of cache of which enough fits, else the one of which most does."""
    found: list[_Cache] = []
    for kv, flash in _kinds(gpu_layers, wishes):
        vram, ram = _shares(facts, machine, gpu_layers, kv, flash=flash)
        cells = int(max(min(vram.cells, ram.cells, _blocks(goal.most)), 0)) // _BLOCK * _BLOCK
        if cells >= _blocks(goal.enough):
            return _Cache(kv, flash, cells)
        if cells >= _blocks(goal.least):
            found.append(_Cache(kv, flash, cells))
    return max(found, key=lambda cache: cache.cells, default=None)


def _kinds(gpu_layers: int, wishes: Wishes) -> Sequence[tuple[KvType, bool]]:
    """Kinds of cache, and whether with flash attention: the best first.

    Without it, each token is held against the tokens of all sequences, and most of that is thrown
    away: with four full ones a CPU reads half as fast. One sequence alone writes faster without.
    """
    kinds: list[tuple[KvType, bool]] = [("f16", False), ("f16", True), ("q8_0", True)]
    plain = not gpu_layers and wishes.sequences == 1
    return [(kv, flash) for kv, flash in kinds if (flash or plain) and wishes.kv in (None, kv)]


def _shares(
    facts: ModelFacts, machine: Machine, gpu_layers: int, kv: KvType, *, flash: bool
) -> tuple[_Share, _Share]:
    """What a plan takes of VRAM and of RAM."""
    on_gpu = min(gpu_layers, facts.layers) / facts.layers
    whole = gpu_layers > facts.layers
    cards = len(machine.gpus) if gpu_layers else 0
    fixed, per_cell = compute_buffers(facts, flash=flash)
    cache = facts.kv_bytes(kv)
    output = 0 if facts.tied else facts.output_bytes
    vram = _Share(
        on_gpu * facts.layer_bytes + (facts.output_bytes if whole else 0) + cards * fixed,
        on_gpu * cache + cards * per_cell,
        # whole layers are dealt out: with more cards, one may stay half a layer short
        sum(max(gpu.free - GPU_RESERVE, 0) for gpu in machine.gpus)
        - max(cards - 1, 0) * facts.layer_bytes // facts.layers,
    )
    ram = _Share(
        (1 - on_gpu) * facts.layer_bytes + facts.embedding_bytes + (0 if whole else output) + fixed,
        (1 - on_gpu) * cache + per_cell,
        machine.ram_available - RAM_RESERVE,
    )
    return vram, ram


def compute_buffers(facts: ModelFacts, *, flash: bool) -> tuple[float, float]:
    """Compute buffers: bytes whatever the cache's length, and for each of its tokens."""
    outputs = _OUTPUTS * facts.vocabulary * 4
    fixed = _BATCH * (12 * facts.feed_forward + 16 * facts.embedding) + outputs
    return fixed, _BATCH * (2 if flash else 4 * facts.heads + 5)


def _planned(
    model: Path,
    facts: ModelFacts,
    machine: Machine,
    gpu_layers: int,
    context: int,
    cache: _Cache,
    wishes: Wishes,
) -> Fit:
    whole = gpu_layers > facts.layers
    at_most = wishes.sequences or (GPU_SEQUENCES if whole else CPU_SEQUENCES)
    vram, ram = _shares(facts, machine, gpu_layers, cache.kv, flash=cache.flash)
    plan = LoadPlan(
        model=model,
        context_tokens=context,
        cells=cache.cells,
        sequences=wishes.sequences or max(min(cache.cells // MIN_CONTEXT, at_most), 1),
        gpu_layers=gpu_layers,
        kv=cache.kv,
        flash_attention=cache.flash,
        batch_tokens=_BATCH,
        threads=machine.cores,
    )
    return Fit(
        plan,
        facts,
        vram_bytes=int(vram.fixed + cache.cells * vram.per_cell),
        ram_bytes=int(ram.fixed + cache.cells * ram.per_cell),
        answer_seconds=_answer_seconds(facts, machine, gpu_layers),
    )


def _answer_seconds(facts: ModelFacts, machine: Machine, gpu_layers: int) -> float:
    on_cpu = max(facts.layers - gpu_layers, 0) / facts.layers
    reading = _PROMPT * 2 * facts.parameters / (_CORE_FLOPS * machine.cores)
    writing = _ANSWER * facts.weight_bytes / (_CORE_BYTES * min(machine.cores, _FED_CORES))
    return on_cpu * (reading + writing)


def _blocks(cells: int) -> int:
    return -(-cells // _BLOCK) * _BLOCK


def _refusal(model: Path, facts: ModelFacts, machine: Machine, wishes: Wishes) -> str:
    """What it takes at least, what there is, and what would fit."""
    cells = min(wishes.context_tokens or MIN_CONTEXT, facts.context_tokens)
    free = f"{size(max(machine.ram_available - RAM_RESERVE, 0))} of RAM"
    if machine.gpus:
        cells *= 2  # as `_goal` has it where layers are on both sides
        room = sum(max(gpu.free - GPU_RESERVE, 0) for gpu in machine.gpus)
        free = f"{size(room)} of GPU memory and {free}"
    fixed, per_cell = compute_buffers(facts, flash=True)
    cache = cells * facts.kv_bytes(wishes.kv or "q8_0")
    buffers = (1 + len(machine.gpus)) * (fixed + cells * per_cell)
    need = facts.weight_bytes + cache + buffers
    smaller = (
        each.name
        for each in reversed(CATALOGUE)
        if each.facts.weight_bytes < facts.weight_bytes
        and _fit(Path(each.file), each.facts, machine, Wishes())
    )
    nearest = next(smaller, None)
    return (
        f"{model.name} does not fit: it needs {size(need)} (weights {size(facts.weight_bytes)},"
        f" {cells:,} tokens of cache {size(cache)}, buffers {size(buffers)}) and {free} can be had"
        + (" with the context, cache and layers that are set" if wishes.any else "")
        + (f"; the nearest that fits is {nearest}" if nearest else "; no known model fits")
    )
