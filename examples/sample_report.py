"""A month of a small installation, from webhooks to its report: `docs/sample-report.md`.

GitHub is the tests' simulated one, and hand-written answers stand for the models, so every call is
marked SCRIPTED; the flow, the ledger, the collecting of feedback and the report are the real ones.
Seed and clock are fixed: it comes out the same every time. `--html FILE` writes the page as well.
"""

import json
import random
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

# the simulated GitHub is the tests' own
sys.path.append(str(Path(__file__).parents[1] / "tests"))

from github_simulator.content import Content
from github_simulator.server import GitHubSimulator
from github_simulator.state import Pull, Repository

from reviewbot import books
from reviewbot.asking import Asker
from reviewbot.config.policy import Policy
from reviewbot.config.settings import Settings
from reviewbot.costs.local import LocalRates
from reviewbot.costs.prices import PriceBook
from reviewbot.engines.analyzers import LocalAnalyzers
from reviewbot.github.app import GitHubApp
from reviewbot.github.reviews import Attempt
from reviewbot.pipeline import Setup, effective_policy, review_change
from reviewbot.publishing.result import Review
from reviewbot.reporting.page_html import page_html
from reviewbot.reporting.page_text import page_markdown
from reviewbot.reporting.report_page import report_page
from reviewbot.reporting.window import named_month
from reviewbot.review.engine import EngineFacts, Lineup, Outcome, Prompt, Reply, Usage
from reviewbot.routing.rules import shipped_rules
from reviewbot.service.collecting import Collector
from reviewbot.service.github_host import GitHubHost
from reviewbot.service.intents import FeedbackIntent, ReviewIntent
from reviewbot.service.jobs import ReviewJob
from reviewbot.service.webhook import read_delivery
from reviewbot.service.workflows import review_id
from reviewbot.steps import PlainSteps
from reviewbot.store.feedback import FeedbackStore, open_feedback_store
from reviewbot.store.posted import Posting

ROOT = Path(__file__).parents[1]
SEED, PULLS = 20261001, 48
BEGIN = datetime(2026, 10, 1, 8, tzinfo=UTC)
KEY = b"a key of this example alone"
CLAUDE, LOCAL = "claude-opus-5-5", "qwen2.5-coder-32b-instruct"
RATES = LocalRates(Decimal(1400), 36, Decimal("0.13"), Decimal(350))
POLICY = "version: 1\nreview:\n  regret_percent: 30\nbudget:\n  monthly_usd: 5\n"

#: Good lines, and what a change makes of them: category, severity, title.
RISKY = {
    "    return hmac.compare_digest(user.digest, digest(password))\n": (
        "    return user.digest == digest(password)\n",
        ("security", "high", "The comparison leaks the digest by its time"),
    ),
    "    session.expires = now + HOUR\n": (
        "    session.expires = None\n",
        ("security", "high", "The session never ends"),
    ),
}
PLAIN = {
    "    return -(-total // size)\n": (
        "    return total // size\n",
        ("correctness", "high", "The last page is lost"),
    ),
    "    return items[start : start + size]\n": (
        "    return items[start : start + size + 1]\n",
        ("correctness", "medium", "A page has one item too many"),
    ),
}


@dataclass
class Clock:
    """Time goes on only where something takes time."""

    now: datetime = BEGIN

    def seconds(self) -> float:
        return (self.now - BEGIN).total_seconds()

    def wait(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@dataclass
class ScriptedModel:
    """Finds the flaws above, but for those that it overlooks."""

    name: str
    model: str
    provider: str | None
    clock: Clock
    chance: random.Random
    overlooks: float
    """Share of the flaws."""
    external: bool = field(init=False)
    context_tokens: int = 32_000

    def __post_init__(self) -> None:
        self.external = self.provider is not None

    def ask(self, prompt: Prompt, *, timeout: float) -> Reply:
        """Takes a time of its own; the tokens are those of the texts."""
        findings = [
            _finding(prompt.paths[0], line, *what)
            for line, what in (*RISKY.values(), *PLAIN.values())
            if line.strip() in prompt.unit and self.chance.random() >= self.overlooks
        ]
        text = json.dumps({"walkthrough": "Changes one line.", "findings": findings})
        seconds = round(self.chance.uniform(4, 11) if self.external else self.chance.uniform(9, 40))
        self.clock.wait(seconds)
        used = Usage(input=len(prompt.text) // 4, output=len(text) // 4)
        counts = {"input_tokens": used.input, "output_tokens": used.output}
        raw = {"model": self.model, "usage": counts}
        return Reply(
            Outcome.ANSWERED, self.model, seconds, text=text, usage=used, raw=raw, scripted=True
        )


def _finding(path: str, line: str, category: str, severity: str, title: str) -> dict[str, Any]:
    return {
        "path": path, "line": 4, "end_line": None, "quote": line.rstrip("\n"),
        "severity": severity, "category": category, "title": title,
        "body": f"{title}.", "confidence": 0.9, "suggestion": None,
    }  # fmt: skip


class Silent:
    """Nobody watches."""

    def say(self, text: str) -> None: ...

    def start(self, total: int, text: str) -> None: ...

    def done(self, text: str) -> None: ...


@dataclass(frozen=True)
class MonthSteps(PlainSteps):
    """As the service takes them, one after another."""

    host: GitHubHost | None = None
    job: ReviewJob | None = None
    clock: Clock = field(default_factory=Clock)

    def record(self, review: Review) -> None:
        assert self.job
        place = {"installation": self.job.installation, "repository_id": self.job.repository_id}
        self.ledger.save_review(review, request=self.job.asked_by, **place)

    def publish(self, review: Review) -> None:
        assert self.job
        assert self.host
        done = self.host.publish(self.job, review, Attempt(None, first=True))
        posting = Posting(
            self.job.installation,
            self.job.repository_id,
            self.clock.now,
            tuple(done.get("inline", ())),
            github_review=done.get("review_id"),
        )
        self.ledger.add_posted(review.id, posting)


@dataclass
class Month:
    """The installation, and what happens to it."""

    github: GitHubSimulator
    store: FeedbackStore
    clock: Clock
    chance: random.Random
    host: GitHubHost
    asker: Asker
    setup: Setup

    def deliver(self, event: str, payload: Mapping[str, Any]) -> None:
        """What the service does with a delivery."""
        intent = read_delivery(event, json.dumps(payload).encode())
        if isinstance(intent, ReviewIntent):
            self._review(intent.job())
        elif isinstance(intent, FeedbackIntent):
            self.host.feedback(intent.job())

    def _review(self, job: ReviewJob) -> None:
        steps = MonthSteps(
            review_id=review_id(job),
            source=lambda: self.host.fetch(job),
            analyzers=LocalAnalyzers(),
            asker=self.asker,
            ledger=self.store,
            reporter=Silent(),
            host=self.host,
            job=job,
            clock=self.clock,
        )
        review_change(steps, self.setup, review_id=steps.review_id, now=self.clock.now)

    def pull(self, repository: Repository, number: int) -> None:
        """Opened, reviewed, looked at by people, and mostly merged a day later."""
        chance, risky = self.chance, self.chance.random() < 0.35
        good, (flawed, _) = chance.choice(list((RISKY if risky else PLAIN).items()))
        path = f"shop/auth/login_{number}.py" if risky else f"shop/lists/page_{number}.py"
        text = f'"""Part {number}."""\n\n\ndef part_{number}(user, password, total, size):\n{good}'
        repository.content.commit("main", {path: text})
        branch = f"work-{number}"
        repository.content.commit(branch, {path: text.replace(good, flawed)}, start="main")
        title = f"{'Simplify login' if risky else 'Speed up lists'}, part {number}"
        pull = repository.open_pull(branch, title=title)
        payloads = self.github.payloads
        self.deliver("pull_request", payloads.pull_request(repository, pull))
        self._people(repository, pull, {path: text})
        if chance.random() < 0.9:
            when = f"{self.clock.now + timedelta(hours=20):%Y-%m-%dT%H:%M:%SZ}"
            repository.merge(pull, when=when)
            self.deliver("pull_request", payloads.pull_request(repository, pull, "closed"))

    def _people(self, repository: Repository, pull: Pull, mended: Mapping[str, str]) -> None:
        """Vote, resolve, or push what was there before."""
        for thread in list(pull.threads):
            mood = self.chance.random()
            if mood < 0.3:
                self.github.person("ada").react(thread, "+1")
            elif mood < 0.4:
                self.github.person("bob").react(thread, "-1")
            elif mood < 0.6:
                repository.push(pull, dict(mended) | {"NOTES.md": f"Mended {pull.number}\n"})


def build(folder: Path) -> tuple[str, str]:
    """Live through the month; its report as Markdown and as a page."""
    clock, chance = Clock(), random.Random(SEED)
    settings = Settings(data_dir=folder, monthly_budget_usd=Decimal(10))
    (folder / "github").mkdir()
    with (
        GitHubSimulator(folder / "github") as github,
        open_feedback_store(settings.database) as store,
    ):
        month = _month(github, store, clock, chance)
        shops = [_repository(github, folder, name) for name in ("acme/shop", "acme/billing")]
        for number in range(1, PULLS + 1):
            clock.now = BEGIN + timedelta(hours=14 * number, minutes=number)
            month.pull(chance.choice(shops), number)
        problems = github.problems
    if problems:
        raise SystemExit("\n".join(problems))
    report = books.month_report(settings, named_month("2026-10", datetime(2026, 11, 1, tzinfo=UTC)))
    page = report_page(report, api_url="https://api.github.com")
    return page_markdown(page) + "\n", page_html(page)


def _month(
    github: GitHubSimulator, store: FeedbackStore, clock: Clock, chance: random.Random
) -> Month:
    registered, prices = github.app("reviewbot"), PriceBook()
    github.install(registered, "acme")
    claude = ScriptedModel("claude", CLAUDE, "anthropic", clock, chance, 0.05)
    local = ScriptedModel("llama", LOCAL, None, clock, chance, 0.35)
    setup = Setup(
        rules=shipped_rules(),
        policy=Policy(),
        lineup=Lineup({"claude": EngineFacts.of(claude), "local": EngineFacts.of(local)}),
        prices=prices,
        claude_model=CLAUDE,
        claude_context_tokens=200_000,
        local_context_tokens=local.context_tokens,
        automatic=True,
    )
    app = GitHubApp(registered.id, registered.private_key, github.url)
    host = GitHubHost(
        app=app,
        marker_key=KEY,
        policy_of=lambda fetched: effective_policy(setup, fetched).policy,
        is_paused=lambda *_: False,
        commands=lambda _: {},
        reports=lambda *_: {},
        collect=Collector(app, store, KEY, now=lambda: clock.now).run,
    )
    asker = Asker(
        engines={"claude": claude, "local": local},
        timeouts={"claude": 300, "local": 600},
        ledger=store,
        prices=prices,
        rates=RATES,
        monthly_usd=Decimal(10),
        now=lambda: clock.now,
        seconds=clock.seconds,
    )
    return Month(github, store, clock, chance, host, asker, setup)


def _repository(github: GitHubSimulator, folder: Path, name: str) -> Repository:
    content = Content(folder / name.partition("/")[2])
    content.commit("main", {".github/reviewbot.yml": POLICY, "README.md": "Shop\n"})
    return github.repository(name, start=content)


def main(arguments: list[str]) -> int:
    with tempfile.TemporaryDirectory() as folder:
        markdown, html = build(Path(folder))
    (ROOT / "docs" / "sample-report.md").write_text(markdown, "utf-8")
    if arguments[:1] == ["--html"]:
        Path(arguments[1]).write_text(html, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
