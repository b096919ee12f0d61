"""What an answer may be, as a grammar of its own for each prompt (GBNF).

A review is one object on each line: first the walkthrough, then the findings. Paths and line
numbers are the prompt's own, so a model can't name a file or a line that it was not shown. Other
answers are short, and one object.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from os.path import commonprefix
from typing import Any

from reviewbot.errors import EngineError
from reviewbot.review.answer import Category, Severity
from reviewbot.review.engine import Prompt
from reviewbot.review.prompt import DECIDE, FIX, REVIEW, ROUTE, VERIFY
from reviewbot.review.risk import NO_AREA
from reviewbot.review.verdict import Verdict

#: Says to the model what the grammar holds it to, so that it seldom has to.
FORMAT = (
    "Write that object as separate lines, each a JSON object, with nothing before, between or "
    'after them: the first is {"walkthrough": "…"}, and each finding is one line with its keys in '
    "the order named above. No finding: no further line."
)
#: More blocks of line numbers than this are joined where the gaps are smallest.
MAX_BLOCKS = 64


@dataclass(frozen=True)
class Limits:
    """Longest texts, characters, and how many findings. llama.cpp reads a repetition of more
    than 2000 as one without an end."""

    walkthrough: int = 800
    quote: int = 1_200
    title: int = 160
    body: int = 1_200
    suggestion: int = 2_000
    findings: int = 30
    why: int = 200


LIMITS = Limits()

#: JSON forbids control characters in strings; \\u could make half a character.
_CHAR = r'char ::= [^"\\\x00-\x1F\x7F] | "\\" ["\\/bfnrt]'


def review_grammar(
    paths: Sequence[str],
    lines: Sequence[tuple[int, int]],
    limits: Limits = LIMITS,
    *,
    suggestions: bool = True,
) -> str:
    """The grammar of a review's answer. No paths or no lines: any may be named."""
    number = number_rule(lines) if lines else r"[1-9] [0-9]{0,6}"
    finding = {
        "path": _one_of(paths) if paths else _text(400),
        "line": "number",
        "end_line": 'number | "null"',
        "quote": _text(limits.quote),
        "severity": _one_of(Severity),
        "category": _one_of(Category),
        "title": _text(limits.title),
        "body": _text(limits.body),
        "suggestion": f'{_text(limits.suggestion)} | "null"',
        "confidence": r'"0." [0-9] [0-9]? | "0" | "1" ".0"?',
    }
    if not suggestions:
        del finding["suggestion"]
    return "\n".join(
        [
            rf'root ::= walkthrough ("\n" finding){{0,{limits.findings}}} "\n"?',
            f"walkthrough ::= {_object({'walkthrough': _text(limits.walkthrough)})}",
            f"finding ::= {_object(finding)}",
            f"number ::= {number}",
            _CHAR,
            "",
        ]
    )


def is_review(schema: Mapping[str, Any]) -> bool:
    """The answer asked for is a review's: written in lines."""
    return schema in (REVIEW.schema, DECIDE.schema)


def grammar_of(prompt: Prompt, limits: Limits = LIMITS) -> str:
    """The grammar of the answer to this prompt. Raises EngineError for one of another form than
    ours: there is no grammar for it."""
    if is_review(prompt.schema):
        suggestions = prompt.schema == REVIEW.schema
        return review_grammar(prompt.paths, prompt.lines, limits, suggestions=suggestions)
    if prompt.schema == VERIFY.schema:
        return verdict_grammar(prompt.choices)
    if prompt.schema == ROUTE.schema:
        return risk_grammar(prompt.choices, limits)
    if prompt.schema == FIX.schema:
        return fix_grammar(prompt.choices, limits)
    raise EngineError("the local engine can't be asked for an answer of this form: no grammar")


def verdict_grammar(numbers: Sequence[str]) -> str:
    """One verdict on each of these findings, in their order."""
    verdicts = [_object({"finding": _literal(n), "verdict": "verdict"}) for n in numbers]
    parts = [_literal('{"verdicts": ['), ' ", " '.join(verdicts), _literal("]}")]
    return "\n".join([f"root ::= {' '.join(parts)}", f"verdict ::= {_one_of(Verdict)}", ""])


def fix_grammar(numbers: Sequence[str], limits: Limits = LIMITS) -> str:
    """One replacement, or none, for each of these findings, in their order."""
    fixes = [_object({"finding": _literal(n), "suggestion": "suggestion"}) for n in numbers]
    parts = [_literal('{"fixes": ['), ' ", " '.join(fixes), _literal("]}")]
    suggestion = f'suggestion ::= {_text(limits.suggestion)} | "null"'
    return "\n".join([f"root ::= {' '.join(parts)}", suggestion, _CHAR, ""])


def risk_grammar(areas: Sequence[str], limits: Limits = LIMITS) -> str:
    """A yes with one of these areas, or a no; then why."""
    text = _text(limits.why)
    yes = _object({"risky": _literal("true"), "area": _one_of(areas), "why": text})
    no = _object({"risky": _literal("false"), "area": _one_of([NO_AREA]), "why": text})
    return "\n".join([f"root ::= {yes} | {no}", _CHAR, ""])


def _object(fields: Mapping[str, str]) -> str:
    parts = [
        f"{_literal((', ' if index else '{') + json.dumps(key) + ': ')} ({rule})"
        for index, (key, rule) in enumerate(fields.items())
    ]
    return " ".join([*parts, _literal("}")])


def _text(most: int) -> str:
    return rf'"\"" char{{0,{most}}} "\""'


def _literal(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _one_of(values: Iterable[str]) -> str:
    """These strings as JSON writes them; the ends differ from each other, as all are quoted."""
    return _branches(sorted({json.dumps(str(value), ensure_ascii=False) for value in values}))


def _branches(texts: Sequence[str]) -> str:
    """Sorted texts of which none begins another, with common starts written once: as many
    alternatives at a time as there are ways to go on, not as there are texts."""
    parts = []
    for _, group in groupby(texts, key=lambda text: text[0]):
        same = list(group)
        if len(same) == 1:
            parts.append(_literal(same[0]))
        else:
            start = commonprefix(same)  # noqa: RUF071 - of characters, not of folders
            parts.append(f"{_literal(start)} ({_branches([t[len(start) :] for t in same])})")
    return " | ".join(parts)


def number_rule(blocks: Iterable[tuple[int, int]]) -> str:
    """Exactly the numbers of these blocks (both ends included)."""
    return " | ".join(
        part
        for first, last in _joined(blocks)
        for low, high in _same_length(first, last)
        for part in _between(str(low), str(high))
    )


def _joined(blocks: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Sorted, overlaps joined, and at most `MAX_BLOCKS` of them."""
    joined: list[tuple[int, int]] = []
    for first, last in sorted(blocks):
        if joined and first <= joined[-1][1] + 1:
            joined[-1] = (joined[-1][0], max(joined[-1][1], last))
        else:
            joined.append((first, last))
    gaps = sorted(b[0] - a[1] for a, b in pairwise(joined))
    smallest = gaps[len(joined) - MAX_BLOCKS - 1] if len(joined) > MAX_BLOCKS else 0
    kept = joined[:1]
    for first, last in joined[1:]:
        if first - kept[-1][1] <= smallest:
            kept[-1] = (kept[-1][0], last)
        else:
            kept.append((first, last))
    return kept


def _same_length(first: int, last: int) -> list[tuple[int, int]]:
    """A block cut where numbers become a digit longer."""
    parts = []
    while first <= last:
        end = min(last, 10 ** len(str(first)) - 1)
        parts.append((first, end))
        first = end + 1
    return parts


def _between(low: str, high: str) -> list[str]:
    """Alternatives for all numbers from low to high, of equally many digits."""
    if low == high:
        return [_literal(low)]
    rest = len(low) - 1
    if low[1:] == "0" * rest and high[1:] == "9" * rest:
        tail = f" [0-9]{{{rest}}}" if rest else ""
        return [f"[{low[0]}-{high[0]}]{tail}"]
    if low[0] == high[0]:
        return [f"{_literal(low[0])} ({' | '.join(_between(low[1:], high[1:]))})"]
    parts: list[str] = []
    if low[1:] != "0" * rest:
        parts += _between(low, low[0] + "9" * rest)
        low = str(int(low[0]) + 1) + "0" * rest
    tail_of_high = []
    if high[1:] != "9" * rest:
        tail_of_high = _between(high[0] + "0" * rest, high)
        high = str(int(high[0]) - 1) + "9" * rest
    if low <= high:
        parts += _between(low, high)
    return parts + tail_of_high
