"""How large a decode step may be on fast and on slow machines."""

import pytest

from reviewbot.engines.llama.pace import FEWEST, Pace


def seconds(rows: int, per_row: float, weights: float) -> float:
    """What a step takes: the weights are read in any case."""
    return max(weights, rows * per_row)


@pytest.mark.parametrize(
    ("per_row", "weights", "rows"),
    [
        (0.0004, 0.035, 512),  # a card: all that a step can have
        (0.0125, 0.04, 80),  # one core with a small model
        (0.2, 0.4, FEWEST),  # a core with a large one: never less
    ],
)
def test_a_step_takes_about_a_second(per_row: float, weights: float, rows: int) -> None:
    pace = Pace(512)

    for _ in range(6):
        pace.took(pace.rows, seconds(pace.rows, per_row, weights))

    assert pace.rows == rows


def test_steps_of_a_few_answers_say_nothing_about_prompts() -> None:
    pace = Pace(512)
    for _ in range(6):
        pace.took(pace.rows, 0.1)
    learnt = pace.rows

    for _ in range(50):
        pace.took(4, 0.04)

    assert pace.rows == learnt


def test_a_machine_that_gets_slower_gets_smaller_steps_at_once() -> None:
    pace = Pace(512)
    for _ in range(6):
        pace.took(pace.rows, 0.1)

    pace.took(512, 5.12)

    assert pace.rows == 100


def test_a_context_with_small_steps_keeps_to_them() -> None:
    pace = Pace(16)

    pace.took(16, 0.001)

    assert pace.rows == 16
