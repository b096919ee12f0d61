"""Pull requests live as they may: pushed, rebased, closed, argued about, while everything fails.

Hypothesis chooses what happens next; the service is the real one, in real processes.
"""

import random
import re
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from itertools import count
from multiprocessing.context import ForkServerContext, ForkServerProcess
from typing import ClassVar

import pytest
from forked import start_worker, worker_context
from github_simulator.state import Pull, Repository
from github_simulator.webhooks import Delivery
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    multiple,
    rule,
    run_state_machine_as_test,
)
from model_servers.behaviours import Fail
from serving import HEAD, READER, WEB, WRITER, Service, surroundings
from story_tenants import reaches_one_repository

from reviewbot.costs.prices import PriceBook
from reviewbot.service.dbos_setup import migrate_jobs

CANARY = "canary-of-the-machine-Vt58"
_MILLION = 1_000_000
_POSTS = r"^POST /repos/.*/(reviews|comments|check-runs)$"


class House:
    """The service, its worker, and whose turn it is to be killed."""

    def __init__(self, service: Service, context: ForkServerContext) -> None:
        self.service, self._context = service, context
        self.worker = self._started()

    def kill(self) -> None:
        self.worker.kill()
        self.worker.join()
        self.worker = self._started()

    def _started(self) -> ForkServerProcess:
        log = self.service.folder / "worker.log"
        return start_worker(self._context, self.service.environment, log)


class Life(RuleBasedStateMachine):
    """One repository with three branches that change a risky file each."""

    house: ClassVar[House]
    pulls = Bundle("pulls")

    def __init__(self) -> None:
        super().__init__()
        self.service = self.house.service
        self._steps = count(1)
        self.heard: dict[int, str] = {}
        """The newest head that a delivery came for."""
        self.told: dict[int, list[Delivery]] = {}
        self.lost: list[tuple[Pull, str]] = []
        """What GitHub did not deliver yet."""

    @initialize()
    def begin(self) -> None:
        self.repository: Repository = self.service.repository(pulls=3)
        self.repository.collaborators.update({WRITER: "write", READER: "read"})
        self.first = len(self.service.claude.bill), len(self.service.github.requests)

    @rule(target=pulls, branch=st.integers(1, 3))
    def open(self, branch: int) -> Pull:
        if any(pull.head == f"work{branch}" for pull in self.repository.pulls.values()):
            return multiple()
        pull = self.repository.open_pull(f"work{branch}", title="Simplify login")
        self._deliver(pull, "opened")
        return pull

    @rule(pull=pulls)
    def again(self, pull: Pull) -> None:
        """An old delivery comes once more."""
        old = random.Random(next(self._steps)).choice(self.told[pull.number])
        assert self.service.github.attempt(old).status == 202

    @rule(pull=pulls, force=st.booleans(), now=st.booleans())
    def push(self, pull: Pull, force: bool, now: bool) -> None:
        push = self.repository.force_push if force else self.repository.push
        path = f"shop/auth/login_{pull.head.removeprefix('work')}.py"
        push(pull, {path: f"{HEAD}# {next(self._steps)}\n"})
        if now:
            self._deliver(pull, "synchronize")
        else:
            self.lost.append((pull, "synchronize"))

    @rule()
    def late(self) -> None:
        """What was held up comes, the newest first."""
        while self.lost:
            self._deliver(*self.lost.pop())

    @rule()
    def base_moves(self) -> None:
        step = next(self._steps)
        self.repository.content.commit("main", {"README.md": f"{step}\n"})

    @rule(pull=pulls)
    def close_or_reopen(self, pull: Pull) -> None:
        if pull.state == "open":
            self.repository.close(pull)
            self._deliver(pull, "closed")
        else:
            self.repository.reopen(pull)
            self._deliver(pull, "reopened")

    @rule(
        pull=pulls,
        author=st.sampled_from([WRITER, READER]),
        what=st.sampled_from(["review", "why"]),
    )
    def command(self, pull: Pull, author: str, what: str) -> None:
        self.service.say(self.repository, pull, author, f"/reviewbot {what}")

    @rule()
    def kill(self) -> None:
        self.house.kill()

    @rule()
    def tokens_expire(self) -> None:
        self.service.github.expire_tokens()

    @rule(how=st.sampled_from(["502", "hang-up"]))
    def answer_is_lost(self, how: str) -> None:
        self.service.github.ambiguous(_POSTS, how)  # type: ignore[arg-type] # drawn from its words

    @rule()
    def github_fails(self) -> None:
        self.service.github.fail(f"/repos/{self.repository.full_name}/", 502, times=2)

    @rule()
    def model_is_busy(self) -> None:
        self.service.claude.play(Fail(529, headers={"retry-after": "1"}))

    def _deliver(self, pull: Pull, action: str) -> None:
        payload = self.service.github.payloads.pull_request(self.repository, pull, action)
        assert self.service.deliver("pull_request", payload).status == 202
        self.told.setdefault(pull.number, []).append(self.service.github.deliveries[-1])
        self.heard[pull.number] = self.repository.ends(pull)[1]

    def teardown(self) -> None:
        if not hasattr(self, "repository"):
            return
        self.service.until(lambda: self._heads_are_done(), "each head has its end")
        self.service.at_rest()
        self.service.github.faults.clear()
        for pull in self.repository.pulls.values():
            self._check_posted(pull)
            self._check_coverage(pull)
        self._check_money()
        self._check_requests()

    def _heads_are_done(self) -> bool:
        """Of all that are open and were heard of as they are now."""
        done = {check.head for check in self.repository.checks if check.status == "completed"}
        waiting = [
            pull
            for pull in self.repository.pulls.values()
            if pull.state == "open" and self.heard[pull.number] == self.repository.ends(pull)[1]
        ]
        return all(self.repository.ends(pull)[1] in done for pull in waiting)

    def _check_posted(self, pull: Pull) -> None:
        """Once for each head, base and request: what a job is of."""
        wanted = Counter(
            found[1]
            for name in self.service.jobs()
            if (found := re.match(rf"rv:\d+:{self.repository.id}#{pull.number}:(\w+):", name))
        )
        by_head = Counter(review.commit for review in pull.reviews)
        assert all(number <= wanted[head] for head, number in by_head.items()), by_head
        places = Counter((one.commit, one.path, one.line) for one in pull.threads)
        assert all(number <= wanted[place[0]] for place, number in places.items()), places
        summaries = [one for one in pull.comments if one.body.startswith("## reviewbot")]
        assert len(summaries) <= 1

    def _check_coverage(self, pull: Pull) -> None:
        """Each file of the change is read, or said not to be."""
        stored = self.service.newest_review(self.repository, pull)
        if stored and stored.head == self.repository.ends(pull)[1]:
            told = {entry["path"] for entry in stored.result["coverage"]}
            assert told >= {file.path for file in self.repository.files(pull)}

    def _check_money(self) -> None:
        price = PriceBook().price_of("anthropic", "claude-opus-5-5")
        bill = self.service.claude.bill[self.first[0] :]
        billed = sum(
            (price.input * one.input + price.output * one.output for one in bill), Decimal()
        )
        settled, unknown = self.service.calls(self.repository)
        known = sum((call.usd for call in settled), Decimal())
        reserved = sum((start.reserved_usd for start in unknown), Decimal())
        assert known <= billed / _MILLION <= known + reserved

    def _check_requests(self) -> None:
        for request in self.service.github.requests[self.first[1] :]:
            if not request.path.startswith("/app"):
                assert reaches_one_repository(self.service, request), request.path
            assert CANARY not in str(request.body)
        assert not any(CANARY in str(asked.body) for asked in self.service.claude.requests)
        assert CANARY not in self.service.log()


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with surroundings(tmp_path_factory.mktemp("life")) as service:
        service.more = {"AWS_SECRET_ACCESS_KEY": CANARY}
        migrate_jobs(service.settings)
        service.start(*WEB)
        service.listening()
        made = House(service, worker_context())
        yield made
        made.worker.terminate()
        made.worker.join(30)


#: Hypothesis begins with the shortest life, in which nothing happens.
@pytest.mark.parametrize("lives", [3, pytest.param(40, marks=pytest.mark.soak)])
def test_whatever_happens_nothing_is_lost_doubled_or_unpaid(house: House, lives: int) -> None:
    Life.house = house
    run_state_machine_as_test(
        Life,
        settings=settings(
            max_examples=lives,
            stateful_step_count=10 if lives == 3 else 25,
            deadline=None,
            database=None,
            phases=[Phase.generate],  # a life that failed can't be lived again
            suppress_health_check=list(HealthCheck),
        ),
    )
