"""An automatic local review that Claude reads as well: marked, redacted, capped, posted once."""

import subprocess
import uuid
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from flow.conftest import Terminal
from flow.test_steps import Silent
from model_servers.behaviours import Fail
from model_servers.claude import ClaudeServer
from model_servers.openai import OpenAIServer

from reviewbot import crews, wiring
from reviewbot.config.policy import load_policy
from reviewbot.config.settings import load_settings
from reviewbot.engines.analyzers import LocalAnalyzers
from reviewbot.git.ranges import read_range
from reviewbot.pipeline import review_change
from reviewbot.publishing.result import Review
from reviewbot.publishing.summary import summary_markdown
from reviewbot.steps import PlainSteps
from reviewbot.store.ledger import open_store

Says = Callable[..., str]
Automatic = Callable[..., Review]

FLOORS = {"title": "The last page is lost", "category": "correctness"}
ROUNDS = {"title": "Rounded to the wrong side", "category": "correctness"}
SLOW = {"title": "Slow for large totals", "category": "performance"}
SAMPLE = "review: {regret_percent: 100}\n"


@pytest.fixture
def automatic(
    terminal: Terminal, repository: Path, with_claude: ClaudeServer, with_local: OpenAIServer
) -> Automatic:
    """Reviews what a branch adds to main as the service would: nobody has asked for it."""

    def review(policy: str = SAMPLE, branch: str = "plain", *, automatic: bool = True) -> Review:
        settings = load_settings()
        crew = crews.engines(settings)
        setup = replace(
            wiring.setup(settings, crew), automatic=automatic, policy=load_policy(policy)
        )
        name = str(uuid.uuid4())
        with open_store(settings.database) as ledger:
            steps = PlainSteps(
                review_id=name,
                source=lambda: read_range(repository, f"main...{branch}"),
                analyzers=LocalAnalyzers(),
                asker=wiring.asker(settings, crew, ledger, setup.prices),
                ledger=ledger,
                reporter=Silent(),
            )
            return review_change(steps, setup, review_id=name, now=datetime.now(UTC))

    return review


def test_everybodys_findings_stand_once_and_the_comparison_is_counted(
    automatic: Automatic, with_claude: ClaudeServer, with_local: OpenAIServer, says: Says
) -> None:
    with_local.answering = lambda _: says(FLOORS)
    with_claude.answering = lambda _: says(ROUNDS, SLOW)

    review = automatic()

    assert {f.title: (f.engine, f.agreed) for f in review.findings} == {
        "The last page is lost": ("openai", ("claude",)),
        "Slow for large totals": ("claude", ()),
    }
    assert review.regret is not None
    assert (review.regret.total("both"), review.regret.total("only_claude")) == (1, 1)
    assert {call.engine: call.start.purpose for call in review.calls} == {
        "openai": "review",
        "claude": "regret",
    }
    assert review.regret_usd == review.cost.claude_usd > 0
    assert [entry.engine for entry in review.coverage] == ["openai"]
    assert {entry.path for entry in review.egress} >= {"shop/pages.py"}
    assert review.complete
    assert review.route.tier == "local"
    assert "sampled comparison: Claude has read this local review as well" in summary_markdown(
        review
    )


@pytest.mark.parametrize(
    ("policy", "branch", "by_itself"),
    [
        ("review: {regret_percent: 0}\n", "plain", True),
        (SAMPLE, "plain", False),
        (SAMPLE, "docs", False),
    ],
)
def test_who_is_not_sampled_is_read_by_the_local_model_alone(
    automatic: Automatic, with_claude: ClaudeServer, policy: str, branch: str, by_itself: bool
) -> None:
    review = automatic(policy, branch, automatic=by_itself)

    assert (review.regret, with_claude.asked) == (None, [])


def test_what_the_rules_send_to_claude_is_no_comparison(
    automatic: Automatic, with_claude: ClaudeServer
) -> None:
    review = automatic(branch="risky")

    assert review.regret is None
    assert [call.start.purpose for call in review.calls] == ["review"]


def test_a_claude_that_fails_fails_no_review(
    automatic: Automatic, with_claude: ClaudeServer, with_local: OpenAIServer, says: Says
) -> None:
    with_local.answering = lambda _: says(FLOORS)
    with_claude.answering = lambda _: Fail(401, message="invalid x-api-key")

    review = automatic()

    assert [finding.engine for finding in review.findings] == ["openai"]
    assert (review.regret, review.complete) == (None, True)
    assert any("sampled comparison: Claude did not read it" in note for note in review.notes)


def test_a_comparison_that_the_budget_does_not_cover_is_left_out_and_holds_nothing(
    automatic: Automatic, with_claude: ClaudeServer
) -> None:
    review = automatic(SAMPLE + "budget: {monthly_usd: 0.001, when_exhausted: hold}\n")

    assert with_claude.asked == []
    assert (review.regret, review.held, review.complete) == (None, "", True)
    assert any("sampled comparison, not counted: budget used up" in note for note in review.notes)


def test_what_never_leaves_is_not_compared(
    automatic: Automatic, with_claude: ClaudeServer, with_local: OpenAIServer, says: Says
) -> None:
    with_local.answering = lambda _: says(FLOORS)

    review = automatic(SAMPLE + "route: {never_send: ['shop/pages.py']}\n")

    assert with_claude.asked == []
    assert (review.regret, review.egress) == (None, ())
    assert "sampled comparison: none of it may be sent to Claude" in review.notes


def test_secrets_are_cut_out_of_what_is_compared(
    automatic: Automatic, repository: Path, with_claude: ClaudeServer, with_local: OpenAIServer
) -> None:
    key = "AKIA" + "IOSFODNN7EXAMPLQ"
    (repository / "shop" / "pages.py").write_text(f'KEY = "{key}"\n')
    identity = ["-c", "user.name=A", "-c", "user.email=a@example.org"]
    for step in (["checkout", "-q", "-b", "keyed"], [*identity, "commit", "-qam", "Add a key"]):
        subprocess.run(["git", *step], cwd=repository, check=True, capture_output=True)

    review = automatic(branch="keyed")

    [asked] = with_claude.asked
    assert review.regret is not None
    assert key not in asked.user
    assert sum(entry.redactions for entry in review.egress) > 0
