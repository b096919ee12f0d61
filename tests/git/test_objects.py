"""Objects asked for ahead are the ones that are got."""

from collections.abc import Iterator

import pytest
from git.conftest import Repo

from reviewbot.git.objects import Objects
from reviewbot.git.plumbing import find_repository


@pytest.fixture
def objects(repo: Repo) -> Iterator[Objects]:
    """Of a repository with files a, b and c, which hold their names, and 90 longer ones."""
    long = {f"{'long' * 20}{number}": str(number) for number in range(90)}
    repo.commit("first", a="a", b="b", c="c", **long)
    with Objects(find_repository(repo.folder)) as objects:
        yield objects


def texts(objects: Objects, *paths: str) -> list[str | None]:
    return [objects.text(f"HEAD:{path}", limit=100) for path in paths]


def test_what_was_asked_for_ahead_comes_in_its_order(objects: Objects):
    objects.ask(["HEAD:a", "HEAD:none", "HEAD:b"])

    assert texts(objects, "a", "none", "b", "c") == ["a", None, "b", "c"]


def test_what_is_passed_over_is_dropped_and_what_was_not_asked_for_is_got_all_the_same(
    objects: Objects,
):
    objects.ask(["HEAD:a", "HEAD:b", "no\nname", "HEAD:c"])
    assert texts(objects, "b") == ["b"]

    objects.ask(["HEAD:a"])
    assert texts(objects, "none", "c", "a") == [None, "c", "a"]


def test_more_than_fits_the_pipe_is_asked_when_its_turn_comes(objects: Objects):
    paths = [f"{'long' * 20}{number}" for number in range(90)]

    objects.ask(f"HEAD:{path}" for path in paths)

    assert texts(objects, *paths) == [str(number) for number in range(90)]
