"""Packing by exact counts: no unit is too long, none is wastefully short, and no line is lost."""

import re
from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from reviewbot.change.model import FileChange, Hunk, Status
from reviewbot.review.exact import pack_exactly
from reviewbot.review.units import MAX_UNITS, Packed


def added(path: str, lines: Sequence[str]) -> FileChange:
    hunk = Hunk(0, 0, 1, len(lines), "", tuple("+" + line for line in lines))
    return FileChange(path, Status.ADDED, hunks=(hunk,))


class Bytes:
    """The vocabulary in which each byte is a token: four times what is estimated."""

    def __init__(self) -> None:
        self.calls: list[int] = []

    def __call__(self, texts: Sequence[str]) -> list[int]:
        self.calls.append(len(texts))
        return [len(text.encode()) for text in texts]


def packed(files: Sequence[FileChange], budget: int, count: Bytes, **tails: str) -> Packed:
    found = pack_exactly(files, budget, count, sources={}, notes={}, tails=tails)
    assert found is not None
    return found


def shown(result: Packed) -> list[tuple[str, int]]:
    return [
        (section.path, int(number))
        for unit in result.units
        for section in unit.sections
        for number in re.findall(r"^(\d+) \+", section.text, re.MULTILINE)
    ]


@given(
    st.lists(
        st.lists(
            st.text(st.characters(codec="ascii", exclude_characters="\n"), max_size=60),
            min_size=1,
            max_size=60,
        ),
        min_size=1,
        max_size=6,
    ),
    st.integers(400, 3_000),
)
def test_every_changed_line_is_in_one_unit_that_fits(texts: list[list[str]], budget: int) -> None:
    files = [added(f"f{n}.txt", lines) for n, lines in enumerate(texts)]

    result = packed(files, budget, Bytes())

    wanted = [(file.path, n) for file in files for n in range(1, file.added_count + 1)]
    assert sorted(shown(result)) == sorted(wanted)
    in_ranges = [
        (section.path, number)
        for unit in result.units
        for section in unit.sections
        for part in section.lines
        for number in part
    ]
    assert sorted(in_ranges) == sorted(wanted)
    for unit in result.units:
        whole = "".join(f"\n\n{section.text}" for section in unit.sections)
        assert len(whole.encode()) <= unit.tokens <= budget


def test_what_stands_after_a_file_counts_in_each_of_its_sections() -> None:
    count, file = Bytes(), added("a.py", [f"value_{n} = {n}" for n in range(100)])

    without = packed([file], 1_000, count)
    with_tail = packed([file], 1_000, count, **{"a.py": "x" * 400})

    assert len(with_tail.units) > len(without.units)
    assert all(len(unit.sections[0].text) + 400 < unit.tokens <= 1_000 for unit in with_tail.units)


def test_a_usual_change_is_counted_in_one_go() -> None:
    count = Bytes()

    packed([added(f"f{n}.py", ["x = 1"] * 5) for n in range(20)], 10_000, count)

    assert count.calls == [40]


def test_of_a_change_without_end_only_what_is_read_is_counted() -> None:
    count = Bytes()
    files = [added(f"f{n}.py", [f"value_{i} = {i}" for i in range(4_000)]) for n in range(40)]

    result = packed(files, 2_000, count)

    assert len(result.units) == MAX_UNITS
    assert {s.path for unit in result.units for s in unit.sections} < set(result.left_out) | {
        "f0.py"
    }
    assert len(result.left_out) > 35
    assert sum(count.calls) < 40 * 4_000 / 10


def test_a_line_that_fits_no_unit_stays_whole() -> None:
    result = packed([added("a.txt", ["short", "x" * 1_500, "short"])], 500, Bytes())

    assert [number for _, number in shown(result)] == [1, 2, 3]
    assert [unit.tokens > 500 for unit in result.units] == [False, True, False]


def test_where_nobody_can_count_there_is_no_such_packing() -> None:
    files = [added("a.py", ["x = 1"])]

    assert pack_exactly(files, 500, lambda _: None, sources={}, notes={}, tails={}) is None
