"""Changes proposed for findings: what may be said, what is asked about, and what is taken over."""

import json
import tracemalloc
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reviewbot.change.model import Change
from reviewbot.change.parse import parse_diff
from reviewbot.review.answer import MAX_SUGGESTION, Category, Severity, parse_answer
from reviewbot.review.engine import EngineFacts, Lineup
from reviewbot.review.finding import Finding
from reviewbot.review.fix import around_all, found_by, mendable, parse_fixes, within
from reviewbot.review.prompt import DECIDE, REVIEW, Briefing, compose, system_prompt
from reviewbot.review.suggestion import Suggestions
from reviewbot.review.units import pack

FINDING = Finding(
    path="app/login.py",
    line=7,
    end_line=7,
    side="RIGHT",
    severity=Severity.HIGH,
    category=Category.SECURITY,
    title="Compares digests in variable time",
    body="Somebody can measure it.",
    quote="    if user.digest == digest(password):",
    confidence=0.8,
    engine="claude",
    model="claude-opus-5-5",
)


def answer(*fixes: tuple[object, object]) -> str:
    return json.dumps({"fixes": [{"finding": n, "suggestion": code} for n, code in fixes]})


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x = 1",
        "[]",
        '{"fixes": {}}',
        '{"fixes": [{"finding": 1}]}',
        '{"fixes": [{"finding": "1", "suggestion": "x"}]}',
        '{"fixes": [{"finding": 1, "suggestion": 1}]}',
        '{"fixes": [{"finding": 1, "suggestion": "x", "why": "y"}]}',
        '{"fixes": [{"finding": 1, "suggestion": "x"}',
        '{"fixes": ' + "[" * 100_000,
    ],
)
def test_what_is_no_answer_is_none(text: str) -> None:
    assert parse_fixes(text) is None


@given(st.text(max_size=200))
def test_any_text_is_read_without_an_error(text: str) -> None:
    assert parse_fixes(text) is None


def test_nothing_to_propose_is_an_answer_and_of_two_the_first_counts() -> None:
    too_long = "x" * (MAX_SUGGESTION + 1)

    found = parse_fixes(answer((1, "a"), (1, "b"), (2, None), (3, " \n"), (4, too_long), (9, "c")))

    assert found == {1: "a", 9: "c"}


def test_only_what_a_model_found_on_new_lines_is_asked_about() -> None:
    others = [
        replace(FINDING, model="", engine="ruff"),
        replace(FINDING, anchored=False, line=None, end_line=None),
        replace(FINDING, side="LEFT"),
        replace(FINDING, suggestion="    pass"),
    ]

    assert mendable([*others, FINDING]) == [FINDING]


def test_a_question_shows_the_blocks_of_its_findings_only() -> None:
    lines = "".join(f" line {n}\n" for n in range(3))
    change = parse_diff(
        "diff --git a/a.py b/a.py\n--- a/a.py\n+++ b/a.py\n"
        f"@@ -1,3 +1,4 @@\n+first\n{lines}@@ -50,3 +51,4 @@\n+second\n{lines}"
        f"@@ -90,3 +92,4 @@\n+third\n{lines}"
    )
    ends = [replace(FINDING, path="a.py", line=n, end_line=n) for n in (1, 92)]

    small = around_all(ends, change.by_path["a.py"])
    [unit] = pack([small], 10_000).units

    assert [hunk.lines[0].text for hunk in small.hunks] == ["first", "third"]
    assert within(ends, unit) == ends
    assert within([replace(FINDING, path="b.py", line=1)], unit) == []
    assert within([replace(FINDING, path="a.py", line=51)], unit) == []


def test_a_finding_is_asked_about_only_where_all_its_lines_are_shown() -> None:
    added = "".join(f"+line {n}\n" for n in range(1, 61))
    change = parse_diff(
        f"diff --git a/a.py b/a.py\n--- a/a.py\n+++ b/a.py\n@@ -0,0 +1,60 @@\n{added}"
    )
    first, second = pack(change.files, 200).units[:2]
    [part], [rest] = first.sections[0].lines, second.sections[0].lines
    end = part.stop - 1
    across = replace(FINDING, path="a.py", line=end, end_line=rest.start)
    inside = replace(across, line=end - 1, end_line=end)

    assert within([across, inside], first) == [inside]
    assert within([across, inside], second) == []


def test_who_found_it_is_asked_and_nobody_where_it_may_have_been_another() -> None:
    here = EngineFacts("openai", "qwen", False, None, 16_384)
    claude = EngineFacts("claude", "claude-opus-5-5", True, "anthropic", 200_000)
    found = replace(FINDING, engine="openai", model="qwen")

    def asked(**engines: EngineFacts) -> str | None:
        named = {role.replace("_", ":"): facts for role, facts in engines.items()}
        return found_by(found, Lineup({"claude": claude, **named}))

    assert asked(local=here) == "local"
    assert asked(local=here, l_twin=here) == "local"
    assert asked(local=here, l_away=replace(here, external=True, provider="host")) is None
    assert asked() is None


def test_a_review_that_decides_first_has_no_room_for_suggestions(login_change: Change) -> None:
    [unit] = pack(login_change.files, 10_000).units
    usual = compose(Briefing(login_change), unit, 1, external=False).prompt
    first = compose(Briefing(login_change, fixes=True), unit, 1, external=False).prompt

    assert (usual.schema, first.schema) == (REVIEW.schema, DECIDE.schema)
    assert "suggestion" in usual.system
    assert "suggestion" not in first.system + json.dumps(first.schema)
    assert first.unit == usual.unit
    assert first.system == system_prompt(fixes=True)
    keys = DECIDE.schema["properties"]["findings"]["items"]["properties"]
    said = {"path": "a", "line": 1, "end_line": None, "quote": "q", "severity": "low",
            "category": "api", "title": "t", "body": "b", "confidence": 1.0}  # fmt: skip
    assert set(keys) == set(said)
    assert parse_answer(json.dumps({"walkthrough": "", "findings": [said]})).whole


@pytest.mark.parametrize(
    ("code", "fitting"),
    [
        (
            "if hmac.compare_digest(user.digest, digest(password)):",
            "    if hmac.compare_digest(user.digest, digest(password)):",
        ),
        ("    if user.digest == digest(password):", None),  # it changes nothing
        ("    if hmac.compare_digest(", None),  # it no longer parses
        ('    if user.digest == "[redacted:github-token]":', None),
        ("   ", None),
    ],
)
def test_only_what_applies_is_taken_over(
    login_change: Change, login_source: dict[str, str], code: str, fitting: str | None
) -> None:
    [file] = login_change.files
    checks = Suggestions(file, login_source[file.path])

    assert checks.replacement(code, 7, 7) == fitting
    assert checks.replacement(code, 7, 70) is None, "lines that the diff does not show"


@pytest.mark.parametrize(
    ("path", "old", "broken", "whole"),
    [
        ("a.json", '{"a": 1}', '{"a": }', '{"a": 2}'),
        ("a.py", "a = 1", "a = ", "a = 2"),
    ],
)
def test_what_can_be_parsed_must_parse_with_it(
    path: str, old: str, broken: str, whole: str
) -> None:
    change = parse_diff(
        f"diff --git a/{path} b/{path}\n--- a/{path}\n+++ b/{path}\n@@ -1,1 +1,1 @@\n-x\n+{old}\n"
    )
    checks = Suggestions(change.files[0], f"{old}\n")

    assert checks.replacement(broken, 1, 1) is None
    assert checks.replacement(whole, 1, 1) == whole


def test_a_long_dotted_key_takes_no_memory_that_it_did_not_bring() -> None:
    old, new = "a = 1", "a = 2"
    change = parse_diff(
        f"diff --git a/Cargo.toml b/Cargo.toml\n--- a/Cargo.toml\n+++ b/Cargo.toml\n@@ -1,1 +1,1 @@\n-x\n+{old}\n"
    )
    checks = Suggestions(change.files[0], f"{old}\n{'.'.join(['k'] * 3_000)} = 1\n")

    tracemalloc.start()
    fitting = checks.replacement(new, 1, 1)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert fitting == new
    assert most < 1_000_000, "bytes"
