"""A worker with a host of files; `run` is the life of a real worker process.

A job can be held at a point of its way (`hold/NUMBER` names the point), so that a test knows where
a `kill -9` hits it.
"""

import json
import os
import re
import threading
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import anthropic  # noqa: F401 - loaded once for all workers
import dbos  # noqa: F401
from hurried import POLL_SECONDS
from sqlalchemy import Engine as DatabaseEngine

from reviewbot.asking import Asker
from reviewbot.change.parse import parse_diff
from reviewbot.change.source import Fetched
from reviewbot.config.policy import Policy
from reviewbot.config.settings import Settings
from reviewbot.costs.calls import Call
from reviewbot.costs.local import LocalRates
from reviewbot.costs.prices import PriceBook
from reviewbot.engines.analyzers import LocalAnalyzers
from reviewbot.engines.claude import ClaudeEngine
from reviewbot.engines.openai_compatible import OpenAICompatibleEngine
from reviewbot.errors import ReviewbotError
from reviewbot.github.reviews import Attempt
from reviewbot.pipeline import Setup
from reviewbot.publishing.result import Review
from reviewbot.review.engine import EngineFacts, Lineup, Prompt, Reply
from reviewbot.routing.rules import shipped_rules
from reviewbot.service import dbos_setup, worker
from reviewbot.service.calling import Caller
from reviewbot.service.durable import Failure, Parts
from reviewbot.service.jobs import CommandJob, FeedbackJob, ReportJob, ReviewJob, job_id
from reviewbot.service.queue import DbosQueue
from reviewbot.store.jobs import JobStore, open_job_store
from reviewbot.store.prompts import Question

#: A change that the rules send to Claude, and one for the local model.
RISKY = """\
diff --git a/shop/auth/login_{n}.py b/shop/auth/login_{n}.py
--- a/shop/auth/login_{n}.py
+++ b/shop/auth/login_{n}.py
@@ -1,3 +1,3 @@
 def login(user, password):
-    return hmac.compare_digest(user.digest, digest(password))
+    return user.digest == digest(password)
 
"""
PLAIN = """\
diff --git a/shop/pages_{n}.py b/shop/pages_{n}.py
--- a/shop/pages_{n}.py
+++ b/shop/pages_{n}.py
@@ -1,2 +1,2 @@
 def pages(total, size):
-    return -(-total // size)
+    return total // size
"""


@dataclass(frozen=True)
class Holds:
    """Where jobs are held, by their pull request's number."""

    folder: Path

    def at(self, point: str, number: int) -> None:
        """Stay here for ever if the job is to be held at this point."""
        hold = self.folder / str(number)
        if hold.exists() and hold.read_text() == point:
            (self.folder / f"{number}.reached").touch()
            threading.Event().wait()


@dataclass(frozen=True)
class FileHost:
    """A Host whose pull requests are files; what is published lies in `posts`, once for each job."""

    folder: Path
    holds: Holds

    def newest(self, job: ReviewJob) -> ReviewJob | None:
        said = self.folder / "heads" / str(job.number)
        head = said.read_text() if said.exists() else job.head
        if head == "closed":
            return None
        return job if head == job.head else replace(job, head=head, request="auto", tier=None)

    def fetch(self, job: ReviewJob, also: Collection[str]) -> Fetched:
        if (crash := self.folder / "bugs" / str(job.number)).exists():
            raise KeyError(crash.read_text())
        template = PLAIN if job.number >= 100 else RISKY
        change = parse_diff(template.replace("{n}", str(job.number)))
        self.holds.at("before ask", job.number)
        return Fetched(replace(change, repository=job.repository, number=job.number, head=job.head))

    def begin(self, job: ReviewJob, *, first: bool) -> int | None:
        self.holds.at("at the beginning", job.number)
        return job.number

    def waiting(self, job: ReviewJob, check_id: int) -> None:
        """Nothing to show."""

    def publish(self, job: ReviewJob, review: Review, attempt: Attempt) -> Mapping[str, Any]:
        self.holds.at("before publish", job.number)
        if self.newest(job) != job or not attempt.ours():
            return {}
        posted = self._post(job, {"review": review.id, "calls": [call.id for call in review.calls]})
        self.holds.at("after publish", job.number)
        return posted

    def publish_failure(
        self, job: ReviewJob, failure: Failure, attempt: Attempt
    ) -> Mapping[str, Any]:
        return self._post(job, {"failed": failure.reason, "review": failure.review_id})

    def end(self, job: ReviewJob, check_id: int | None, why: str) -> None:
        (self.folder / "ended" / str(job.number)).write_text(f"{check_id} {why}")

    def finished(self, job: ReviewJob) -> None:
        """Nothing was kept."""

    def command_failed(self, job: CommandJob) -> bool:
        return True

    def command(self, job: CommandJob) -> Mapping[str, Any]:
        return {"did": job.command}

    def feedback(self, job: FeedbackJob) -> Mapping[str, Any]:
        if (bug := self.folder / "bugs" / f"{job.number}.feedback").exists():
            raise ReviewbotError(bug.read_text())
        return {"written": sum(post["number"] == job.number for post in self.posts())}

    def report(self, job: ReportJob, ours: Callable[[], bool]) -> Mapping[str, Any]:
        posted = self.folder / "reports" / f"{job.repository_id}.{job.month}"
        if (bug := self.folder / "bugs" / f"{job.repository_id}.report").exists():
            raise ReviewbotError(bug.read_text())
        self.holds.at("before the report", job.repository_id)
        if not ours():
            return {}
        with posted.open("a") as file:
            file.write("posted\n")
        return {"issue": job.repository_id}

    def _post(self, job: ReviewJob, content: dict[str, Any]) -> dict[str, Any]:
        marker = re.sub(r"\W", "_", job_id(job))
        if found := list((self.folder / "posts").glob(f"*.{marker}")):
            return {"post": found[0].name}
        order = len(list((self.folder / "posts").iterdir()))
        path = self.folder / "posts" / f"{order:04}.{marker}"
        whole = self.folder / marker
        whole.write_text(json.dumps({"number": job.number, "head": job.head, **content}))
        whole.rename(path)
        return {"post": path.name}

    def posts(self) -> list[dict[str, Any]]:
        """All that was published, in order."""
        return [json.loads(path.read_text()) for path in sorted((self.folder / "posts").iterdir())]


@dataclass(frozen=True)
class HeldEngine:
    """An engine whose answers may never arrive."""

    engine: ClaudeEngine
    holds: Holds

    def __getattr__(self, name: str) -> Any:
        return getattr(self.engine, name)

    def ask(self, prompt: Prompt, *, timeout: float) -> Reply:
        reply = self.engine.ask(prompt, timeout=timeout)
        for number in re.findall(r"login_(\d+)", " ".join(prompt.paths)):
            self.holds.at("in mid-call", int(number))
        return reply


class HeldStore(JobStore):
    """A store after which the process may die."""

    holds: Holds

    def settle_answer(self, call: Call, question: Question, attempt: int, reply: Reply) -> Reply:
        held = super().settle_answer(call, question, attempt, reply)
        self.holds.at("after the answer", call.start.number or 0)
        return held


@dataclass(frozen=True)
class Place:
    """Where a worker of the tests lives: as arguments of its process."""

    folder: str
    database_url: str
    claude_url: str
    claude_key: str
    local_url: str

    @property
    def settings(self) -> Settings:
        return Settings(data_dir=Path(self.folder), database_url=self.database_url)

    @property
    def holds(self) -> Holds:
        return Holds(Path(self.folder, "hold"))

    @property
    def host(self) -> FileHost:
        for name in ("posts", "heads", "bugs", "hold", "ended", "reports"):
            Path(self.folder, name).mkdir(parents=True, exist_ok=True)
        return FileHost(Path(self.folder), self.holds)

    def parts(self, jobs_database: DatabaseEngine) -> Parts:
        """Real engines, store and queue; only the host is ours."""
        store = open_job_store(self.settings.database)
        store.__class__ = HeldStore
        store.holds = self.holds  # type: ignore[attr-defined]
        claude = ClaudeEngine(
            key=self.claude_key,
            model="claude-opus-5-5",
            url=self.claude_url,
            context_tokens=200_000,
        )
        local = OpenAICompatibleEngine(
            url=f"{self.local_url}/v1", key=None, model="qwen2.5-coder-32b-instruct"
        )
        prices = PriceBook()
        setup = Setup(
            rules=shipped_rules(),
            policy=Policy(),
            lineup=Lineup({"claude": EngineFacts.of(claude), "local": EngineFacts.of(local)}),
            prices=prices,
            claude_model="claude-opus-5-5",
            claude_context_tokens=200_000,
            local_context_tokens=16_000,
        )
        asker = Asker(
            engines={"claude": HeldEngine(claude, self.holds), "local": local},
            timeouts={"claude": 20, "local": 20},
            ledger=store,
            prices=prices,
            rates=LocalRates(Decimal(1400), 36, Decimal("0.13"), Decimal(350)),
        )
        return Parts(
            host=self.host,
            caller=Caller(store, asker),
            analyzers=LocalAnalyzers(),
            queue=DbosQueue(jobs_database),
            setup=lambda _: setup,
        )


def run(place: Place, log: str) -> None:
    """The whole life of a worker process."""
    with Path(log).open("w") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    dbos_setup.POLL_SECONDS.update(POLL_SECONDS)
    worker.run_worker(place.settings, place.parts, worker.Pace(beat=0.2, dead=4.0))
