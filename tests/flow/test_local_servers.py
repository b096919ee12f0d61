"""The local tier read by vLLM, llama-server or Ollama, from the command line on."""

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flow.conftest import Terminal
from model_servers import LlamaCppServer, LocalServer, OllamaServer, VllmServer

SERVERS = [VllmServer, LlamaCppServer, OllamaServer]


@pytest.fixture(params=SERVERS, ids=lambda kind: kind.__name__)
def server(request: pytest.FixtureRequest, terminal: Terminal) -> Iterator[LocalServer]:
    with request.param() as started:
        terminal.set(local_engine="openai", local_url=started.url)
        yield started
    assert started.problems == []


@pytest.fixture
def large_change(repository: Path) -> list[str]:
    """A branch `large` with about 7,000 tokens; its lines."""
    lines = [f"def page_{number}(total): return total // {number}" for number in range(500)]
    (repository / "shop" / "large.py").write_text("\n".join(lines) + "\n")
    for arguments in (
        ["checkout", "-q", "-b", "large"],
        ["add", "-A"],
        ["-c", "user.name=A", "-c", "user.email=a@example.org", "commit", "-q", "-m", "Large"],
    ):
        subprocess.run(["git", *arguments], cwd=repository, check=True)
    return lines


def test_the_same_finding_comes_out_of_each(
    terminal: Terminal, repository: Path, server: LocalServer, says: Callable[..., str]
) -> None:
    server.answering = lambda asked: says({})

    review = terminal.review(repository, "plain")

    [finding] = review["findings"]
    assert (finding["path"], finding["line"], finding["anchored"]) == ("shop/pages.py", 2, True)
    assert finding["title"] == "The last page is lost"
    [call] = review["calls"]
    assert (call["engine"], call["model"], call["provider"]) == ("openai", server.model, None)
    assert call["usage"]["estimated"] is False
    assert review["egress"] == []


@pytest.mark.parametrize("kind", [VllmServer, LlamaCppServer])
def test_a_server_with_less_context_than_expected_reads_everything_in_smaller_parts(
    terminal: Terminal,
    repository: Path,
    large_change: list[str],
    kind: type[LocalServer],
) -> None:
    with kind(context_tokens=6_000) as small:
        terminal.set(local_engine="openai", local_url=small.url)

        review = terminal.review(repository, "large")

    read = "\n".join(asked.user for asked in small.asked)
    assert len(small.asked) > 1
    assert all(read.count(line) == 1 for line in large_change)
    assert [entry["status"] for entry in review["coverage"]] == ["full"]


def test_an_ollama_with_less_context_than_expected_ends_the_review_with_what_to_do(
    terminal: Terminal, repository: Path, large_change: list[str]
) -> None:
    with OllamaServer(context_tokens=4_096) as small:
        terminal.set(local_engine="openai", local_url=small.url)

        code, _, err = terminal.run("review", "main...large", "--repo", str(repository))

    assert code == 2, err
    assert "OLLAMA_CONTEXT_LENGTH=16384" in err
