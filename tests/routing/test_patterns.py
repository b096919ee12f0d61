"""Many patterns over one text find what each finds alone."""

import re

from hypothesis import given, settings
from hypothesis import strategies as st

from reviewbot.config.patterns import compile_pattern
from reviewbot.routing.patterns import NOT_FOUND, PIECE, TextPatterns, finder

PATTERNS = (r"pay\(", "pay", r"\bre?fund\w*", "^total", r"a.*b$", "(x)(y)?")
texts = st.lists(
    st.sampled_from(["pay(", "refunds", " total", "total", "a b", "ab c", "xy", "x", "", "é pay"]),
    max_size=8,
).map("\n".join)


@settings(deadline=None)
@given(st.sampled_from(PATTERNS), texts)
def test_the_bare_search_finds_what_the_pattern_finds(pattern: str, text: str):
    compiled, data = compile_pattern(pattern), text.encode()
    hit = compiled.search(data)

    assert finder(compiled)(data, 0, len(data))[0] == (hit.span() if hit else NOT_FOUND)


@settings(deadline=None)
@given(texts)
def test_alternatives_looked_for_one_by_one_are_found_as_if_in_one_pattern(text: str):
    data = text.encode()
    joined = compile_pattern("|".join(f"(?:{pattern})" for pattern in PATTERNS))

    found, at = [], 0
    search = TextPatterns([PATTERNS]).candidates(data, {0}).get(0)
    while search and (span := search.find(at, len(data))) != NOT_FOUND:
        found.append(span)
        at = span[1]

    assert found == [hit.span() for hit in joined.finditer(data)]


@settings(deadline=None, max_examples=30)
@given(st.lists(st.sampled_from(["x" * 300, "pay(", "refund me", "y" * (2 * PIECE), ""])))
def test_a_long_text_is_read_in_pieces_and_nothing_is_lost_between_them(lines: list[str]):
    data = "\n".join(lines * 5).encode()
    patterns = TextPatterns([[r"pay\("], ["^refund"], ["nothing"]])

    found = {}
    for index, search in patterns.candidates(data, {0, 1}).items():
        at, found[index] = 0, 0
        while (span := search.find(at, len(data))) != NOT_FOUND:
            at, found[index] = span[1], found[index] + 1

    text = data.decode()
    assert found.get(0, 0) == text.count("pay(")
    assert found.get(1, 0) == len(re.findall("(?m)^refund", text))
    assert 2 not in found
