"""Calls that share a machine share its seconds: nothing is billed twice."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reviewbot.costs.busy import SharedMeter


def test_two_calls_at_once_share_the_time_they_overlap() -> None:
    clock = SharedMeter()

    clock.start("a", 0.0)
    clock.start("b", 4.0)
    first = clock.stop("a", 10.0)
    second = clock.stop("b", 12.0)

    assert first == pytest.approx(4 + 3)
    assert second == pytest.approx(3 + 2)


@given(st.lists(st.tuples(st.floats(0, 100), st.floats(0, 50)), min_size=1, max_size=8))
def test_shares_add_up_to_the_time_in_which_anything_ran(spans: list[tuple[float, float]]) -> None:
    clock, shares = SharedMeter(), 0.0
    events = [(start, 1, i) for i, (start, _) in enumerate(spans)]
    events += [(start + length, 2, i) for i, (start, length) in enumerate(spans)]
    for now, kind, call in sorted(events):
        if kind == 1:
            clock.start(str(call), now)
        else:
            shares += clock.stop(str(call), now)

    covered, end = 0.0, float("-inf")
    for start, length in sorted(spans):
        covered += max(start + length - max(start, end), 0.0)
        end = max(end, start + length)
    assert shares == pytest.approx(covered, abs=1e-6)


def test_a_call_that_has_begun_twice_counts_once() -> None:
    clock = SharedMeter()

    clock.start("a", 0.0)
    clock.start("a", 4.0)

    assert clock.stop("a", 10.0) == pytest.approx(10)


def test_a_call_that_never_began_has_no_share_and_takes_none() -> None:
    clock = SharedMeter()

    clock.start("a", 0.0)

    assert clock.stop("b", 4.0) == 0.0
    assert clock.stop("a", 10.0) == pytest.approx(10)
