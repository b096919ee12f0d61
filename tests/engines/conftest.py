"""What the engine tests share: a prompt and a review's answer."""

import json

import pytest

from reviewbot.review.answer import answer_schema
from reviewbot.review.engine import Prompt

CANARY = "canary-Zk3vQ9-in-the-diff"
"""A stretch of the prompt that must not turn up anywhere but in requests."""


@pytest.fixture
def canary() -> str:
    return CANARY


@pytest.fixture
def prompt() -> Prompt:
    return Prompt(
        system="You review changes. Answer in JSON.",
        shared="Title: Refund rounding\n\nThe whole change, 1 file.",
        unit=f"## src/refunds.py\n   12 +    return round(amount, 1)  # {CANARY}",
        schema=answer_schema(),
        max_output_tokens=1_000,
        paths=("src/refunds.py",),
        lines=(12,),
    )


@pytest.fixture
def one_finding() -> str:
    """A whole answer with one remark."""
    remark = {
        "path": "src/refunds.py",
        "line": 12,
        "end_line": None,
        "quote": "return round(amount, 1)",
        "severity": "high",
        "category": "correctness",
        "title": "Refunds lose cents",
        "body": "Rounding to one digit drops the last cent.",
        "suggestion": None,
        "confidence": 0.9,
    }
    return json.dumps({"walkthrough": "Rounds refunds.", "findings": [remark]})


@pytest.fixture(autouse=True)
def quiet_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No proxy or key of the machine that runs the tests."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "ANTHROPIC_API_KEY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
