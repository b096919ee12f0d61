"""Continuous batching: many answers over one context, a token of each in every step.

What prompts share is computed once. A job is admitted when the cells for its whole prompt and its
longest answer are free, so that none is ever stopped half-way for lack of room. Pull requests take
turns. Long prompts are computed in parts, beside the answers that are being written, and in so small
ones that these don't stand still for long.
"""

import time
from collections import OrderedDict, deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

from reviewbot.engines.llama.native import MAX_SEQUENCES, Native, Row
from reviewbot.engines.llama.pace import FEWEST, Pace
from reviewbot.engines.llama.prefixes import Prefix, Prefixes
from reviewbot.engines.llama.sampler import NoToken, Sampler
from reviewbot.errors import EngineError

Finish = Literal["stop", "length", "broken"]
"""The model ended its answer; the limit did; there was no next token to be had."""


@dataclass(frozen=True)
class Job:
    """One answer to be written."""

    id: int
    tokens: tuple[int, ...]
    cuts: tuple[int, ...]
    """Where parts that other prompts share end, ascending; less than the number of tokens."""
    pull: int
    """Where the part ends that is the same for all prompts of a pull request."""
    max_tokens: int
    grammar: str = ""
    """GBNF; empty for none."""
    temperature: float = 0.0
    seed: int = 0

    @property
    def cells(self) -> int:
        return len(self.tokens) + self.max_tokens

    @cached_property
    def group(self) -> tuple[int, ...]:
        """The same for all prompts of a pull request."""
        return self.tokens[: self.pull]


@dataclass(frozen=True)
class Done:
    """How a job ended."""

    id: int
    finish: Finish
    text: bytes
    computed: int
    """Tokens of the prompt that were computed for it."""
    reused: int
    """Tokens of the prompt that were there already."""
    output: int
    queued_s: float
    """Seconds until it was admitted; then until the first token; then until the last."""
    prompt_s: float
    answer_s: float
    detail: str = ""


@dataclass(eq=False)
class _Slot:
    """A job being worked on."""

    job: Job
    sequence: int
    sampler: Sampler
    prefix: Prefix | None
    computed: int
    queued_s: float
    at: int = 0
    """Tokens of the sequence that are computed."""
    begun: bool = False
    """It has its prefix's cells."""
    row: int = -1
    """Which row of this step its next token is chosen after; -1 for none."""
    out: bytearray = field(default_factory=bytearray)
    output: int = 0
    last: int = -1
    """The token chosen last; -1 before the first."""
    admitted: float = field(default_factory=time.monotonic)
    first: float = 0.0

    @property
    def tokens(self) -> tuple[int, ...]:
        return self.job.tokens

    @property
    def cells(self) -> int:
        return self.job.cells - (len(self.prefix.tokens) if self.prefix else 0)


class Batch:
    """The jobs of one context. For one thread."""

    def __init__(self, native: Native, *, sequences: int) -> None:
        """`sequences` jobs at once; `native` must have room for `sequences_needed`."""
        self._native = native
        self._free = list(range(sequences))
        self._prefixes = Prefixes(range(sequences, sequences_needed(sequences)))
        self._waiting: OrderedDict[tuple[int, ...], deque[tuple[Job, float]]] = OrderedDict()
        self._live: list[_Slot] = []
        self._pace = Pace(native.batch_tokens)

    @property
    def busy(self) -> bool:
        """There is something to compute."""
        return bool(self._live or self._waiting)

    def add(self, job: Job) -> None:
        """Queue a job. It must fit the context when it is alone: `job.cells` <= `native.cells`."""
        if job.cells > self._native.cells:
            raise ValueError(f"{job.cells} cells wanted, {self._native.cells} there")
        self._waiting.setdefault(job.group, deque()).append((job, time.monotonic()))

    def cancel(self, job_id: int) -> None:
        """Forget a job, whatever its state; nothing more is heard of it."""
        for slot in [slot for slot in self._live if slot.job.id == job_id]:
            self._end(slot)
        for group, queue in list(self._waiting.items()):
            kept = deque(item for item in queue if item[0].id != job_id)
            if kept:
                self._waiting[group] = kept
            else:
                del self._waiting[group]

    def admit(self) -> tuple[list[int], list[Done]]:
        """Take up as many jobs as fit, pull requests in turns: the ids of those taken up, and
        those that can't be (a grammar that does not parse)."""
        taken, broken = [], []
        while self._waiting and self._free:
            group, queue = next(iter(self._waiting.items()))
            job, since = queue[0]
            if not self._make_room(job):
                break  # nobody overtakes it: a large job would wait for ever
            queue.popleft()
            del self._waiting[group]
            if queue:
                self._waiting[group] = queue  # the last in turn now
            queued = time.monotonic() - since
            try:
                self._start(job, queued)
                taken.append(job.id)
            except EngineError as error:
                broken.append(Done(job.id, "broken", b"", 0, 0, 0, queued, 0, 0, str(error)))
        return taken, broken

    def step(self) -> list[Done]:
        """Compute one batch and choose a token for each job that has come so far: the jobs that
        ended. Raises DecodeError: then all is lost."""
        self._begin()
        rows = self._fill()
        if not rows:
            return []
        began = time.monotonic()
        self._native.decode(rows)
        self._pace.took(len(rows), time.monotonic() - began)
        ended = ((slot, self._choose(slot)) for slot in [s for s in self._live if s.row >= 0])
        return [self._done(slot, *how) for slot, how in ended if how is not None]

    def _make_room(self, job: Job) -> bool:
        """Give up unneeded prefixes until the job's cells and sequences are free."""
        found = self._prefixes.longest(job.tokens, job.cuts)
        if found is not None:
            self._prefixes.hold(found)  # it must not be the one that goes
        shared = len(found.tokens) if found else 0
        new = sum(1 for cut in job.cuts if cut > shared)
        try:
            while True:
                taken = self._prefixes.cells + sum(slot.cells for slot in self._live)
                if taken + job.cells - shared <= self._native.cells and new <= self._prefixes.free:
                    return True
                oldest = self._prefixes.oldest()
                if oldest is None:
                    return False
                self._forget(oldest)
        finally:
            if found is not None:
                self._prefixes.release(found)

    def _start(self, job: Job, queued: float) -> None:
        bounds = self._native.grammar(job.grammar) if job.grammar else None
        sampler = Sampler(self._native, bounds, temperature=job.temperature, seed=job.seed)
        prefix = self._prefixes.longest(job.tokens, job.cuts)
        reused = len(prefix.tokens) if prefix else 0
        for cut in job.cuts:
            if cut > (len(prefix.tokens) if prefix else 0):
                prefix = self._prefixes.add(job.tokens[:cut], prefix)
        if prefix is not None:
            self._prefixes.hold(prefix)
        computed = len(job.tokens) - reused
        self._live.append(_Slot(job, self._free.pop(), sampler, prefix, computed, queued))

    def _begin(self) -> None:
        """Share the cells of prefixes that have become ready."""
        for item in self._unbegun():
            source = item.parent if isinstance(item, Prefix) else item.prefix
            if source is not None:
                if not source.ready:
                    continue
                item.at = len(source.tokens)
                self._native.copy(source.sequence, item.sequence, item.at)
            item.begun = True

    def _unbegun(self) -> Iterator[Prefix | _Slot]:
        yield from (prefix for prefix in self._prefixes.unfinished() if not prefix.begun)
        yield from (slot for slot in self._live if not slot.begun)

    def _fill(self) -> list[Row]:
        """The step's rows: a token of each answer, then as much of prompts as there is room."""
        rows: list[Row] = []
        for slot in self._live:
            slot.row = -1
            if slot.last >= 0:
                slot.row = len(rows)
                rows.append(Row(slot.last, slot.at, slot.sequence, True))
                slot.at += 1
        limit = min(max(self._pace.rows, len(rows) + FEWEST), self._native.batch_tokens)
        for prefix in self._prefixes.unfinished():
            if prefix.begun:
                self._feed(prefix, rows, limit)
        for slot in self._live:
            if slot.begun and slot.last < 0:
                self._feed(slot, rows, limit)
                if slot.at == len(slot.tokens):
                    slot.row = len(rows) - 1
                    rows[-1] = rows[-1]._replace(wanted=True)
        return rows

    def _feed(self, item: Prefix | _Slot, rows: list[Row], limit: int) -> None:
        """As much of a prompt as there is room in a step of at most `limit` rows."""
        end = min(item.at + max(limit - len(rows), 0), len(item.tokens))
        rows += (Row(item.tokens[at], at, item.sequence, False) for at in range(item.at, end))
        item.at = end

    def _choose(self, slot: _Slot) -> tuple[Finish, str] | None:
        """The slot's next token; how the job ended if that was the last."""
        try:
            token = slot.sampler.next(self._native.scores(slot.row))
        except NoToken as error:
            return "broken", str(error)
        slot.first = slot.first or time.monotonic()
        if self._native.ends(token):
            return "stop", ""
        slot.last = token
        slot.out += self._native.piece(token)
        slot.output += 1
        return ("length", "") if slot.output >= slot.job.max_tokens else None

    def _done(self, slot: _Slot, finish: Finish, detail: str) -> Done:
        self._end(slot)
        first = slot.first or time.monotonic()
        return Done(
            id=slot.job.id,
            finish=finish,
            text=bytes(slot.out),
            computed=slot.computed,
            reused=len(slot.tokens) - slot.computed,
            output=slot.output,
            queued_s=slot.queued_s,
            prompt_s=first - slot.admitted,
            answer_s=time.monotonic() - first,
            detail=detail,
        )

    def _end(self, slot: _Slot) -> None:
        """Free what the job held; its prefix stays, unless nobody has computed it yet."""
        self._live.remove(slot)
        slot.sampler.close()
        self._native.drop(slot.sequence)
        self._free.append(slot.sequence)
        prefix = slot.prefix
        if prefix is not None:
            self._prefixes.release(prefix)
        while prefix is not None and not prefix.users and not prefix.ready:
            self._forget(prefix)
            prefix = prefix.parent

    def _forget(self, prefix: Prefix) -> None:
        self._prefixes.remove(prefix)
        self._native.drop(prefix.sequence)


def sequences_needed(sequences: int) -> int:
    """Sequences of a context in which `sequences` jobs run at once: two prefixes for each, of
    different pull requests and units in the worst case, one that all begin with, and some to keep
    for the next ones."""
    return min(3 * sequences + 4, MAX_SEQUENCES)
