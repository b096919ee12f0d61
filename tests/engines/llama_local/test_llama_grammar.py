"""Grammars of prompts: what they let through, as llama.cpp reads them."""

import json
import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reviewbot.engines.llama.grammar import (
    LIMITS,
    MAX_BLOCKS,
    fix_grammar,
    grammar_of,
    number_rule,
    review_grammar,
    risk_grammar,
    verdict_grammar,
)
from reviewbot.engines.llama.native import Native
from reviewbot.errors import EngineError
from reviewbot.review.engine import Prompt
from reviewbot.review.fix import parse_fixes
from reviewbot.review.prompt import DECIDE, FIX, REVIEW, ROUTE, VERIFY
from reviewbot.review.verdict import parse_verdicts

PATHS = ["src/a.py", "src/a.pyi", "src/ab.py", 'odd "name"\\.py', "übung/ß.py", "%s{0,3}|[x]"]
LINES = [(9, 12), (95, 130), (7_000, 7_000)]
FINDING = {
    "path": "src/a.py",
    "line": 10,
    "end_line": None,
    "quote": 'return "x\\y"\n\tnext',
    "severity": "high",
    "category": "data_loss",
    "title": "Größe geht verloren",
    "body": "It \U0001f600 fails.",
    "suggestion": None,
    "confidence": 0.85,
}


def written(*findings: dict[str, object]) -> str:
    lines = [{"walkthrough": "Adds a check."}, *findings]
    return "\n".join(json.dumps(line, ensure_ascii=False) for line in lines)


def taken(native: Native, gbnf: str, text: str) -> bool:
    """The whole text is allowed, and the answer may end after it."""
    grammar = native.grammar(gbnf)
    try:
        for token in native.tokens(text):
            if not grammar.allows(token):
                return False
            grammar.accept(token)
        return grammar.allows(native.control("<|im_end|>"))
    finally:
        grammar.close()


@pytest.fixture(scope="module")
def gbnf() -> str:
    return review_grammar(PATHS, LINES)


@pytest.mark.parametrize("path", PATHS)
def test_every_path_can_be_named(native: Native, gbnf: str, path: str) -> None:
    assert taken(native, gbnf, written({**FINDING, "path": path}))


@pytest.mark.parametrize(
    "changed",
    [
        {"path": "src/b.py"},
        {"path": "src/a.p"},
        {"path": ""},
        {"line": 8},
        {"line": 13},
        {"line": 131},
        {"line": 70_000},
        {"end_line": 5},
        {"severity": "fatal"},
        {"category": "style"},
        {"title": "x" * 161},
        {"confidence": 7},
        {"extra": 1},
    ],
    ids=lambda changed: next(iter(changed.items())),
)
def test_nothing_else_can_be_said(native: Native, gbnf: str, changed: dict[str, object]) -> None:
    assert not taken(native, gbnf, written({**FINDING, **changed}))


@pytest.mark.parametrize(
    "changed",
    [{"line": 7_000, "end_line": 7_000}, {"suggestion": "    x = 1\n"}, {"confidence": 1}],
)
def test_what_may_vary_does(native: Native, gbnf: str, changed: dict[str, object]) -> None:
    assert taken(native, gbnf, written({**FINDING, **changed}))


def test_no_or_many_findings(native: Native, gbnf: str) -> None:
    assert taken(native, gbnf, written())
    assert taken(native, gbnf, written() + "\n")
    assert taken(native, gbnf, written(*[FINDING] * 30))
    assert not taken(native, gbnf, written(*[FINDING] * 31))


@pytest.mark.parametrize(
    "text",
    [
        '{"walkthrough": "raw\ttab"}',
        '{"walkthrough": "\x7f"}',
        '{"walkthrough": "half \\ud83d"}',
        '{"walkthrough": "a"} {"walkthrough": "b"}',
        '```json\n{"walkthrough": "a"}',
        '{"findings": []}',
        "",
    ],
)
def test_no_line_that_is_not_json(native: Native, gbnf: str, text: str) -> None:
    assert not taken(native, gbnf, text)


def test_without_paths_and_lines_any_may_be_named(native: Native) -> None:
    gbnf = review_grammar([], [])

    assert taken(native, gbnf, written({**FINDING, "path": "any/where.c", "line": 123_456}))


def test_a_prompt_of_hundreds_of_files_and_blocks_still_parses(native: Native) -> None:
    paths = [f"src/package{number % 7}/module_{number}.py" for number in range(400)]
    gbnf = review_grammar(paths, [(number * 30, number * 30 + 4) for number in range(1, 400)])

    assert taken(native, gbnf, written({**FINDING, "path": paths[399], "line": 34}))
    assert not taken(native, gbnf, written({**FINDING, "path": "src/package1/module_2.py"}))


blocks = st.lists(
    st.tuples(st.integers(1, 3_000), st.sampled_from([0, 1, 9, 40, 900])).map(
        lambda pair: (pair[0], pair[0] + pair[1])
    ),
    min_size=1,
    max_size=12,
)


@given(blocks)
def test_exactly_the_numbers_of_the_blocks(made: list[tuple[int, int]]) -> None:
    pattern = re.compile(number_rule(made).replace('"', "").replace(" ", ""))

    allowed = {number for number in range(1, 4_100) if pattern.fullmatch(str(number))}

    assert allowed == {n for first, last in made for n in range(first, last + 1)}


def test_many_blocks_become_few_that_hold_them_all() -> None:
    made = [(number * 10, number * 10 + 1) for number in range(1, 300)] + [(9_000, 9_001)]
    rule = number_rule(made)
    pattern = re.compile(rule.replace('"', "").replace(" ", ""))

    assert all(pattern.fullmatch(str(number)) for block in made for number in block)
    assert not pattern.fullmatch("5000")  # the widest gap stays
    assert len(rule) < MAX_BLOCKS * 100


@pytest.mark.parametrize(
    ("text", "allowed"),
    [
        ('{"verdicts": [{"finding": 1, "verdict": "real"}, {"finding": 2, "verdict": "wrong"}]}', 1),
        ('{"verdicts": [{"finding": 1, "verdict": "unsure"}, {"finding": 2, "verdict": "real"}]}', 1),
        ('{"verdicts": [{"finding": 1, "verdict": "real"}]}', 0),
        ('{"verdicts": [{"finding": 2, "verdict": "real"}, {"finding": 1, "verdict": "real"}]}', 0),
        ('{"verdicts": [{"finding": 1, "verdict": "fine"}, {"finding": 2, "verdict": "real"}]}', 0),
        ('{"verdicts": []}', 0),
    ],
)  # fmt: skip
def test_each_finding_gets_one_verdict_in_turn(native: Native, text: str, allowed: bool) -> None:
    assert taken(native, verdict_grammar(["1", "2"]), text) == bool(allowed)
    assert parse_verdicts(text) is not None or "fine" in text


@pytest.mark.parametrize(
    ("text", "allowed"),
    [
        ('{"fixes": [{"finding": 1, "suggestion": "a\\n  b"}, {"finding": 2, "suggestion": null}]}', 1),
        ('{"fixes": [{"finding": 1, "suggestion": null}]}', 0),
        ('{"fixes": [{"finding": 2, "suggestion": null}, {"finding": 1, "suggestion": null}]}', 0),
        ('{"fixes": [{"finding": 1, "suggestion": 7}, {"finding": 2, "suggestion": null}]}', 0),
    ],
)  # fmt: skip
def test_each_finding_gets_one_change_or_none(native: Native, text: str, allowed: int) -> None:
    assert taken(native, fix_grammar(["1", "2"]), text) == bool(allowed)
    assert parse_fixes(text) is not None or "7" in text


def test_a_review_that_decides_first_can_not_suggest(native: Native) -> None:
    usual = review_grammar(PATHS, LINES)
    first = review_grammar(PATHS, LINES, suggestions=False)
    bare = {key: value for key, value in FINDING.items() if key != "suggestion"}

    assert [taken(native, usual, written(each)) for each in (FINDING, bare)] == [True, False]
    assert [taken(native, first, written(each)) for each in (FINDING, bare)] == [False, True]


@pytest.mark.parametrize(
    ("text", "allowed"),
    [
        ('{"risky": true, "area": "auth", "why": "Sessions never end."}', 1),
        ('{"risky": false, "area": "none", "why": ""}', 1),
        ('{"risky": true, "area": "none", "why": "x"}', 0),
        ('{"risky": false, "area": "auth", "why": "x"}', 0),
        ('{"risky": true, "area": "looks", "why": "x"}', 0),
        ('{"area": "auth", "risky": true, "why": "x"}', 0),
    ],
)
def test_a_yes_names_an_area_and_a_no_none(native: Native, text: str, allowed: int) -> None:
    assert taken(native, risk_grammar(["auth", "payments"]), text) == bool(allowed)


def test_there_is_a_grammar_for_every_form_and_for_no_other() -> None:
    prompt = Prompt("", "", "", {}, 100, choices=("1",))

    for task in (REVIEW, DECIDE, VERIFY, ROUTE, FIX):
        assert grammar_of(replace(prompt, schema=task.schema)).startswith("root ::=")
    with pytest.raises(EngineError, match="no grammar"):
        grammar_of(replace(prompt, schema={"type": "object"}))


def test_limits_are_what_llama_cpp_can_count() -> None:
    texts = (LIMITS.walkthrough, LIMITS.quote, LIMITS.title, LIMITS.body, LIMITS.suggestion)

    assert max(texts) <= 2_000  # a greater one would be read as none
