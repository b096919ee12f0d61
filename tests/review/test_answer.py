"""A model's answer is hostile text until it fits the schema."""

import json

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reviewbot.review.answer import MAX_BODY, MAX_REMARKS, answer_schema, parse_answer

GOOD = {
    "path": "a.py",
    "line": 3,
    "end_line": None,
    "quote": "x = 1",
    "severity": "high",
    "category": "correctness",
    "title": "Wrong",
    "body": "It is wrong.",
    "suggestion": None,
    "confidence": 0.7,
}


def answer(*findings: object, walkthrough: str = "Adds a thing.") -> str:
    return json.dumps({"walkthrough": walkthrough, "findings": list(findings)})


def test_the_schema_is_closed_and_describes_a_good_answer() -> None:
    schema = answer_schema()

    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(json.loads(answer(GOOD)), schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(json.loads(answer({**GOOD, "approve": True})), schema)
    assert "$ref" not in json.dumps(schema)


def test_a_good_answer_is_read_whole() -> None:
    parsed = parse_answer(answer(GOOD))

    assert parsed.whole
    assert parsed.problems == ()
    assert [remark.title for remark in parsed.remarks] == ["Wrong"]


def test_optional_keys_and_a_fence_around_it_are_forgiven() -> None:
    short = {key: value for key, value in GOOD.items() if key not in ("end_line", "suggestion")}

    parsed = parse_answer("```json\n" + answer(short) + "\n```")

    assert len(parsed.remarks) == 1


def test_a_cut_answer_keeps_its_whole_remarks() -> None:
    text = answer(GOOD, {**GOOD, "line": 4})

    parsed = parse_answer(text[: text.rindex('"line": 4') + 20])

    assert not parsed.whole
    assert [remark.line for remark in parsed.remarks] == [3]
    assert parsed.walkthrough == "Adds a thing."


@pytest.mark.parametrize(
    "bad",
    [
        {**GOOD, "severity": "apocalyptic"},
        {**GOOD, "line": "seven"},
        {**GOOD, "approve": True},
        "just words",
        None,
    ],
)
def test_one_bad_finding_does_not_take_the_others_with_it(bad: object) -> None:
    parsed = parse_answer(answer(bad, GOOD))

    assert len(parsed.remarks) == 1
    assert parsed.problems[0].startswith("finding 1: ")


@pytest.mark.parametrize(
    "text", ["", "I approve!", "[]", '"x"', "{", '{"findings": 3}', "[" * 100_000]
)
def test_what_is_no_answer_has_a_problem_and_no_remarks(text: str) -> None:
    parsed = parse_answer(text)

    assert not parsed.whole
    assert parsed.remarks == ()
    assert parsed.problems


def test_sizes_are_bounded() -> None:
    long = {**GOOD, "body": "x" * 100_000, "title": "t\n" * 1_000, "confidence": 7}

    parsed = parse_answer(answer(*[long] * (MAX_REMARKS + 5)))

    assert len(parsed.remarks) == MAX_REMARKS
    assert len(parsed.remarks[0].body) == MAX_BODY
    assert "\n" not in parsed.remarks[0].title
    assert parsed.remarks[0].confidence == 1.0
    assert "5 findings over the limit" in parsed.problems[-1]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(st.text() | json_values.map(json.dumps) | json_values.map(lambda v: answer(v, GOOD)))
def test_no_text_makes_the_parser_raise(text: str) -> None:
    parse_answer(text)


@given(st.integers(0, 400))
def test_no_cut_of_a_good_answer_makes_up_a_remark(length: int) -> None:
    text = answer(GOOD, {**GOOD, "line": 4}, {**GOOD, "line": 5})

    parsed = parse_answer(text[:length])

    assert [remark.line for remark in parsed.remarks] == [3, 4, 5][: len(parsed.remarks)]
