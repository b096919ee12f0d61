"""What a policy lets a model see and think of: each switch changes the prompt, and only its part."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from flow.conftest import Terminal
from model_servers.openai import OpenAIServer

from reviewbot.review.prompt import system_prompt

BODY = "".join(f"    step({number})\n" for number in range(30))
LONG = f"def far_away(items):\n{BODY}    return items\n"


@pytest.fixture
def asked(
    terminal: Terminal, with_local: OpenAIServer, says: Callable[..., str], tmp_path: Path
) -> Callable[[str], tuple[str, str]]:
    """(instructions, question) for the change at the end of a long function, under a policy."""
    folder = tmp_path / "long"
    folder.mkdir()

    def git(*arguments: str) -> None:
        identity = ["-c", "user.name=A", "-c", "user.email=a@example.org"]
        subprocess.run(["git", *identity, *arguments], cwd=folder, check=True, capture_output=True)

    git("init", "-q", "-b", "main")
    (folder / "a.py").write_text(LONG)
    git("add", "-A")
    git("commit", "-qm", "One")
    git("checkout", "-qb", "plain")
    (folder / "a.py").write_text(LONG.replace("return items", "return items[1:]"))
    git("commit", "-qam", "Two")
    git("checkout", "-q", "main")
    with_local.answering = lambda asked: says()

    def ask(policy: str) -> tuple[str, str]:
        (tmp_path / "policy.yml").write_text(policy)
        terminal.set(policy=tmp_path / "policy.yml")
        terminal.review(folder, "plain")
        return with_local.asked[-1].system, with_local.asked[-1].user

    return ask


def test_a_model_sees_the_function_around_a_change_unless_it_shall_not(
    asked: Callable[[str], tuple[str, str]],
) -> None:
    _, usual = asked("version: 1\n")
    _, bare = asked("review: {context: diff}\n")

    assert "def far_away(items):" in usual
    assert "return items[1:]" in usual
    assert "return items[1:]" in bare
    assert len(bare) < len(usual)


def test_lists_of_questions_are_given_where_a_policy_wants_them(
    asked: Callable[[str], tuple[str, str]],
) -> None:
    usual, question = asked("version: 1\n")
    listed, same_question = asked("review: {checklists: true}\n")

    assert "Inverted logic" not in usual
    assert system_prompt(checklists=True) in listed
    assert question == same_question
