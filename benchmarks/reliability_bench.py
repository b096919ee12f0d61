"""The service in real processes that are killed, and what must hold whatever happened to them."""

import os
import random
import resource
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import count
from multiprocessing.context import ForkServerContext, ForkServerProcess
from pathlib import Path
from tempfile import TemporaryDirectory

from databases import new_database
from forked import start_worker, worker_context
from github_simulator.state import Pull, Repository
from loopback import Remembering
from serving import EVER, HURRIED_SERVE, WEB, Service, alive, child, surroundings
from story_crashes import MILLION

from reviewbot.costs.prices import PriceBook
from reviewbot.service.dbos_setup import migrate_jobs
from reviewbot.service.queue import DbosQueue

#: Longest wait for anything, seconds: several people may use the machine.
PATIENCE = 240.0
_AT_WORK = ["PENDING", "ENQUEUED", "DELAYED"]


class Broken(AssertionError):
    """Something does not hold that always must."""


def must(holds: object, what: str) -> None:
    """Raises Broken unless it holds."""
    if not holds:
        raise Broken(what)


@dataclass
class Bench:
    """`reviewbot web` with workers beside it, or all of it as `reviewbot serve`."""

    service: Service
    context: ForkServerContext
    chance: random.Random
    together: bool
    seconds: float = float("inf")
    """A part ends after so many, whatever its count."""
    workers: list[ForkServerProcess] = field(default_factory=list)
    pulls: list[tuple[Repository, Pull]] = field(default_factory=list)
    """All that were opened so far."""
    _began: float = field(default_factory=time.monotonic)
    _logs: Iterator[int] = field(default_factory=count)
    _queue: DbosQueue | None = None

    @property
    def goes_on(self) -> bool:
        return time.monotonic() - self._began < self.seconds

    @property
    def database(self) -> str:
        return "PostgreSQL" if self.service.database_url else "SQLite"

    def begin(self, workers: int = 1) -> None:
        """Start all that is to run."""
        migrate_jobs(self.service.settings)
        if self.together:
            self.service.start(*HURRIED_SERVE)
        else:
            self.service.start(*WEB)
            for _ in range(workers):
                self.work()
        self.service.listening()

    def work(self) -> ForkServerProcess:
        """One more worker."""
        more = {}
        if self.service.database_url:
            more["REVIEWBOT_DATA_DIR"] = f"{self.service.folder}/data{next(self._logs)}"
        log = self.service.folder / f"worker{next(self._logs)}.log"
        environment = self.service.environment | more
        self.workers.append(start_worker(self.context, environment, log))
        return self.workers[-1]

    def kill(self, victim: str) -> None:
        """`kill -9`, and a new one in its place."""
        if self.together:
            self._kill_child(victim)
        elif victim == "worker":
            worker = self.workers.pop(self.chance.randrange(len(self.workers)))
            worker.kill()
            worker.join()
            self.work()
        else:
            arbiter = self.service.process
            for pid in (child(arbiter.pid, "web"), arbiter.pid):
                if pid:  # the listener, and the process above it
                    os.kill(pid, signal.SIGKILL)
            arbiter.wait()
            self.service.start(*WEB)

    def _kill_child(self, victim: str) -> None:
        if victim == "supervisor":
            self.service.process.kill()
            self.service.process.wait()
            self.service.start(*HURRIED_SERVE)
        elif pid := child(self.service.process.pid, victim):
            os.kill(pid, signal.SIGKILL)
            self.until(lambda: not alive(pid), "it is dead")

    @contextmanager
    def full_disk(self) -> Iterator[None]:
        """No file can grow: listener and workers may write none of their bytes."""
        arbiter = self.service.process.pid
        pids = [arbiter, child(arbiter, "web"), *(worker.pid for worker in self.workers)]

        def limit(most: int) -> None:
            for pid in filter(None, pids):
                resource.prlimit(pid, resource.RLIMIT_FSIZE, (most, resource.RLIM_INFINITY))

        limit(0)
        try:
            yield
        finally:
            limit(resource.RLIM_INFINITY)

    def repository(self, pulls: int, owner: str = "acme") -> Repository:
        made = self.service.repository(owner, pulls=pulls)
        made.content = Remembering(made.content.folder)
        return made

    def open(self, repository: Repository, number: int) -> Pull:
        """A new pull request; it is told of until the listener has heard it."""
        pull = repository.open_pull(f"work{number}", title="Simplify login")
        payload = self.service.github.payloads.pull_request(repository, pull)
        self.until(
            lambda: self.service.deliver("pull_request", payload).status == 202, "it is accepted"
        )
        self.pulls.append((repository, pull))
        return pull

    def until(
        self,
        seen: Callable[[], object],
        what: str,
        seconds: float = PATIENCE,
        *,
        look: float = 0.05,
    ) -> None:
        """Wait for it, looking every `look` seconds. Raises Broken."""
        deadline = time.monotonic() + seconds
        while not seen():
            if time.monotonic() > deadline:
                raise Broken(f"not in {seconds:.0f} s: {what}\n{self.service.log()[-4_000:]}")
            time.sleep(look)

    def requests_seen(self) -> int:
        """How far the service is, as seen from outside."""
        return len(self.service.github.requests) + len(self.service.claude.requests)

    def rest(self, pulls: Sequence[Pull]) -> None:
        """Wait until all of them are reviewed, and nothing is left to do."""
        self.until(lambda: all(pull.comments for pull in pulls), "all are reviewed")
        self.until(lambda: not self.at_work(), "all at rest")

    def at_work(self) -> bool:
        if self._queue is None:
            self._queue = DbosQueue(self.service._engine)
        return bool(
            self._queue.client.list_workflows(
                status=_AT_WORK, limit=1, load_input=False, load_output=False
            )
        )

    def end(self) -> None:
        for worker in self.workers:
            worker.terminate()
        for worker in self.workers:
            worker.join(30)
        if self._queue:
            self._queue.client.destroy()

    # what must hold

    def check(self, *, whole: bool = False) -> dict[str, int]:
        """Nothing lost, nothing twice, the ledger covers the bill; the figures. `whole`: no call was
        cut off, so that the ledger is the bill. Raises Broken."""
        states = set(self.service.jobs().values())
        must(states <= {"SUCCESS", "CANCELLED"}, f"jobs ended as {states}")
        settled = unknown = 0
        for repository in {id(one): one for one, _ in self.pulls}.values():
            mine = [pull for known, pull in self.pulls if known is repository]
            for pull in mine:
                self._check_posted(repository, pull)
            more = self._check_paid(repository, mine)
            settled, unknown = settled + more[0], unknown + more[1]
        bill = self._check_bill(whole=whole)
        return {
            "reviews": len(self.pulls),
            "calls settled": settled,
            "calls unknown": unknown,
            "answers billed": bill,
        }

    def _check_posted(self, repository: Repository, pull: Pull) -> None:
        head, name = repository.ends(pull)[1], f"{repository.full_name}#{pull.number}"
        posted = len(pull.reviews), len(pull.threads), len(pull.comments)
        must(posted == (1, 1, 1), f"{name}: reviews, threads, summaries: {posted}")
        must("Timing leaks the digest" in pull.threads[0].body, f"{name}: another finding")
        checks = [check for check in repository.checks if check.head == head]
        must(len(checks) == 1, f"{name}: {len(checks)} checks")
        must(checks[0].status == "completed", f"{name}: its check is {checks[0].status}")

    def _check_paid(self, repository: Repository, pulls: Sequence[Pull]) -> tuple[int, int]:
        calls, begun = self.service.calls(repository)
        for pull in pulls:
            name = f"{repository.full_name}#{pull.number}"
            mine = [call for call in calls if call.start.number == pull.number]
            must(mine, f"{name}: no settled call")
            first = min(call.settled_at for call in mine)
            # paid twice only where two asked before there was an answer
            for start in (*(call.start for call in mine), *begun):
                if start.number == pull.number:
                    must(start.started_at <= first, f"{name}: asked again after it was answered")
        with self.service.store() as store:
            rows = store.posted_findings(**EVER, repository=repository.full_name)
        must(
            sorted(row.number for row in rows) == sorted(pull.number for pull in pulls),
            f"{repository.full_name}: findings are not written down once each",
        )
        return len(calls), len(begun)

    def _check_bill(self, *, whole: bool) -> int:
        price = PriceBook().price_of("anthropic", "claude-opus-5-5")
        bill = self.service.claude.bill
        billed = sum(
            (price.input * one.input + price.output * one.output for one in bill), Decimal()
        )
        billed /= MILLION
        known = reserved = Decimal()
        for repository in {id(one): one for one, _ in self.pulls}.values():
            calls, begun = self.service.calls(repository)
            known += sum((call.usd for call in calls), Decimal())
            reserved += sum((start.reserved_usd for start in begun), Decimal())
        must(known <= billed <= known + reserved, f"${known} ≤ bill ${billed} ≤ + ${reserved}")
        must(not whole or known == billed, f"settled ${known} is not the bill ${billed}")
        return len(bill)


@contextmanager
def bench(
    server: str | None, seed: int, *, together: bool = False, seconds: float = float("inf")
) -> Iterator[Bench]:
    """On a new database of the PostgreSQL server, or on SQLite; nothing runs yet."""
    url = new_database(server) if server else ""
    with TemporaryDirectory() as folder, surroundings(Path(folder), url) as service:
        service.github.checked = False
        made = Bench(service, worker_context(), random.Random(seed), together, seconds)
        try:
            yield made
        finally:
            made.end()
