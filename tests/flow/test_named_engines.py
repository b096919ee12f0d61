"""A model for each kind of work: by area, language and tier, each within its own tier."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flow.conftest import Terminal
from model_servers.claude import ClaudeServer
from model_servers.openai import OpenAIServer

from reviewbot.config.engines_document import parse_engines
from reviewbot.errors import DocumentError

Says = Callable[..., str]


@pytest.fixture
def second() -> Iterator[OpenAIServer]:
    with OpenAIServer(models=("our-finetune",)) as server:
        yield server
    assert server.problems == []


@pytest.fixture
def name(terminal: Terminal, second: OpenAIServer, tmp_path: Path) -> Callable[[str], None]:
    """Sets the engines file: `fine` is the second server, `sonnet` another Claude model."""

    def write(use: str) -> None:
        path = tmp_path / "engines.yml"
        path.write_text(
            "engines:\n"
            f"  fine: {{tier: local, url: '{second.url}', model: our-finetune}}\n"
            "  sonnet: {tier: claude, model: claude-sonnet-5-5}\n"
            f"use: {use}\n"
        )
        terminal.set(engines=path)

    return write


@pytest.fixture
def models(
    with_claude: ClaudeServer, with_local: OpenAIServer, second: OpenAIServer, says: Says
) -> None:
    for server in (with_claude, with_local, second):
        server.answering = lambda asked: says()


def asked(*servers: ClaudeServer | OpenAIServer) -> list[list[str]]:
    return [[each.body["model"] for each in server.asked] for server in servers]


@pytest.mark.usefixtures("models")
@pytest.mark.parametrize(
    ("use", "plain", "risky"),
    [
        ("{}", "qwen2.5-coder-32b-instruct", "claude-opus-5-5"),
        ("{languages: {python: fine}}", "our-finetune", "claude-opus-5-5"),
        ("{tiers: {local: fine, claude: sonnet}}", "our-finetune", "claude-sonnet-5-5"),
        ("{areas: {auth: sonnet}}", "qwen2.5-coder-32b-instruct", "claude-sonnet-5-5"),
        ("{languages: {python: sonnet}}", "qwen2.5-coder-32b-instruct", "claude-sonnet-5-5"),
    ],
)
def test_each_kind_of_work_has_its_model(
    terminal: Terminal,
    repository: Path,
    name: Callable[[str], None],
    use: str,
    plain: str,
    risky: str,
) -> None:
    name(use)

    found = {branch: terminal.review(repository, branch) for branch in ("plain", "risky")}

    [local], [claude] = (found[branch]["calls"] for branch in ("plain", "risky"))
    assert (local["model_asked"], claude["model_asked"]) == (plain, risky)
    assert (local["engine"], claude["engine"]) == ("openai", "claude"), "never the other tier's"


@pytest.mark.usefixtures("models")
def test_the_report_shows_what_each_model_cost(
    terminal: Terminal, repository: Path, name: Callable[[str], None]
) -> None:
    name("{languages: {python: fine}, areas: {auth: sonnet}}")
    calls = [terminal.review(repository, branch)["calls"][0] for branch in ("plain", "risky")]

    _, out, _ = terminal.run("report", "--format", "json")
    _, text, _ = terminal.run("report")

    lines = {line["model"]: line for line in json.loads(out)["models"]}
    assert set(lines) == {"our-finetune", "claude-sonnet-5-5"}
    assert all(line["calls"] == 1 for line in lines.values())
    assert lines["claude-sonnet-5-5"]["usd"] == calls[1]["usd"]
    assert all(model in text for model in lines)


@pytest.mark.usefixtures("models")
def test_a_repository_chooses_among_the_names_that_are_offered(
    terminal: Terminal,
    repository: Path,
    name: Callable[[str], None],
    tmp_path: Path,
) -> None:
    name("{}")
    (tmp_path / "policy.yml").write_text(
        "route: {engines: {languages: {python: fine}, areas: {auth: gold}}}\n"
    )
    terminal.set(policy=tmp_path / "policy.yml")

    review = terminal.review(repository, "both")

    assert [call["model_asked"] for call in review["calls"]] == ["claude-opus-5-5"]
    assert any("not offered here: gold" in note for note in review["notes"])
    assert terminal.review(repository, "plain")["calls"][0]["model_asked"] == "our-finetune"


def test_a_named_engine_is_enough(
    terminal: Terminal,
    repository: Path,
    name: Callable[[str], None],
    second: OpenAIServer,
    says: Says,
) -> None:
    second.answering = lambda asked: says()
    name("{tiers: {local: fine}}")

    review = terminal.review(repository, "plain")

    assert review["coverage"][0]["engine"] == "openai"
    assert asked(second) == [["our-finetune"]]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("engines: {a: {tier: local, model: m}}", "needs the `url`"),
        ("engines: {a: {tier: claude, model: m, url: 'http://x/v1'}}", "has no `url`"),
        ("engines: {}\nuse: {tiers: {local: a}}", "names a, which is not under `engines`"),
        (
            "engines: {a: {tier: claude, model: m}}\nuse: {tiers: {local: a}}",
            "a is of tier claude, not local",
        ),
        ("engines: {A-name-that-is-long: {tier: claude, model: m}}", "engines"),
    ],
)
def test_what_is_wrong_with_the_file_is_told(text: str, problem: str) -> None:
    with pytest.raises(DocumentError, match=problem):
        parse_engines(text, "engines.yml")
