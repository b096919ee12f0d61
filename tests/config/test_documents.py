"""Files that people write: read whole, or refused with the line and the fix."""

import json
import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Field

from reviewbot.config.documents import MAX_BYTES, MAX_DEPTH, load_document, validate
from reviewbot.errors import DocumentError


class Dog(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: str
    colour: str = "brown"
    age: int = Field(1, ge=0)


class Kennel(BaseModel):
    model_config = ConfigDict(extra="forbid")

    dogs: tuple[Dog, ...] = ()
    open_: bool = Field(True, alias="open")


def test_plain_data_and_the_line_of_every_part():
    document = load_document("a: 1\nb:\n  - x\n  - {c: 2.5}\n", "f.yml")

    assert document.data == {"a": 1, "b": ["x", {"c": 2.5}]}
    assert document.lines == {
        (): 1,
        ("a",): 1,
        ("b",): 2,
        ("b", 0): 3,
        ("b", 1): 4,
        ("b", 1, "c"): 4,
    }
    assert document.line(("b", 1, "c", "missing")) == 4


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("yes", "yes"),
        ("no", "no"),
        ("true", True),
        ("~", None),
        ("'1'", "1"),
        ("0123", 123),
        ("1_000", "1_000"),
        ("2020-01-01", "2020-01-01"),
        ("12:30:45", "12:30:45"),
        (".inf", ".inf"),
        ("-1.5e3", -1500.0),
        ("9" * 5000, "9" * 5000),
    ],
)
def test_only_yaml_1_2_scalars_have_a_meaning(text: str, value: object):
    assert load_document(f"a: {text}", "f.yml").data == {"a": value}


BILLION_LAUGHS = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{b}: &{b} [*{a},*{a},*{a},*{a},*{a},*{a},*{a},*{a},*{a}]\n"
    for a, b in zip("abcdefgh", "bcdefghi", strict=True)
)


@pytest.mark.parametrize(
    ("text", "line", "problem"),
    [
        (BILLION_LAUGHS, 1, "anchors and aliases are not allowed"),
        ("[" * 3000, 1, f"nested deeper than {MAX_DEPTH} levels"),
        ("{a: " * 3000, 1, f"nested deeper than {MAX_DEPTH} levels"),
        ("- " * 3000, 1, f"nested deeper than {MAX_DEPTH} levels"),
        ("a" * (MAX_BYTES + 1), None, "too large: 64 KB, the limit is 64 KB"),
        ("a: 1\nb: 2\na: 3\n", 3, "`a` twice"),
        ("a: !!python/object/apply:os.system [id]", 1, "tags are not allowed"),
        ("<<: *x\n", 1, "anchors and aliases are not allowed"),
        ("a: 1\n---\nb: 2\n", 2, "a second document"),
        ("? [a]\n: 1\n", 1, "a list or mapping as key"),
        ("a: 1\nb: c: d\n", 2, "not YAML"),
        ("a: \x07\n", None, "not YAML"),
        ("a: \ud800\n", None, "not UTF-8 text"),
    ],
)
def test_what_is_no_plain_document_is_refused_at_its_line(
    text: str, line: int | None, problem: str
):
    tracemalloc.start()
    try:
        with pytest.raises(DocumentError) as caught:
            load_document(text, "f.yml")
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert caught.value.line == line
    assert caught.value.problem.startswith(problem)
    assert peak < 20_000_000


def test_a_tab_as_indent_is_told_from_other_syntax():
    with pytest.raises(DocumentError, match="indent with spaces, not tabs"):
        load_document("a:\n\tb: 1\n", "f.yml")


def test_a_larger_file_is_read_where_the_caller_allows_it():
    text = "a: " + "x" * MAX_BYTES

    assert load_document(text, "f.yml", max_bytes=2 * MAX_BYTES).data["a"].startswith("xxx")


def test_bytes_with_a_byte_order_mark_are_text():
    assert load_document(b"\xef\xbb\xbfa: \xc3\xa9\n", "f.yml").data == {"a": "é"}
    with pytest.raises(DocumentError, match="not UTF-8"):
        load_document(b"a: \xff", "f.yml")


@settings(deadline=None)
@given(st.text(max_size=200) | st.text("[]{}:-?&*!|>'\"%@`#, \n\tab1", max_size=200))
def test_any_text_is_data_or_a_document_error(text: str):
    try:
        document = load_document(text, "f.yml")
    except DocumentError:
        return
    assert () in document.lines or document.data is None


printable = st.text(
    st.characters(exclude_categories=("Cc", "Cs", "Cn", "Zl", "Zp"), exclude_characters="\ufeff"),
    max_size=20,
)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**17), 10**17) | printable,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(printable, inner, max_size=4),
    max_leaves=15,
)


@settings(deadline=None)
@given(json_values)
def test_json_is_read_as_json_says(data: object):
    text = json.dumps(data, ensure_ascii=False)

    assert load_document(text, "f.yml").data == data


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "dogs:\n  - name: Rex\n    color: red\n",
            "f.yml:3: unknown key `dogs[0].color` (did you mean `colour`?)",
        ),
        ("open: true\nhouse: 1\n", "f.yml:2: unknown key `house` (known here: dogs, open)"),
        ("dogs:\n  - colour: red\n", "f.yml:2: `name` is missing in `dogs[0]`"),
        (
            "dogs:\n  - name: Rex\n    age: -1\n",
            "f.yml:3: `dogs[0].age` should be greater than or equal to 0, not -1",
        ),
        ("dogs: Rex\n", "f.yml:1: `dogs` must be a list, not 'Rex' (write [Rex])"),
        ("dogs: [Rex]\n", "f.yml:1: `dogs[0]` must hold keys, not 'Rex'"),
        (
            "dogs:\n  - name: 12\n",
            "f.yml:2: `dogs[0].name` must be text, not 12 (put it in quotes)",
        ),
        ("- 1\n", "f.yml:1: the file must hold keys, not a list"),
        ("x: 1\ny: 2\n", "f.yml:1: unknown key `x` (known here: dogs, open; and 1 more)"),
    ],
)
def test_errors_name_line_key_and_likely_fix(text: str, message: str):
    with pytest.raises(DocumentError) as caught:
        validate(Kennel, load_document(text, "f.yml"))

    assert str(caught.value) == message


def test_an_empty_document_has_no_keys():
    assert validate(Kennel, load_document("# nothing yet\n", "f.yml")) == Kennel()
