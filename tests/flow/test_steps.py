"""The steps at a terminal: what a call used and what it sent is counted."""

import threading
import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from model_servers.openai import OpenAIServer
from model_servers.server import Asked

from reviewbot.asking import Asker
from reviewbot.change.parse import parse_diff
from reviewbot.change.source import Fetched
from reviewbot.config.policy import load_policy
from reviewbot.costs.calls import Call, CallStart
from reviewbot.costs.local import LocalRates
from reviewbot.costs.money import exact
from reviewbot.costs.prices import PriceBook
from reviewbot.engines.analyzers import LocalAnalyzers
from reviewbot.engines.openai_compatible import OpenAICompatibleEngine
from reviewbot.pipeline import Setup, review_change
from reviewbot.publishing.result import Review
from reviewbot.review.engine import EngineFacts, Lineup, Prompt, Reply
from reviewbot.routing.rules import shipped_rules
from reviewbot.steps import PlainSteps
from reviewbot.store.ledger import open_store

DIFF = """\
diff --git a/a.py b/a.py
new file mode 100644
--- /dev/null
+++ b/a.py
@@ -0,0 +1 @@
+x = 1
"""


class Silent:
    def say(self, text: str) -> None: ...

    def start(self, total: int, label: str) -> None: ...

    def done(self, label: str) -> None: ...


class Meter:
    """A card that uses 500 J between two readings."""

    joules = 1_000.0

    def __call__(self) -> float:
        self.joules += 500
        return self.joules


class OneAtATime(OpenAICompatibleEngine):
    """An engine that says how much it works on side by side."""

    at_once = 1

    def ask_in_turn(self, prompt: Prompt, *, timeout: float, begun: Callable[[], None]) -> Reply:
        begun()
        return self.ask(prompt, timeout=timeout)


Run = Callable[..., tuple[Review, list[Call | CallStart]]]


@pytest.fixture
def engine(openai_server: OpenAIServer) -> OpenAICompatibleEngine:
    return OpenAICompatibleEngine(
        url=f"{openai_server.root}/v1", key=openai_server.key or None, model=openai_server.models[0]
    )


@pytest.fixture
def run(engine: OpenAICompatibleEngine, tmp_path: Path) -> Run:
    """Review the diff; the review and the ledger's calls."""

    def reviewed(policy: str = "") -> tuple[Review, list[Call | CallStart]]:
        prices, name = PriceBook(), str(uuid.uuid4())
        setup = Setup(
            rules=shipped_rules(),
            policy=load_policy(policy),
            lineup=Lineup({"local": EngineFacts.of(engine)}),
            prices=prices,
            claude_model="claude-opus-5-5",
            claude_context_tokens=200_000,
            local_context_tokens=16_000,
        )
        with open_store(f"sqlite:///{tmp_path / 'a.db'}") as store:
            steps = PlainSteps(
                review_id=name,
                source=lambda: Fetched(parse_diff(DIFF)),
                analyzers=LocalAnalyzers(),
                asker=Asker(
                    engines={"local": engine},
                    timeouts={"local": 10},
                    ledger=store,
                    prices=prices,
                    rates=LocalRates(Decimal(0), 36, Decimal("0.13"), Decimal(350)),
                    energy=Meter(),
                ),
                ledger=store,
                reporter=Silent(),
            )
            review = review_change(steps, setup, review_id=name, now=datetime.now(UTC))
            return review, list(store.calls(review_id=name))

    return reviewed


def test_measured_joules_are_in_the_ledger_and_in_the_cost(run: Run) -> None:
    review, [stored] = run()

    assert review.cost.joules_how == "measured"
    assert review.cost.joules == pytest.approx(500)
    assert review.cost.local_usd == exact(Decimal(500) / 3_600_000 * Decimal("0.13"))
    assert stored == review.calls[0]


def test_what_an_outside_server_got_twice_is_on_the_receipt_twice(
    run: Run, engine: OpenAICompatibleEngine, openai_server: OpenAIServer
) -> None:
    engine.external = True  # as with any host that is not this machine
    once = run()[0].egress
    openai_server.takes_schema = False

    review, calls = run()

    assert len(calls) == 1
    assert len(openai_server.requests) == 3
    sent = [(entry.path, entry.bytes) for entry in review.egress]
    assert sent == [(entry.path, 2 * entry.bytes) for entry in once]
    assert "a.py" in dict(sent)


def test_an_engine_that_takes_turns_gets_what_it_works_on_and_one_more(
    run: Run, engine: OpenAICompatibleEngine, openai_server: OpenAIServer
) -> None:
    engine.__class__ = OneAtATime
    there, most, lock = set[int](), [0], threading.Lock()

    def answered(asked: Asked) -> str:
        with lock:
            there.add(id(asked))
            most[0] = max(most[0], len(there))
        time.sleep(0.1)  # the others come meanwhile
        with lock:
            there.remove(id(asked))
        return '{"walkthrough": "x", "findings": []}'

    openai_server.answering = answered

    _, calls = run("review: {passes: 5}\n")

    assert len(calls) == 5
    assert most == [2]
