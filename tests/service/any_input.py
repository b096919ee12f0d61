"""Inputs by the hundred thousand: real ones, damaged by dice, and what must come of each.

Plain dice, not hypothesis: they make thousands a second. `JUDGES` has for each kind a function that
makes one input, and says in a word what came of it; whatever is neither read nor refused as it should
be is raised.
"""

import json
import random
from collections.abc import Callable, Mapping
from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any

from flask.testing import FlaskClient
from listening import SECRET, FixedHealth, MemoryQueue, signature
from security.payloads import PAYLOADS
from test_webhook import DELIVERIES

from reviewbot.change.parse import parse_diff
from reviewbot.config.policy import load_policy
from reviewbot.config.settings import Settings
from reviewbot.errors import DiffError, DocumentError
from reviewbot.publishing.commands import Command, read_command
from reviewbot.review.answer import ParsedAnswer, parse_answer
from reviewbot.routing.rules import load_rules
from reviewbot.service.login import Login
from reviewbot.service.payload import BadDelivery
from reviewbot.service.web import create_app
from reviewbot.service.webhook import read_delivery, verify

_TESTS = Path(__file__).parents[1]
_DIFFS = [path.read_bytes() for path in sorted((_TESTS / "data").glob("*.diff"))]
_RULES = [path.read_text() for path in sorted((_TESTS.parent / "rules").glob("*.yml"))]
_POLICY = """\
version: 1
ignore: {authors: ['*[bot]'], labels: [wip], paths: ['docs/**']}
route:
  granularity: file
  always_claude: ['shop/pay/**']
  never_send: ['vault/**']
  large: {over_units: 4, to: claude}
review:
  instructions: |
    Look at money.
  min_severity: low
  max_findings: 20
budget: {monthly_usd: 20, per_pr_usd: 1.5, when_exhausted: hold}
publish: {summary: true, inline: true, check: true, fail_on: high}
"""
_ANSWER = json.dumps(
    {
        "walkthrough": "Simplifies.",
        "findings": [
            {
                "path": "a.py", "line": 5, "end_line": 6, "quote": "x", "severity": "high",
                "category": "security", "title": "t", "body": "b", "confidence": 0.9,
                "suggestion": None,
            }
        ]
        * 3,
    }
)  # fmt: skip
_BYTES = [
    b"",
    b"\n",
    b"\r",
    b"\0",
    b"\xff",
    b"@@",
    b"+++ ",
    b"--- ",
    b"diff --git ",
    b'"',
    b"\\",
    b"{",
    b"9" * 30,
]
_TEXTS = [
    "",
    "\n",
    "  ",
    "\t",
    ": ",
    "- ",
    "[",
    "{",
    "&a ",
    "*a",
    "!!x ",
    "'",
    '"',
    "|",
    "#",
    "?",
    "\0",
    "9" * 30,
]
_VALUES: list[Any] = [None, True, -1, 0, 2**63, 1e308, "", "x" * 300, "\0", [], {}, [[]], {"id": 1}]


def damaged(dice: random.Random, whole: bytes, pieces: list[bytes]) -> bytes:
    """Some places of it replaced, doubled, cut out, or all after one cut off."""
    for _ in range(dice.randint(1, 4)):
        start = dice.randrange(len(whole) + 1)
        end = min(len(whole), start + dice.choice((0, 1, 3, 30)))
        new = dice.choice(
            (dice.choice(pieces), dice.randbytes(dice.randint(1, 4)), whole[start:end] * 2)
        )
        whole = whole[:start] + new + (b"" if dice.random() < 0.05 else whole[end:])
    return whole


def webhook_body(dice: random.Random) -> str:
    event, payload = dice.choice(list(DELIVERIES.items()))
    payload = deepcopy(payload)
    for _ in range(dice.randint(1, 3)):
        node: dict[str, Any] = payload
        while node:
            key = dice.choice(list(node))
            if isinstance(node[key], dict) and node[key] and dice.random() < 0.7:
                node = node[key]
                continue
            if dice.random() < 0.2:
                del node[key]
            else:
                node[key] = deepcopy(dice.choice(_VALUES))
            break
    body = json.dumps(payload).encode()
    if dice.random() < 0.3:
        body = damaged(dice, body, _BYTES)
    try:
        found = read_delivery(event, body)
    except BadDelivery:
        return "refused"
    job = getattr(found, "job", None)
    if job is not None:
        made = job()
        assert type(made).from_dict(json.loads(json.dumps(made.as_dict()))) == made
    return type(found).__name__


def forged_signature(dice: random.Random) -> str:
    body = dice.randbytes(20)
    right = signature(body)
    at = dice.randrange(len(right))
    other = chr(dice.randrange(32, 127))
    header = dice.choice(
        (f"sha256={dice.randbytes(32).hex()}", right[:at] + other + right[at + 1 :])
    )
    taken = verify(SECRET.encode(), body, header)
    assert not taken or header.lower() == right, header  # hex digits may be large
    assert taken or header != right, header
    return "the right one" if taken else "refused"


@cache
def _listener() -> FlaskClient:
    settings = Settings(webhook_secret=SECRET)

    def nothing() -> Any:
        raise AssertionError("a delivery opens no store")

    login = Login(Path("unused"))
    return create_app(
        settings, MemoryQueue(), FixedHealth(), store=nothing, login=login
    ).test_client()


def headers(dice: random.Random) -> str:
    """Whatever stands in the headers of a delivery."""
    event, payload = dice.choice(list(DELIVERIES.items()))
    body = json.dumps(payload).encode()
    given = {
        "X-GitHub-Event": event,
        "X-GitHub-Delivery": "72d3162e-cc78-11e3-81ab-4c9367dc0958",
        "X-Hub-Signature-256": signature(body),
        "Content-Type": "application/json",
    }
    for _ in range(dice.randint(1, 3)):
        name = dice.choice(
            [*given, "Transfer-Encoding", "Content-Encoding", "X-Forwarded-For", "Expect"]
        )
        text = damaged(dice, given.get(name, dice.choice(PAYLOADS).line).encode(), _BYTES)
        given[name] = "".join(chr(byte) for byte in text if byte >= 32 and byte != 127)
    status = _listener().post("/webhook", data=body, headers=given).status_code
    assert status in (200, 202, 400, 401, 411, 413, 415, 501), (status, given)
    return str(status)


def diff(dice: random.Random) -> str:
    try:
        change = parse_diff(
            damaged(dice, dice.choice(_DIFFS), _BYTES), allow_cut=dice.random() < 0.3
        )
    except DiffError as refused:
        return "refused" if str(refused) and "\n" not in str(refused) else "refused badly"
    for file in change.files:
        for hunk in file.hunks:
            assert hunk.new_count == sum(line.marker != "-" for line in hunk.lines)
    return "read"


def yaml(dice: random.Random) -> str:
    """A policy, or a rule file."""
    pieces = [text.encode() for text in _TEXTS]
    try:
        if dice.random() < 0.8:
            load_policy(damaged(dice, _POLICY.encode(), pieces))
        else:
            whole = dice.choice(_RULES).split("\n  - id:")
            some = "\n  - id:".join([whole[0], *dice.sample(whole[1:], 2)])
            load_rules({"x.yml": damaged(dice, some.encode(), pieces).decode("utf-8", "replace")})
    except DocumentError as refused:
        return "refused" if str(refused) else "refused badly"
    return "read"


def comment(dice: random.Random) -> str:
    words = [
        "/reviewbot ",
        "review",
        " claude",
        "\u200b",
        "--x=y",
        *(command.value for command in Command),
    ]
    text = "".join(
        dice.choices([*words, dice.choice(PAYLOADS).text, "\n", " "], k=dice.randint(1, 4))
    )
    found = read_command(text)
    assert found is None or text.lower().split("\n")[0].split() == [
        "/reviewbot",
        *found.value.split(),
    ]
    return "a command" if found else "none"


def answer(dice: random.Random) -> str:
    text = damaged(dice, _ANSWER.encode(), _BYTES).decode("utf-8", "replace")
    found = parse_answer(text)
    assert isinstance(found, ParsedAnswer)
    return f"{len(found.remarks)} remarks" if found.remarks else "none"


JUDGES: Mapping[str, Callable[[random.Random], str]] = {
    "webhook bodies": webhook_body,
    "forged signatures": forged_signature,
    "headers": headers,
    "diffs": diff,
    "policies and rule files": yaml,
    "comments": comment,
    "answers of models": answer,
}
