"""Whatever comes in is read, or refused in words; nothing else happens."""

import random
from collections import Counter

import pytest
from any_input import JUDGES


@pytest.mark.filterwarnings("ignore:Possible:FutureWarning")  # of `[[` and the like in a path
@pytest.mark.parametrize("kind", JUDGES)
@pytest.mark.parametrize("count", [400, pytest.param(50_000, marks=pytest.mark.soak)])
def test_any_input_is_read_or_refused(kind: str, count: int) -> None:
    dice = random.Random(count)

    found = Counter(JUDGES[kind](dice) for _ in range(count))

    assert found.total() == count
    assert "refused badly" not in found, "in one line that says why"
    assert len(found) > 1, "dice that always fall alike try nothing"
