"""A budget at a terminal: what it does not cover is not asked, and the review says so first."""

import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest
from flow.conftest import Terminal
from model_servers.behaviours import Hang
from model_servers.claude import ClaudeServer
from model_servers.openai import OpenAIServer

from reviewbot.config.settings import load_settings
from reviewbot.costs.calls import Call, CallStart
from reviewbot.store.ledger import open_store

Says = Callable[..., str]
Policy = Callable[[str], None]

#: Below the reserve of the smallest question to Claude, above what it costs.
TIGHT = "0.02"


@pytest.fixture
def policy(terminal: Terminal, tmp_path: Path) -> Policy:
    """Sets the operator's policy."""

    def write(text: str) -> None:
        (tmp_path / "policy.yml").write_text(text)
        terminal.set(policy=tmp_path / "policy.yml")

    return write


@pytest.fixture
def ledger(terminal: Terminal) -> Callable[[], list[Call | CallStart]]:
    """All calls of the terminal's ledger."""

    def read() -> list[Call | CallStart]:
        with open_store(load_settings().database) as store:
            return store.calls()

    return read


def test_what_claude_cant_be_paid_for_is_read_by_the_local_model_and_said_first(
    terminal: Terminal,
    repository: Path,
    with_claude: ClaudeServer,
    with_local: OpenAIServer,
    says: Says,
    ledger: Callable[[], list[Call | CallStart]],
) -> None:
    with_local.answering = lambda _: says()
    terminal.set(monthly_budget_usd=TIGHT)

    review = terminal.review(repository, "risky")

    assert with_claude.asked == []
    [entry] = review["coverage"]
    assert (entry["status"], entry["engine"]) == ("full", "openai")
    assert entry["reason"] == "risky, budget used up: read by the local model"
    assert review["strategy"] == "local"
    assert review["attention"] == [
        "RISKY, BUDGET USED UP: shop/auth/login.py: read by the local model"
        " (all repositories together may spend $0.02 a month)"
    ]
    assert not review["complete"]
    assert review["egress"] == []
    assert review["cost"]["claude_usd"] == "0"
    assert (review["cost"]["calls"], review["cost"]["over_budget"]) == (1, 1)
    refused, read = ledger()
    assert isinstance(refused, Call)
    assert (refused.outcome, refused.usd, refused.start.reserved_usd) == ("over_budget", 0, 0)
    assert (refused.engine, read.engine) == ("claude", "openai")


def test_without_a_local_model_the_file_is_said_to_be_unread(
    terminal: Terminal, repository: Path, with_claude: ClaudeServer
) -> None:
    terminal.set(monthly_budget_usd=TIGHT)

    review = terminal.review(repository, "risky")

    assert review["attention"] == [
        "NOT REVIEWED (1 risky): shop/auth/login.py: budget used up:"
        " all repositories together may spend $0.02 a month"
    ]
    assert with_claude.asked == []


def test_a_review_that_is_held_asks_nobody_and_says_how_it_goes_on(
    terminal: Terminal,
    repository: Path,
    with_claude: ClaudeServer,
    with_local: OpenAIServer,
    policy: Policy,
) -> None:
    policy(
        f"budget: {{monthly_usd: {TIGHT}, when_exhausted: hold}}\nroute: {{granularity: file}}\n"
    )

    review = terminal.review(repository, "both")

    assert (with_claude.asked, with_local.asked, review["calls"]) == ([], [], [])
    assert review["held"] == "shop may spend $0.02 a month"
    [line] = review["attention"]
    assert line.startswith("HELD: budget used up (shop may spend $0.02 a month)")
    assert {entry["reason"] for entry in review["coverage"]} == {"held: budget used up"}
    terminal.set(policy="")
    assert terminal.review(repository, "both")["held"] == ""
    assert len(with_claude.asked) == 1


def test_what_is_reviewed_locally_anyway_is_never_held(
    terminal: Terminal,
    repository: Path,
    with_claude: ClaudeServer,
    with_local: OpenAIServer,
    policy: Policy,
) -> None:
    policy("budget: {monthly_usd: 0, when_exhausted: hold}\n")

    review = terminal.review(repository, "plain")

    assert (review["held"], review["attention"], review["complete"]) == ("", [], True)


def test_the_month_counts_what_was_spent_before_and_tells_from_four_fifths_on(
    terminal: Terminal, repository: Path, with_claude: ClaudeServer
) -> None:
    first = terminal.review(repository, "risky")
    spent = Decimal(first["cost"]["claude_usd"])
    [call] = first["calls"]
    cap = 2 * spent + Decimal(call["reserved_usd"])
    terminal.set(monthly_budget_usd=cap)
    second = terminal.review(repository, "risky")
    terminal.set(monthly_budget_usd=2 * spent / Decimal("0.8"))
    third = terminal.review(repository, "risky")

    operator = {a["kind"]: a for a in second["spending"]["accounts"]}["operator"]
    assert spent > 0
    assert Decimal(operator["used_usd"]) == 2 * spent
    assert Decimal(operator["left_usd"]) == cap - 2 * spent
    assert third["cost"]["over_budget"] == 1, "what is left does not cover a whole question"
    assert any("all repositories used 80 % of $" in note for note in third["notes"])
    assert not any("budget:" in note for note in second["notes"])
    assert len(with_claude.bill) == 2


def test_a_lost_answer_stays_reserved(
    terminal: Terminal, repository: Path, with_claude: ClaudeServer, policy: Policy
) -> None:
    [reserve] = [call["reserved_usd"] for call in terminal.review(repository, "risky")["calls"]]
    with_claude.answering = lambda _: Hang()
    terminal.set(claude_timeout_seconds="0.2")
    spent = Decimal(
        terminal.review(repository, "risky")["spending"]["accounts"][-1]["external_usd"]
    )

    terminal.set(monthly_budget_usd=spent + 2 * Decimal(reserve))
    review = terminal.review(repository, "risky")

    operator = review["spending"]["accounts"][-1]
    assert Decimal(operator["unknown_usd"]) == 2 * Decimal(reserve), "both tries of the one before"
    assert {call["outcome"] for call in review["calls"]} == {"over_budget"}


def test_text_and_markdown_show_the_month_and_what_is_left(
    terminal: Terminal, repository: Path, with_claude: ClaudeServer
) -> None:
    terminal.set(monthly_budget_usd=20)
    where = ("review", "main...risky", "--repo", str(repository))

    _, text, _ = terminal.run(*where)
    _, markdown, _ = terminal.run(*where, "--format", "markdown")
    _, out, _ = terminal.run(*where, "--format", "json")

    assert "Budget left" in text
    assert "of $20.00 a month for all repositories" in text
    assert "| This month | $" in markdown
    assert "| Budget left | $19." in markdown
    assert [a["kind"] for a in json.loads(out)["spending"]["accounts"]] == [
        "repository",
        "operator",
    ]


def test_a_paid_local_server_is_under_the_same_caps(
    terminal: Terminal,
    repository: Path,
    with_claude: ClaudeServer,
    policy: Policy,
    says: Says,
    tmp_path: Path,
) -> None:
    """Second thoughts and questions about doubtful routes are calls as well."""
    terminal.set(
        local_url="http://models.invalid/v1",
        local_model="coder",
        prices_file=tmp_path / "prices.yml",
        monthly_budget_usd=0,
    )
    (tmp_path / "prices.yml").write_text(
        "prices:\n- {provider: models.invalid, model: coder, input_per_mtok: 1, output_per_mtok: 2}\n"
    )
    policy(
        "route:\n  uncertain: ask\n  rules:\n"
        "    - {id: shop.pages, area: pages, why: Counts pages, weight: 2, added: ['total']}\n"
    )

    review = terminal.review(repository, "plain")

    asked = [(call["purpose"], call["engine"], call["outcome"]) for call in review["calls"]]
    assert asked == [
        ("route", "openai", "over_budget"),
        ("review", "claude", "over_budget"),
        ("review", "openai", "over_budget"),
    ]
    assert with_claude.asked == []
    assert review["egress"] == []
