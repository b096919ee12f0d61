"""`reviewbot eval`: strategies set beside each other on remarks of people, with loopback models."""

import gzip
import json
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from flow.conftest import LOGIN_BASE, LOGIN_HEAD, PAGES_BASE, PAGES_HEAD, Terminal
from github_simulator.content import Content
from github_simulator.server import TOKEN, GitHubSimulator
from model_servers.behaviours import Fail
from model_servers.claude import ClaudeServer
from model_servers.openai import OpenAIServer
from model_servers.server import Asked

Says = Callable[..., str]

#: What people said, in words that a finding may share.
LOST = "The last page is lost: rounds down."
TIMING = "Comparing digests with == tells how much of it was right: use compare_digest."
FOUND_TIMING = {
    "path": "shop/auth/login.py",
    "line": 9,
    "quote": "    if user.digest == digest(password):",
    "title": "Comparing digests tells how much was right",
    "body": "Use `compare_digest`.",
    "category": "security",
}


def diff(path: str, before: str, after: str) -> str:
    old, new = before.splitlines(), after.splitlines()
    body = [f"-{line}" for line in old] + [f"+{line}" for line in new]
    head = [f"diff --git a/{path} b/{path}", f"--- a/{path}", f"+++ b/{path}"]
    return "\n".join([*head, f"@@ -1,{len(old)} +1,{len(new)} @@", *body]) + "\n"


def bill(server: ClaudeServer) -> Decimal:
    """What its answers cost at $4 and $20 a million tokens."""
    return sum(
        ((4 * Decimal(c.input) + 20 * Decimal(c.output)) / 1_000_000 for c in server.bill),
        Decimal(0),
    )


@dataclass
class Corpus:
    """Two pull requests: one for the local model, one that a rule sends to Claude."""

    path: Path
    terminal: Terminal

    def eval(self, *arguments: str) -> dict[str, Any]:
        """By name, what each strategy came to."""
        code, out, err = self.run(*arguments)
        assert code == 0, err
        return {each["strategy"]: each for each in json.loads(out)["strategies"]}

    def run(self, *arguments: str) -> tuple[int, str, str]:
        return self.terminal.run("eval", str(self.path), "--format", "json", *arguments)


@pytest.fixture
def corpus(terminal: Terminal, tmp_path: Path) -> Corpus:
    pulls = [
        {
            "pr_url": "https://github.com/acme/shop/pull/1",
            "diff": diff("shop/pages.py", PAGES_BASE, PAGES_HEAD),
            "golden": [{"file": "shop/pages.py", "line": 2, "comment": LOST}],
            "rejected": [{"file": "shop/pages.py", "line": 1, "comment": "Rename size."}],
        },
        {
            "pr_url": "https://github.com/acme/shop/pull/2",
            "diff": diff("shop/auth/login.py", LOGIN_BASE, LOGIN_HEAD),
            "golden": [{"file": "shop/auth/login.py", "line": 9, "comment": TIMING}],
        },
    ]
    path = tmp_path / "prs.jsonl.gz"
    path.write_bytes(gzip.compress("\n".join(map(json.dumps, pulls)).encode()))
    return Corpus(path, terminal)


@pytest.fixture
def models(with_claude: ClaudeServer, with_local: OpenAIServer, says: Says) -> None:
    """Claude finds both, the local model only the pages."""

    def claude(asked: Asked) -> str:
        return says(FOUND_TIMING) if "login.py" in asked.user else says({})

    with_claude.answering = claude
    with_local.answering = lambda asked: says({}) if "pages.py" in asked.user else says()


@pytest.mark.usefixtures("models")
def test_strategies_are_set_beside_each_other(
    corpus: Corpus, with_claude: ClaudeServer, with_local: OpenAIServer
) -> None:
    found = corpus.eval(
        "--strategies", "analyzers,local,routed,claude", "--repeats", "1", "--budget-usd", "5"
    )

    assert {name: each["matched"] for name, each in found.items()} == {
        "analyzers": 0,
        "local": 1,
        "routed": 2,
        "claude": 2,
    }
    assert found["local"]["recall"]["value"] == 0.5
    assert found["routed"]["by_tier"]["claude"]["golden"] == 1
    assert {each["judge"] for each in found.values()} == {"location+lexical"}
    # Claude's answer on the login is one, whichever strategy wants it
    assert len(with_claude.asked) == len(with_local.asked) == 2
    billed = bill(with_claude)
    assert Decimal(found["claude"]["external_usd"]) == billed
    assert 0 < Decimal(found["routed"]["external_usd"]) < billed
    assert with_claude.problems == with_local.problems == []


@pytest.mark.usefixtures("models")
def test_a_replay_asks_nobody_and_gives_the_same_to_the_last_digit(
    corpus: Corpus, with_claude: ClaudeServer, with_local: OpenAIServer, tmp_path: Path
) -> None:
    kept, wanted = tmp_path / "kept", ("--strategies", "local,local+passes2,routed,claude")
    first = corpus.eval(*wanted, "--budget-usd", "5", "--out", str(kept))
    asked = len(with_claude.asked) + len(with_local.asked)
    (kept / "results.jsonl").unlink()  # so that every review is made again

    again = corpus.eval(*wanted, "--replay", str(kept))

    assert again == first
    assert len(with_claude.asked) + len(with_local.asked) == asked
    assert first["local"]["repeats"] == 2


@pytest.mark.usefixtures("models")
def test_what_was_cut_short_goes_on_where_it_was(
    corpus: Corpus, with_claude: ClaudeServer, with_local: OpenAIServer, says: Says
) -> None:
    wanted = ("--strategies", "local,claude", "--repeats", "1", "--budget-usd", "5")
    well = with_claude.answering
    with_claude.answering = lambda asked: Fail(401, "invalid x-api-key")
    code, _, err = corpus.run(*wanted)
    assert (code, "401" in err or "key" in err) == (2, True)
    local = len(with_local.asked)
    with_claude.answering = well

    found = corpus.eval(*wanted)

    assert found["claude"]["matched"] == 2
    assert len(with_local.asked) <= 2, "what is known is not asked again"
    assert local <= len(with_local.asked)


@pytest.mark.usefixtures("models")
def test_the_budget_is_asked_for_and_never_passed(
    corpus: Corpus, with_claude: ClaudeServer
) -> None:
    wanted = ("--strategies", "claude", "--repeats", "3")
    code, _, err = corpus.run(*wanted)
    assert code == 2
    assert "--budget-usd" in err
    assert with_claude.asked == []

    corpus.eval("--strategies", "claude", "--repeats", "1", "--budget-usd", "5")
    spent = bill(with_claude)
    code, _, err = corpus.run(*wanted, "--budget-usd", str(spent))

    assert code == 2
    assert "the budget is used up" in err
    assert bill(with_claude) == spent


@pytest.mark.usefixtures("models")
def test_a_model_can_judge_but_not_its_own_findings_alone(
    corpus: Corpus, with_claude: ClaudeServer, with_local: OpenAIServer, says: Says
) -> None:
    reviews = with_claude.answering

    def claude(asked: Asked) -> str:
        if "You compare one finding" not in asked.system:
            return str(reviews(asked))
        real = "verdict" if "The last page is lost" in asked.user else ""
        return json.dumps({"verdicts": [{"finding": 1, "verdict": "real" if real else "wrong"}]})

    with_claude.answering = claude
    common = ("--repeats", "1", "--budget-usd", "5", "--judge", "llm")

    judged = corpus.eval("--strategies", "local", *common)
    code, _, err = corpus.run("--strategies", "claude", *common)

    assert judged["local"]["judge"] == "llm (claude-opus-5-5)"
    assert judged["local"]["matched"] == 1
    asked = [each for each in with_claude.asked if "You compare" in each.system]
    assert len(asked) == 6, "three votes on a finding, of golden and of rejected remarks"
    assert code == 2
    assert "only judge of its own findings" in err


def test_a_review_that_fails_is_a_result(
    corpus: Corpus, with_local: OpenAIServer, says: Says
) -> None:
    with_local.answering = lambda asked: Fail(400, "no")

    found = corpus.eval("--strategies", "local", "--repeats", "1")

    assert found["local"]["incomplete"] == 2
    assert (found["local"]["golden"], found["local"]["matched"]) == (2, 0)


def test_own_pull_requests_are_measured_by_what_people_said(
    terminal: Terminal,
    with_local: OpenAIServer,
    says: Says,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    content = Content(tmp_path / "content")
    content.commit("main", {"shop/pages.py": PAGES_BASE})
    content.commit("head", {"shop/pages.py": PAGES_HEAD}, start="main")
    with_local.answering = lambda asked: says({})
    with GitHubSimulator(tmp_path) as github:
        repository = github.repository("acme/shop", start=content)
        pull = repository.open_pull("head", author="ann")
        head = repository.ends(pull)[1]
        for author, text in (("bob", LOST), ("ann", "Ready."), ("helper[bot]", LOST)):
            github.person(author).comment_at(
                repository, pull, text, path="shop/pages.py", line=2, side="RIGHT", commit_id=head
            )
        terminal.set(github_api_url=github.url)
        monkeypatch.setenv("GITHUB_TOKEN", TOKEN)

        code, out, err = terminal.run(
            "eval", f"{github.url}/acme/shop/pull/1", "--strategies", "local", "--format", "json"
        )

        assert github.problems == []
    assert code == 0, err
    [local] = json.loads(out)["strategies"]
    assert (local["golden"], local["matched"]) == (2, 2), "bob's, in two repeats"


@pytest.mark.usefixtures("models")
@pytest.mark.parametrize("format_", ["text", "markdown", "html"])
def test_every_format_names_the_judge_beside_its_figures(corpus: Corpus, format_: str) -> None:
    code, out, err = corpus.terminal.run(
        *("eval", str(corpus.path), "--strategies", "local,analyzers", "--format", format_),
        *("--judge", "lexical", "--repeats", "1"),
    )

    assert code == 0, err
    assert out.count("judge: lexical") >= 5
    assert "Unmatched is not false" in out


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (("--strategies", "nobody"), "no strategy is called 'nobody'"),
        (("--strategies", "local"), "reviewbot model list"),
        (("--strategies", "analyzers", "--judge-engine", "local"), "--judge llm"),
    ],
)
def test_what_can_not_be_done_is_said_first(
    corpus: Corpus, arguments: tuple[str, ...], problem: str
) -> None:
    code, _, err = corpus.run(*arguments)

    assert code == 2
    assert problem in err
