"""The service with a model of its own: what was counted once is packed the same way after a crash."""

import multiprocessing
import os
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import durable_jobs
import pytest
from durable_jobs import FileHost, Place
from sqlalchemy import Engine
from tiny_gguf import Shape, write_model

from reviewbot.change.parse import parse_diff
from reviewbot.change.source import Fetched
from reviewbot.config.settings import Settings
from reviewbot.costs.calls import Call
from reviewbot.engines.llama.engine import LlamaEngine
from reviewbot.review.engine import Counted, Prompt
from reviewbot.service.dbos_setup import jobs_engine, migrate_jobs
from reviewbot.service.durable import Parts
from reviewbot.service.jobs import ReviewJob
from reviewbot.service.parts import make_parts
from reviewbot.service.queue import DbosQueue
from reviewbot.service.workflows import review_id
from reviewbot.store.jobs import JobStore, open_job_store

pytestmark = pytest.mark.usefixtures("one_core")

JOB = ReviewJob(
    installation=11,
    repository="acme/shop",
    repository_id=22,
    number=101,
    head="a" * 40,
    base="0" * 40,
    request="auto",
)
#: Lines that the tiny vocabulary has four times as many tokens for as is estimated.
DENSE = "".join(f"+{number:03}{'jqxz' * 12}\n" for number in range(120))
DIFF = f"""\
diff --git a/dense.txt b/dense.txt
new file mode 100644
--- /dev/null
+++ b/dense.txt
@@ -0,0 +1,120 @@
{DENSE}"""


class DenseHost(FileHost):
    """Its pull request is one that estimates misjudge."""

    def fetch(self, job: ReviewJob, also: Collection[str]) -> Fetched:
        change = parse_diff(DIFF)
        return Fetched(replace(change, repository=job.repository, number=job.number, head=job.head))


class SureEngine(LlamaEngine):
    """It must not be asked to count."""

    def count(self, prompt: Prompt, texts: Sequence[str]) -> Counted:
        raise AssertionError("what was counted is kept")


@dataclass(frozen=True)
class LlamaPlace(Place):
    """Where nothing is set but the name of a model's file."""

    model: str = ""
    counts: bool = True

    @property
    def settings(self) -> Settings:
        return Settings(data_dir=Path(self.folder), local_model=self.model, local_sequences=2)

    @property
    def host(self) -> FileHost:
        usual = super().host
        return DenseHost(usual.folder, usual.holds)

    def parts(self, jobs_database: Engine) -> Parts:
        # one thread: two that wait for each other in each step are slow where others want the cores
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
        parts = make_parts(self.settings, jobs_database, self.host)
        local: Any = parts.caller.asker.engines["local"]
        if not self.counts:
            local.__class__ = SureEngine
        return parts


def until(done: Callable[[], object], process: BaseProcess, place: Place) -> None:
    deadline = time.monotonic() + 120
    while not done():
        alive = process.is_alive() and time.monotonic() < deadline
        assert alive, "\n".join(path.read_text() for path in Path(place.folder).glob("*.log"))
        time.sleep(0.02)


@contextmanager
def working(place: Place, log: Path) -> Iterator[BaseProcess]:
    """A worker process, killed at the end."""
    context = multiprocessing.get_context("spawn")
    process = context.Process(target=durable_jobs.run, args=(place, str(log)))
    process.start()
    try:
        yield process
    finally:
        process.kill()
        process.join()


def settled(store: JobStore) -> Mapping[str, Call]:
    calls = store.calls(review_id=review_id(JOB))
    return {call.id: call for call in calls if isinstance(call, Call)}


def test_a_crash_after_the_first_answer_changes_no_part_and_buys_none_twice(
    tmp_path: Path,
) -> None:
    pytest.importorskip("llama_cpp", reason="llama-cpp-python is not installed (make llama)")
    model = write_model(tmp_path / "tiny.gguf", replace(Shape(), context=8_192))
    place = LlamaPlace(str(tmp_path), "", "", "", "", str(model))
    engine = jobs_engine(place.settings)
    migrate_jobs(place.settings)
    queue, host = DbosQueue(engine), place.host
    queue.enqueue_review(JOB)

    with open_job_store(place.settings.database) as store:
        with working(place, tmp_path / "1.log") as first:
            until(lambda: settled(store), first, place)
        before = settled(store)
        with working(replace(place, counts=False), tmp_path / "2.log") as second:
            until(lambda: len(host.posts()) == 1, second, place)
        after, review = settled(store), store.review(review_id(JOB))

    engine.dispose()
    assert review is not None
    assert [entry["engine"] for entry in review.result["coverage"]] == ["llama"]
    assert before.items() <= after.items()
    answered = [call for call in after.values() if call.outcome in ("answered", "truncated")]
    assert len({call.start.unit for call in answered}) == len(answered) > 1
    assert "too_long" not in {call.outcome for call in after.values()}
