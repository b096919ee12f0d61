"""The local model asked more than once: several passes, verdicts, and about a change in doubt."""

import json
import time
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from flow.conftest import Terminal
from model_servers.behaviours import Behaviour, Refusal
from model_servers.claude import ClaudeServer
from model_servers.openai import OpenAIServer
from model_servers.server import Asked
from tiny_gguf import Shape, write_model

from reviewbot.engines.openai_compatible import OpenAICompatibleEngine
from reviewbot.errors import EngineError
from reviewbot.review.engine import Prompt, Reply

pytestmark = pytest.mark.usefixtures("one_core")

Says = Callable[..., str]
Policy = Callable[[str], None]

FLOORS = {"title": "The last page is lost", "category": "correctness"}
SLOW = {"title": "Slow", "category": "performance"}
#: Two points of an area: in doubt.
DOUBT = (
    "route:\n"
    "  uncertain: ask\n"
    "  rules:\n"
    "    - {id: shop.pages, area: pages, why: Counts pages, weight: 2, added: ['total']}\n"
)
ORDINARY = "route:\n  ordinary: ask\n"


@pytest.fixture
def policy(terminal: Terminal, tmp_path: Path) -> Policy:
    """Sets the operator's policy."""

    def write(text: str) -> None:
        (tmp_path / "policy.yml").write_text(text)
        terminal.set(policy=tmp_path / "policy.yml")

    return write


def test_what_most_passes_find_is_kept_and_the_rest_counted(
    terminal: Terminal, repository: Path, with_local: OpenAIServer, says: Says, policy: Policy
) -> None:
    drawn = {0: (FLOORS, SLOW), 1: (FLOORS,), 2: ()}
    with_local.answering = lambda asked: says(*drawn[asked.body.get("seed", 0)])
    policy("review: {passes: 3}\n")

    review = terminal.review(repository, "plain")

    [finding] = review["findings"]
    assert (finding["title"], finding["passes"]) == (FLOORS["title"], [2, 3])
    assert finding["confidence"] == 0.6
    assert review["dropped"] == {"no agreement": 1}
    assert sorted(asked.body.get("seed", 0) for asked in with_local.asked) == [0, 1, 2]
    assert len({asked.user for asked in with_local.asked}) == 1
    assert [call["purpose"] for call in review["calls"]] == ["review"] * 3
    assert review["complete"]
    assert review["strategy"] == "local+passes3"
    assert "local+passes3" in terminal.run("report")[1], "although nothing else was asked"


def test_the_comparison_is_with_a_claude_that_reads_once(
    terminal: Terminal, repository: Path, with_local: OpenAIServer, policy: Policy
) -> None:
    once = terminal.review(repository, "plain")["cost"]
    policy("review: {passes: 4, verify: true}\n")
    often = terminal.review(repository, "plain")["cost"]

    assert once["all_claude_usd"] == often["all_claude_usd"]
    assert (once["calls"], often["calls"]) == (1, 4)


def test_a_pass_without_an_answer_is_said_and_does_not_count(
    terminal: Terminal, repository: Path, with_local: OpenAIServer, says: Says, policy: Policy
) -> None:
    def answering(asked: Asked) -> str | Behaviour:
        return Refusal() if asked.body.get("seed") == 2 else says(FLOORS)

    with_local.answering = answering
    policy("review: {passes: 3}\n")

    review = terminal.review(repository, "plain")

    assert [finding["passes"] for finding in review["findings"]] == [[2, 2]]
    assert review["coverage"][0]["status"] == "full"
    [note] = [note for note in review["notes"] if note.startswith("part 1 was read in 2 of 3")]
    assert "refused" in note


def test_claude_reads_once_and_is_not_asked_for_verdicts(
    terminal: Terminal, repository: Path, with_claude: ClaudeServer, says: Says, policy: Policy
) -> None:
    with_claude.answering = lambda _: says(
        {
            "path": "shop/auth/login.py",
            "line": 9,
            "quote": "    if user.digest == digest(password):",
        }
    )
    policy("review: {passes: 5, verify: true}\n")

    review = terminal.review(repository, "risky")

    assert len(with_claude.asked) == 1
    assert [finding["passes"] for finding in review["findings"]] == [None]


def test_findings_called_wrong_are_dropped_and_counted(
    terminal: Terminal, repository: Path, with_local: OpenAIServer, says: Says, policy: Policy
) -> None:
    verdicts = json.dumps(
        {
            "verdicts": [
                {"finding": 1, "verdict": "wrong"},
                {"finding": 2, "verdict": "unsure"},
            ]
        }
    )
    with_local.answering = lambda asked: (
        verdicts
        if "Finding 1:" in asked.user
        else says({**SLOW, "severity": "critical"}, {**FLOORS, "confidence": 0.8})
    )
    policy("review: {verify: true}\n")

    review = terminal.review(repository, "plain")

    assert [(f["title"], f["confidence"]) for f in review["findings"]] == [(FLOORS["title"], 0.4)]
    assert review["dropped"] == {"judged wrong": 1}
    assert review["worst"] == "high"
    assert [call["purpose"] for call in review["calls"]] == ["review", "verify"]
    assert Decimal(review["cost"]["local_usd"]) == sum(
        Decimal(call["energy_usd"]) + Decimal(call["amortisation_usd"]) for call in review["calls"]
    )
    assert with_local.problems == []  # the form of the second answer is one that servers take


def test_a_failed_judgement_keeps_everything_and_says_so(
    terminal: Terminal, repository: Path, with_local: OpenAIServer, says: Says, policy: Policy
) -> None:
    def answering(asked: Asked) -> str | Behaviour:
        return Refusal() if "Finding 1:" in asked.user else says(FLOORS)

    with_local.answering = answering
    policy("review: {verify: true}\n")

    review = terminal.review(repository, "plain")

    assert [finding["confidence"] for finding in review["findings"]] == [0.9]
    assert any("1 finding not judged: the model refused" in note for note in review["notes"])
    assert review["complete"]


@pytest.mark.parametrize(
    ("answer", "engine", "said"),
    [
        ('{"risky": true, "area": "pages", "why": "Counts."}', "claude", 'yes: "pages: Counts."'),
        ('{"risky": false, "area": "none", "why": "Harmless."}', "openai", 'says no: "Harmless."'),
        ("I would not bother Claude with it.", "claude", "could not be read"),
        (Refusal(), "claude", "the model refused to answer"),
    ],
)
def test_in_doubt_only_a_clear_no_of_the_local_model_spares_claude(
    terminal: Terminal,
    repository: Path,
    with_claude: ClaudeServer,
    with_local: OpenAIServer,
    says: Says,
    policy: Policy,
    answer: str | Behaviour,
    engine: str,
    said: str,
) -> None:
    with_local.answering = lambda asked: answer if "The areas:" in asked.user else says()
    policy(DOUBT)

    review = terminal.review(repository, "plain")

    assert [entry["engine"] for entry in review["coverage"]] == [engine]
    assert review["route"]["certainty"] == "uncertain"
    [note] = [note for note in review["route"]["notes"] if "local model" in note]
    assert said in note
    asked = [call for call in review["calls"] if call["purpose"] == "route"]
    assert {call["engine"] for call in asked} == {"openai"}
    assert 1 <= len(asked) <= 2  # what can't be read is asked for once more
    assert with_local.problems == []


@pytest.mark.parametrize(
    ("answer", "engine", "said"),
    [
        ('{"risky": true, "area": "auth", "why": "Opens it."}', "claude", 'yes: "auth: Opens it."'),
        ('{"risky": false, "area": "none", "why": "Harmless."}', "openai", 'says no: "Harmless."'),
        ("Call Claude!", "openai", "could not be read"),
        (Refusal(), "openai", "the model refused to answer"),
    ],
)
def test_only_a_clear_yes_of_the_local_model_sends_an_ordinary_change_to_claude(
    terminal: Terminal,
    repository: Path,
    with_claude: ClaudeServer,
    with_local: OpenAIServer,
    says: Says,
    policy: Policy,
    answer: str | Behaviour,
    engine: str,
    said: str,
) -> None:
    with_local.answering = lambda asked: answer if "The areas:" in asked.user else says()
    policy(ORDINARY)

    review = terminal.review(repository, "plain")

    assert [entry["engine"] for entry in review["coverage"]] == [engine]
    assert review["route"]["areas"] == (["auth"] if engine == "claude" else [])
    assert review["route"]["reasons"] == []  # a model's word is no rule's
    [note] = [note for note in review["route"]["notes"] if "local model" in note]
    assert said in note
    asked = [call for call in review["calls"] if call["purpose"] == "route"]
    assert {call["engine"] for call in asked} == {"openai"}


def test_a_file_that_may_not_leave_stays_whatever_the_local_model_says(
    terminal: Terminal,
    repository: Path,
    with_claude: ClaudeServer,
    with_local: OpenAIServer,
    says: Says,
    policy: Policy,
) -> None:
    yes = '{"risky": true, "area": "auth", "why": "Opens it."}'
    with_local.answering = lambda asked: yes if "The areas:" in asked.user else says()
    policy(ORDINARY + "  never_send: ['shop/**']\n")

    review = terminal.review(repository, "plain")

    assert review["route"]["tier"] == "local"
    assert with_claude.asked == []


def test_what_the_rules_flag_is_asked_about_by_nobody(
    terminal: Terminal,
    repository: Path,
    with_claude: ClaudeServer,
    with_local: OpenAIServer,
    policy: Policy,
) -> None:
    policy(DOUBT)

    review = terminal.review(repository, "both")

    assert review["route"]["tier"] == "claude"
    assert with_local.asked == []


def test_without_a_local_model_a_change_in_doubt_goes_to_claude(
    terminal: Terminal, repository: Path, with_claude: ClaudeServer, policy: Policy
) -> None:
    policy(DOUBT)

    review = terminal.review(repository, "plain")

    assert [entry["engine"] for entry in review["coverage"]] == ["claude"]
    assert any("none is configured" in note for note in review["route"]["notes"])


def test_a_local_engine_that_breaks_down_ends_no_review(
    terminal: Terminal,
    repository: Path,
    with_claude: ClaudeServer,
    with_local: OpenAIServer,
    says: Says,
    policy: Policy,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It is asked about the route and for verdicts, and then the model can't be loaded."""
    works = OpenAICompatibleEngine.ask

    def ask(self: OpenAICompatibleEngine, prompt: Prompt, *, timeout: float) -> Reply:
        if prompt.choices:
            raise EngineError("the model can't be loaded")
        return works(self, prompt, timeout=timeout)

    monkeypatch.setattr(OpenAICompatibleEngine, "ask", ask)
    with_local.answering = lambda _: says(FLOORS)
    policy("review: {verify: true}\n")
    plain = terminal.review(repository, "plain")
    policy(DOUBT)
    doubted = terminal.review(repository, "plain")

    assert [finding["confidence"] for finding in plain["findings"]] == [0.9]
    assert "part 1: 1 finding not judged: the model can't be loaded" in plain["notes"]
    assert [entry["engine"] for entry in doubted["coverage"]] == ["claude"]
    assert any("the model can't be loaded" in note for note in doubted["route"]["notes"])


def test_a_model_on_this_machine_reads_several_times_over_one_beginning(
    terminal: Terminal, repository: Path, tmp_path: Path, policy: Policy
) -> None:
    pytest.importorskip("llama_cpp", reason="llama-cpp-python is not installed (make llama)")
    terminal.set(local_model=write_model(tmp_path / "tiny.gguf", replace(Shape(), context=16_384)))
    policy(DOUBT + "review: {passes: 3, verify: true}\n")

    began = time.monotonic()
    review = terminal.review(repository, "plain")
    seconds = time.monotonic() - began

    passes = [call for call in review["calls"] if call["purpose"] == "review"]
    assert len(passes) == 3
    used = [call["usage"] for call in passes]
    assert len({use["input"] + use["cache_read"] for use in used}) == 1
    assert sorted(use["input"] < 20 for use in used) == [False, True, True]
    assert {call["unreadable_lines"] for call in review["calls"]} == {0}
    [asked] = [call for call in review["calls"] if call["purpose"] == "route"]
    assert asked["outcome"] == "answered"
    # answered side by side, they share the machine's time: none of it is counted twice
    assert 0 < sum(call["busy_seconds"] for call in review["calls"]) < seconds
