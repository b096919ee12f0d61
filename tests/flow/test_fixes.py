"""First what is wrong, then how to mend it: `review.fixes` from end to end."""

import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest
from flow.conftest import Terminal
from model_servers.behaviours import Answer, Behaviour, Refusal
from model_servers.claude import ClaudeServer
from model_servers.openai import OpenAIServer
from model_servers.server import Asked

Says = Callable[..., str]

MENDED = "    return -(-total // size)"
LOGIN = {
    "path": "shop/auth/login.py",
    "line": 9,
    "quote": "    if user.digest == digest(password):",
    "title": "Timing tells the digest",
    "category": "security",
}


@pytest.fixture
def policy(terminal: Terminal, tmp_path: Path) -> Callable[[str], None]:
    """Sets the operator's policy."""

    def write(text: str) -> None:
        (tmp_path / "policy.yml").write_text(text)
        terminal.set(policy=tmp_path / "policy.yml")

    return write


@pytest.fixture(autouse=True)
def fixes(policy: Callable[[str], None]) -> None:
    policy("review: {fixes: true}\n")


def fix(*codes: str | None) -> str:
    said = [{"finding": n, "suggestion": code} for n, code in enumerate(codes, 1)]
    return json.dumps({"fixes": said})


def is_fix(asked: Asked) -> bool:
    return "You mend what the review" in asked.system


def test_what_is_shown_is_mended_by_who_found_it(
    terminal: Terminal,
    repository: Path,
    with_claude: ClaudeServer,
    with_local: OpenAIServer,
    says: Says,
) -> None:
    mild = {"title": "No test of it", "category": "tests", "severity": "low"}
    with_local.answering = lambda asked: fix(MENDED, None) if is_fix(asked) else says({}, mild)

    review = terminal.review(repository, "plain")

    first, second = with_local.asked
    assert "suggestion" not in first.system
    assert "Finding 2: shop/pages.py" in second.user
    assert "return total // size" in second.user
    assert [each["suggestion"] for each in review["findings"]] == [MENDED, None]
    assert [call["purpose"] for call in review["calls"]] == ["review", "fix"]
    assert Decimal(review["cost"]["local_usd"]) == sum(
        Decimal(call["energy_usd"]) + Decimal(call["amortisation_usd"]) for call in review["calls"]
    )
    all_claude = sum(4 * charge.input + 20 * charge.output for charge in with_local.bill)
    assert Decimal(review["cost"]["all_claude_usd"]) == Decimal(all_claude) / 1_000_000
    assert len(with_local.bill) == 2
    assert "fixes: 1 proposed for 2 findings, 1 apply" in review["notes"]
    assert with_claude.asked == []
    assert with_local.problems == []


def test_claude_is_paid_for_what_it_proposes_and_it_is_on_the_receipt(
    terminal: Terminal, repository: Path, with_claude: ClaudeServer, says: Says
) -> None:
    code = "    if hmac.compare_digest(user.digest, digest(password)):"
    with_claude.answering = lambda asked: fix(code) if is_fix(asked) else says(LOGIN)

    review = terminal.review(repository, "risky")
    _, report, _ = terminal.run("report")

    assert [each["suggestion"] for each in review["findings"]] == [code]
    assert [call["purpose"] for call in review["calls"]] == ["review", "fix"]
    billed = sum((Decimal(call["usd"]) for call in review["calls"]), Decimal(0))
    assert Decimal(review["cost"]["claude_usd"]) == billed > 0
    assert Decimal(review["cost"]["all_claude_usd"]) == billed, "Claude alone is asked both, too"
    sent = [entry["bytes"] for entry in review["egress"] if entry["path"] == LOGIN["path"]]
    assert sum(sent) > sum(len(a.user.split("===", 1)[1]) for a in with_claude.asked) * 0.8
    assert "changes proposed for findings" in report
    assert with_claude.problems == []


@pytest.mark.parametrize(
    ("answer", "note"),
    [
        (fix("    return total //"), "fixes: 1 proposed for 1 finding, 0 apply"),
        (fix(None), "fixes: 0 proposed for 1 finding, 0 apply"),
        ("Use ceil.", "fixes: 0 proposed for 1 finding, 0 apply; the model's answer could not"),
        (Refusal(), "fixes: 0 proposed for 1 finding, 0 apply; the model refused to answer"),
    ],
)
def test_a_finding_stands_without_a_change_that_applies(
    terminal: Terminal,
    repository: Path,
    with_local: OpenAIServer,
    says: Says,
    answer: str | Behaviour,
    note: str,
) -> None:
    with_local.answering = lambda asked: answer if is_fix(asked) else says({})

    review = terminal.review(repository, "plain")

    assert [(f["title"], f["suggestion"]) for f in review["findings"]] == [
        ("The last page is lost", None)
    ]
    assert [said for said in review["notes"] if said.startswith(note)]
    assert review["complete"]


def test_nobody_is_asked_about_what_is_not_shown(
    terminal: Terminal,
    repository: Path,
    with_local: OpenAIServer,
    says: Says,
    policy: Callable[[str], None],
) -> None:
    with_local.answering = lambda asked: says({"severity": "low"})
    policy("review: {fixes: true, min_severity: high}\n")

    review = terminal.review(repository, "plain")

    assert review["findings"] == []
    assert [call["purpose"] for call in review["calls"]] == ["review"]


def test_a_change_that_claude_can_not_be_paid_for_is_not_asked_for(
    terminal: Terminal,
    repository: Path,
    with_claude: ClaudeServer,
    says: Says,
    policy: Callable[[str], None],
) -> None:
    """The review itself uses up what there was."""
    dear = {"input_tokens": 8_000, "output_tokens": 4_096}
    with_claude.answering = lambda asked: (
        fix(None) if is_fix(asked) else Answer(says(LOGIN), usage=dear)
    )
    [first, second] = terminal.review(repository, "risky")["calls"]
    spent = Decimal(first["usd"]) + Decimal(second["usd"])
    cap = spent + Decimal(first["reserved_usd"]) + Decimal("0.000001")
    with_claude.asked.clear()
    policy(f"review: {{fixes: true}}\nbudget: {{monthly_usd: {cap:.6f}}}\n")

    review = terminal.review(repository, "risky")

    assert [is_fix(asked) for asked in with_claude.asked] == [False]
    assert {call["purpose"]: call["outcome"] for call in review["calls"]} == {
        "review": "answered",
        "fix": "over_budget",
    }
    assert [each["title"] for each in review["findings"]] == [LOGIN["title"]]
    [note] = [note for note in review["notes"] if note.startswith("fixes:")]
    assert note.startswith("fixes: 0 proposed for 1 finding, 0 apply; budget used up")
    assert review["complete"]
