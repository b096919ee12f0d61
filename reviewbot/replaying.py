"""Merged history through router and packer: several processes, each commit once.

Each process reads a batch of commits with two git processes of its own and sends back only
figures.
"""

import gc
import hashlib
import json
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

import reviewbot
from reviewbot.change.model import Change
from reviewbot.change.source import Fetched
from reviewbot.errors import SourceError
from reviewbot.git.history import History, Merge, read_changes, read_history
from reviewbot.pipeline import Setup, effective_policy
from reviewbot.reporting.forecast import Past
from reviewbot.reporting.replay import Replayed, Replayer
from reviewbot.store.replays import ReplayCache

#: Commits of one task: enough that starting git does not count, few enough to show progress.
BATCH = 64
#: Fewer commits than this are not worth starting processes for, which takes a second.
WORTH_PROCESSES = 200
#: Context of a local model that nobody has chosen yet, tokens.
DEFAULT_CONTEXT_TOKENS = 16_384
#: Most processes: git and Python are both busy in each.
MAX_PROCESSES = 8

#: What decides a figure: the rooms of the package that a replay goes through.
_ROOMS = ("change", "config", "git", "privacy", "reporting", "review", "routing")


def replay_repository(
    folder: Path,
    setup: Setup,
    cache: Path,
    *,
    name: str = "",
    since: datetime | None = None,
    limit: int | None = None,
    processes: int | None = None,
    watch: Callable[[str, int], AbstractContextManager[Callable[[int], None]]],
) -> tuple[Past, int]:
    """The merged history of `folder`'s repository, replayed; and how much of it was known already.

    `name` is what it is called; its folder's name by default. The repository's policy of today
    narrows the operator's. `watch` is told the repository's name
    and the number of commits, and gives what is told of progress.

    Raises SourceError where there is no history, DocumentError for a broken policy.
    """
    history = read_history(folder, since=since, limit=limit)
    known = effective_policy(setup, Fetched(Change(()), policy=history.policy))
    context = setup.local_context_tokens or DEFAULT_CONTEXT_TOKENS
    replayer = Replayer(setup.rules, known.policy, history.guidelines, context, setup.lineup)
    called = name or history.repository.name
    with watch(called, len(history.merges)) as tick:
        done = replay_history(history, replayer, cache, processes=processes, tick=tick)
    if not done.changes:
        raise SourceError(f"no commit of {called} could be read (git fsck?)")
    notes = (*history.notes, *setup.lineup.using(known.policy.route.engines).notes)
    past = Past(called, history.branch, done.changes, done.unread, notes, history.times)
    return past, done.known


@dataclass(frozen=True)
class Replay:
    """What became of one repository's history."""

    changes: tuple[Replayed, ...]
    """Newest first."""
    unread: int
    """Merges that git can't make a diff of, or whose diff is too long."""
    known: int
    """Changes that an earlier forecast had replayed already."""


class _Batch(NamedTuple):
    """What a batch came to."""

    commits: int
    replayed: list[Replayed]


@dataclass(frozen=True)
class _Work:
    """What every batch of one history needs."""

    history: History
    replayer: Replayer

    def replay(self, merges: Sequence[Merge]) -> _Batch:
        replayed = [
            self.replayer.replay(past.fetched, past.merge.at)
            for past in read_changes(self.history, merges)
            if past.fetched
        ]
        return _Batch(len(merges), replayed)


def replay_history(
    history: History,
    replayer: Replayer,
    cache: Path,
    *,
    processes: int | None = None,
    tick: Callable[[int], None] = lambda count: None,
) -> Replay:
    """Replay every merge of `history` that the folder `cache` does not know yet.

    `tick` is told how many more are done. Raises SourceError if a process dies, StoreError if the
    cache can't be used.
    """
    kept = ReplayCache(cache, inputs_key(history, replayer))
    found = kept.load()
    todo = [merge for merge in history.merges if merge.sha not in found]
    known = len(history.merges) - len(todo)
    tick(known)
    work, several = _Work(history, replayer), processes or _processes()
    batches = [todo[start : start + BATCH] for start in range(0, len(todo), BATCH)]
    alone = several < 2 or len(todo) < WORTH_PROCESSES
    for batch in map(work.replay, batches) if alone else _in_processes(work, batches, several):
        kept.add(batch.replayed)
        found |= {each.sha: each for each in batch.replayed}
        tick(batch.commits)
    changes = tuple(found[merge.sha] for merge in history.merges if merge.sha in found)
    return Replay(changes, len(history.merges) - len(changes), known)


def inputs_key(history: History, replayer: Replayer) -> str:
    """A name for all that decides the figures of a commit but the commit itself."""
    inputs = {
        "version": reviewbot.__version__,
        "rules": [asdict(rule) for rule in replayer.rules.rules],
        "areas": {name: asdict(area) for name, area in replayer.rules.areas.items()},
        "policy": replayer.policy.model_dump(mode="json"),
        "guidelines": [list(document) for document in replayer.guidelines],
        "attributes": dict(history.attributes),
        "local_context_tokens": replayer.local_context_tokens,
        "engines": {role: asdict(facts) for role, facts in replayer.named.engines.items()},
        "choice": replayer.named.choice.model_dump(mode="json"),
    }
    key = hashlib.sha256(json.dumps(inputs, sort_keys=True, default=_plain).encode())
    root = Path(reviewbot.__file__).parent
    for path in sorted(path for room in _ROOMS for path in (root / room).rglob("*.[pm][yd]")):
        key.update(path.read_bytes())
    return key.hexdigest()[:32]


def _plain(value: object) -> object:
    """What JSON lacks, the same in every process: sets have no order of their own."""
    return sorted(map(str, value)) if isinstance(value, frozenset) else repr(value)


def _processes() -> int:
    return min(len(os.sched_getaffinity(0)), MAX_PROCESSES)


def _in_processes(
    work: _Work, batches: Sequence[Sequence[Merge]], processes: int
) -> Iterator[_Batch]:
    """The batches as they get done."""
    pool = ProcessPoolExecutor(
        min(processes, len(batches)),
        multiprocessing.get_context("spawn"),
        initializer=_begin,
        initargs=(work,),
    )
    try:
        tasks = [pool.submit(_do, batch) for batch in batches]
        for task in as_completed(tasks):
            yield task.result()
    except BrokenProcessPool:
        raise SourceError(
            "a process that replays history has died (out of memory?): try --processes 1"
        ) from None
    finally:
        pool.shutdown(cancel_futures=True)


#: In a process of the pool: what its batches need.
_work: _Work | None = None


def _begin(work: _Work) -> None:
    """Makes a process of the pool ready: it ends without a word on ^C, and with its parent."""
    global _work
    _work = work
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    # rules and modules stay, changes go one by one: looking for cycles among them takes a tenth
    gc.freeze()
    gc.set_threshold(50_000)
    if parent := multiprocessing.parent_process():
        threading.Thread(target=_end_with, args=(parent,), daemon=True).start()


def _end_with(parent: Any) -> None:
    parent.join()
    os._exit(1)


def _do(merges: Sequence[Merge]) -> _Batch:
    if _work is None:
        raise RuntimeError("a process of the pool was not made ready")
    return _work.replay(merges)
