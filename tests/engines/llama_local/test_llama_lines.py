"""An answer in lines becomes the answer that every engine gives; a cut one loses its last line."""

import json

import pytest

from reviewbot.engines.llama.lines import assemble
from reviewbot.review.answer import parse_answer

REMARK = {
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
LINES = [
    json.dumps({"walkthrough": "Rounds refunds."}),
    json.dumps(REMARK),
    json.dumps({**REMARK, "line": 13, "body": "a { brace } and\nanother line"}),
]
WHOLE = "\n".join(LINES)


def test_lines_become_one_answer() -> None:
    read = assemble(WHOLE + "\n", cut=False)

    answer = parse_answer(read.text)
    assert answer.whole
    assert not answer.problems
    assert answer.walkthrough == "Rounds refunds."
    assert [remark.line for remark in answer.remarks] == [12, 13]
    assert (read.lines, read.cut, read.unreadable) == (3, False, 0)


def test_wherever_an_answer_is_cut_its_whole_lines_stay() -> None:
    ends = [len("\n".join(LINES[: at + 1])) for at in range(len(LINES))]
    for end in range(len(WHOLE) + 1):
        read = assemble(WHOLE[:end], cut=True)

        whole = sum(1 for last in ends if last <= end)
        remarks = parse_answer(read.text).remarks
        assert (read.lines, read.unreadable, len(remarks)) == (whole, 0, max(whole - 1, 0))


@pytest.mark.parametrize("line", ["no json", "[1]", '{"a": ', "null", '{"a": "\t"}', "[" * 9_999])
def test_a_line_that_is_no_object_is_counted_and_left_out(line: str) -> None:
    read = assemble("\n".join([LINES[0], line, LINES[1]]), cut=False)

    assert (read.lines, read.unreadable) == (2, 1)
    assert len(parse_answer(read.text).remarks) == 1


def test_nothing_is_an_empty_answer() -> None:
    read = assemble("", cut=True)

    assert json.loads(read.text) == {"walkthrough": "", "findings": []}
    assert (read.lines, read.cut) == (0, False)
