"""A pull request by its URL goes the same way as a range, under its default branch's policy."""

import json
from pathlib import Path

import pytest
from flow.conftest import Terminal
from github_simulator.content import Content
from github_simulator.server import TOKEN, GitHubSimulator
from model_servers.openai import OpenAIServer


def test_a_pull_request_is_reviewed_under_the_default_branchs_policy(
    terminal: Terminal,
    with_local: OpenAIServer,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    content = Content(tmp_path / "content")
    policy = "version: 1\nroute: {never_send: [secret/*]}\nreview: {instructions: Mind the sums.}\n"
    content.commit(
        "main", {".github/reviewbot.yml": policy, "sum.py": "def add(a, b):\n    return a + b\n"}
    )
    content.commit("head", {"sum.py": "def add(a, b):\n    return a - b\n"}, start="main")
    with GitHubSimulator(tmp_path) as github:
        repository = github.repository("acme/shop", start=content)
        repository.open_pull("head", title="Simplify", body="As discussed.")
        terminal.set(github_api_url=github.url)
        monkeypatch.setenv("GITHUB_TOKEN", TOKEN)

        code, out, err = terminal.run(
            "review", "--pr", f"{github.url}/acme/shop/pull/1", "--format", "json"
        )

        assert github.problems == []
    assert code == 0, err
    review = json.loads(out)
    assert review["change"]["repository"] == "acme/shop"
    assert review["change"]["number"] == 1
    [asked] = with_local.asked
    assert "Title: Simplify" in asked.user
    assert "> Mind the sums." in asked.user
    assert "2 +    return a - b" in asked.user
