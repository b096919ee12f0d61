"""Claude and the local model together: what is sent to whom, what it costs, and what is said."""

import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest
from flow.conftest import Terminal
from model_servers.behaviours import Fail
from model_servers.claude import ClaudeServer
from model_servers.openai import OpenAIServer
from model_servers.server import Asked

Says = Callable[..., str]
Policy = Callable[[str], None]

UNSURE = {"severity": "high", "confidence": 0.4}
SURE = {"severity": "high", "confidence": 0.9, "category": "performance", "title": "Slow"}
MILD = {"severity": "low", "confidence": 0.1, "category": "tests", "title": "No test"}


@pytest.fixture
def policy(terminal: Terminal, tmp_path: Path) -> Policy:
    """Sets the operator's policy."""

    def write(text: str) -> None:
        (tmp_path / "policy.yml").write_text(text)
        terminal.set(policy=tmp_path / "policy.yml")

    return write


def word(verdict: str, **more: str) -> str:
    usual = {"severity": "medium", "title": "Off by one", "body": "The rest gets no page."}
    return json.dumps({"verdict": verdict, **usual, **more})


def test_a_finding_that_is_severe_and_unsure_is_put_to_claude_with_its_own_lines(
    terminal: Terminal,
    repository: Path,
    with_claude: ClaudeServer,
    with_local: OpenAIServer,
    says: Says,
    policy: Policy,
) -> None:
    with_local.answering = lambda asked: says(UNSURE, SURE, MILD)
    with_claude.answering = lambda asked: word("confirm")
    policy("escalate: {max_per_pr: 3}\nreview: {instructions: Mind the sums.}\n")

    review = terminal.review(repository, "plain")

    [asked] = with_claude.asked
    assert "You give a second opinion" in asked.system
    assert "return total // size" in asked.user
    assert "Finding 1: shop/pages.py" in asked.user
    assert "Slow" not in asked.user
    found = {each["title"]: each for each in review["findings"]}
    assert found["The last page is lost"]["agreed"] == ["claude"]
    assert (found["Slow"]["agreed"], found["No test"]["agreed"]) == ([], [])
    assert review["route"]["tier"] == "local"
    [call] = [each for each in review["calls"] if each["purpose"] == "escalate"]
    assert (call["engine"], call["detail"]) == ("claude", "confirm")
    assert Decimal(review["cost"]["claude_usd"]) == Decimal(call["usd"]) > 0
    assert {each["path"] for each in review["egress"]} >= {"shop/pages.py"}
    assert with_claude.problems == []


@pytest.mark.parametrize(
    ("answer", "titles", "dropped"),
    [
        (word("withdraw"), [], {"withdrawn by Claude": 1}),
        (word("correct"), ["Off by one"], {}),
        ("no JSON", ["The last page is lost"], {}),
    ],
)
def test_claude_corrects_or_withdraws_and_without_a_word_a_finding_stands(
    terminal: Terminal,
    repository: Path,
    with_claude: ClaudeServer,
    with_local: OpenAIServer,
    says: Says,
    policy: Policy,
    answer: str,
    titles: list[str],
    dropped: dict[str, int],
) -> None:
    with_local.answering = lambda asked: says(UNSURE)
    with_claude.answering = lambda asked: answer
    policy("escalate: {max_per_pr: 1}\n")

    review = terminal.review(repository, "plain")

    assert [each["title"] for each in review["findings"]] == titles
    assert review["dropped"] == dropped
    assert any("second opinion" in note for note in review["notes"])
    if titles == ["Off by one"]:
        assert (review["findings"][0]["severity"], review["findings"][0]["suggestion"]) == (
            "medium",
            None,
        )


def test_no_more_than_the_policy_allows_the_worst_first(
    terminal: Terminal,
    repository: Path,
    with_claude: ClaudeServer,
    with_local: OpenAIServer,
    says: Says,
    policy: Policy,
) -> None:
    worst = {**UNSURE, "severity": "critical", "category": "security", "title": "Worst"}
    with_local.answering = lambda asked: says(UNSURE, worst)
    with_claude.answering = lambda asked: word("confirm")
    policy("escalate: {max_per_pr: 1}\n")

    terminal.review(repository, "plain")

    [asked] = with_claude.asked
    assert "Worst" in asked.user


def test_what_must_stay_is_not_put_to_claude_nor_beyond_a_budget(
    terminal: Terminal,
    repository: Path,
    with_claude: ClaudeServer,
    with_local: OpenAIServer,
    says: Says,
    policy: Policy,
) -> None:
    with_local.answering = lambda asked: says(UNSURE)
    policy("escalate: {max_per_pr: 3}\nroute: {never_send: [shop/pages.py]}\n")
    kept = terminal.review(repository, "plain")
    policy("escalate: {max_per_pr: 3}\nbudget: {monthly_usd: 0.000001}\n")
    unpaid = terminal.review(repository, "plain")

    assert with_claude.asked == []
    for review in (kept, unpaid):
        assert [each["title"] for each in review["findings"]] == ["The last page is lost"]
        assert Decimal(review["cost"]["claude_usd"]) == 0
        assert any("second opinion" in note for note in review["notes"])


def test_a_claude_that_can_not_answer_fails_no_review(
    terminal: Terminal,
    repository: Path,
    with_claude: ClaudeServer,
    with_local: OpenAIServer,
    says: Says,
    policy: Policy,
) -> None:
    with_local.answering = lambda asked: says(UNSURE)
    with_claude.answering = lambda asked: Fail(400, "no")
    policy("escalate: {max_per_pr: 3}\n")

    review = terminal.review(repository, "plain")

    assert [each["title"] for each in review["findings"]] == ["The last page is lost"]
    assert any("1 no answer" in note for note in review["notes"])


def test_refine_has_claude_read_after_the_local_model(
    terminal: Terminal,
    repository: Path,
    with_claude: ClaudeServer,
    with_local: OpenAIServer,
    says: Says,
    policy: Policy,
) -> None:
    draft = {
        "path": "shop/auth/login.py",
        "line": 9,
        "quote": "    if user.digest == digest(password):",
        "title": "Compares in the open",
        "category": "security",
    }
    with_local.answering = lambda asked: says(draft)
    with_claude.answering = lambda asked: says({**draft, "title": "Timing tells the digest"})
    policy("strategy: refine\n")

    review = terminal.review(repository, "risky")

    [asked] = with_claude.asked
    assert "Compares in the open" in asked.user
    assert "A smaller model has drafted" in asked.user
    assert [each["title"] for each in review["findings"]] == ["Timing tells the digest"]
    purposes = [(each["engine"], each["purpose"]) for each in review["calls"]]
    assert purposes == [("openai", "draft"), ("claude", "refine")]
    assert review["coverage"][0]["engine"] == "claude"
    assert Decimal(review["cost"]["local_usd"]) > 0


@pytest.mark.parametrize("branch", ["plain", "risky"])
def test_without_a_draft_claude_reads_by_itself(
    terminal: Terminal,
    repository: Path,
    with_claude: ClaudeServer,
    says: Says,
    policy: Policy,
    branch: str,
) -> None:
    with_claude.answering = lambda asked: says()
    policy("strategy: refine\n")

    review = terminal.review(repository, branch)

    said = [note for note in review["notes"] if "refine" in note]
    assert said == (["refine: there is no local model to draft"] if branch == "risky" else [])
    assert [each["purpose"] for each in review["calls"]] == (
        ["review"] if branch == "risky" else []
    )


def test_a_draft_can_not_bring_a_secret_to_claude(
    terminal: Terminal,
    repository: Path,
    with_claude: ClaudeServer,
    with_local: OpenAIServer,
    says: Says,
    policy: Policy,
) -> None:
    secret = "ghp_" + "a1B2" * 9

    def local(asked: Asked) -> str:
        return says({"path": "shop/auth/login.py", "line": 9, "body": f"It holds {secret}."})

    with_local.answering = local
    with_claude.answering = lambda asked: says()
    policy("strategy: refine\n")

    review = terminal.review(repository, "risky")

    assert with_claude.asked
    assert all(secret not in asked.user for asked in with_claude.asked)
    assert sum(each["redactions"] for each in review["egress"]) == 1


def test_the_report_says_how_often_claude_was_asked_and_what_it_said(
    terminal: Terminal,
    repository: Path,
    with_claude: ClaudeServer,
    with_local: OpenAIServer,
    says: Says,
    policy: Policy,
) -> None:
    with_local.answering = lambda asked: says(UNSURE)
    policy("escalate: {max_per_pr: 1}\n")
    for verdict in ("confirm", "withdraw", "withdraw"):
        with_claude.answering = lambda asked, verdict=verdict: word(verdict)
        terminal.review(repository, "plain")

    _, text, _ = terminal.run("report")
    _, out, _ = terminal.run("report", "--format", "json")

    besides = {each["verdict"]: each for each in json.loads(out)["besides"]}
    assert {word_: each["calls"] for word_, each in besides.items()} == {
        "confirm": 1,
        "withdraw": 2,
    }
    assert Decimal(besides["withdraw"]["usd"]) == 2 * Decimal(besides["confirm"]["usd"])
    assert "asked about 3 doubtful findings" in " ".join(text.split())
    assert "1 confirmed, 0 corrected, 2 withdrawn" in " ".join(text.split())


def test_the_report_sets_strategies_beside_each_other(
    terminal: Terminal,
    repository: Path,
    with_claude: ClaudeServer,
    with_local: OpenAIServer,
    says: Says,
    policy: Policy,
) -> None:
    with_local.answering = lambda asked: says({"path": "shop/auth/login.py", "line": 9})
    with_claude.answering = lambda asked: says()
    policy("strategy: refine\n")
    refined = terminal.review(repository, "risky")
    policy("strategy: review\n")
    plain = terminal.review(repository, "risky")

    _, text, _ = terminal.run("report")
    _, out, _ = terminal.run("report", "--format", "json")

    alone, drafted = json.loads(out)["strategies"]
    assert (alone["name"], drafted["name"]) == ("claude", "claude+refine")
    assert (alone["reviews"], drafted["reviews"]) == (1, 1)
    assert Decimal(alone["usd"]) == Decimal(plain["cost"]["total_usd"])
    assert Decimal(drafted["usd"]) == Decimal(refined["cost"]["total_usd"])
    assert drafted["usd_per_accepted"] is None, "nothing of it was published"
    assert "Ways to review" in text
    assert "claude+refine" in text
