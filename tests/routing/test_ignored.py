"""Pull requests that are routed only."""

from typing import Any

import pytest

from reviewbot.config.policy import load_policy
from reviewbot.routing.ignored import ignored

POLICY = "ignore: {authors: ['*[bot]', eve], labels: ['no review'], branches: ['release/*'], titles: ['chore(*']}"


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"author": "renovate[bot]"}, "author renovate[bot] is on the policy's ignore list"),
        ({"author": "EVE"}, "author EVE is on the policy's ignore list"),
        ({"author": "evelyn"}, ""),
        ({"author": "bot"}, ""),
        ({"labels": ("bug", "No Review")}, "label No Review is on the policy's ignore list"),
        ({"branch": "release/1.2"}, "branch release/1.2 is on the policy's ignore list"),
        ({"branch": "my-release/1.2"}, ""),
        (
            {"title": "chore(deps): bump\n x"},
            "title chore(deps): bump\n x is on the policy's ignore list",
        ),
        ({"title": "feat: x"}, ""),
        ({}, ""),
    ],
)
def test_wildcards_match_whole_values_in_any_case(given: dict[str, Any], reason: str):
    assert ignored(load_policy(POLICY), **given) == reason


def test_bots_are_ignored_by_default():
    assert ignored(load_policy(""), author="dependabot[bot]")
