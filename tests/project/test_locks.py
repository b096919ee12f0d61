"""The locks are whole: every declared dependency, pinned, hashed, and from no place in particular."""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

#: Lock → the extras that it holds besides the dependencies.
LOCKS = {
    "base": (),
    "service": ("analyzers", "local", "postgres"),
    "demo": ("analyzers",),
    "action": ("local", "postgres"),
    "dev": ("analyzers", "local", "postgres", "dev"),
    "llama": ("llama",),
}
#: It has a lock of its own: it is built, and the wheel is kept.
BUILT = "llama-cpp-python"


@pytest.fixture(scope="module")
def project(root: Path) -> dict[str, object]:
    return tomllib.loads((root / "pyproject.toml").read_text("utf-8"))["project"]


def entries(lock: Path) -> Iterator[tuple[Requirement, int]]:
    """Each pinned requirement of a lock and how many hashes it has."""
    joined = lock.read_text("utf-8").replace("\\\n", " ")
    for line in joined.split("\n"):
        if line.strip() and not line.lstrip().startswith("#"):
            requirement, *hashes = line.split(" --hash=sha256:")
            yield Requirement(requirement), len(hashes)


def pins(lock: Path) -> dict[str, str]:
    return {
        canonicalize_name(requirement.name): next(iter(requirement.specifier)).version
        for requirement, _ in entries(lock)
    }


@pytest.mark.parametrize("name", [*LOCKS, "llama-cpp", "build", "release"])
def test_every_entry_is_one_version_with_hashes(root: Path, name: str) -> None:
    for requirement, hashes in entries(root / "requirements" / f"{name}.txt"):
        assert [pin.operator for pin in requirement.specifier] == ["=="]
        assert requirement.url is None
        assert hashes


@pytest.mark.parametrize(("name", "extras"), LOCKS.items())
def test_a_lock_satisfies_what_the_project_declares(
    root: Path, project: dict, name: str, extras: tuple[str, ...]
) -> None:
    declared = list(project["dependencies"])
    for extra in extras:
        declared += project["optional-dependencies"][extra]
    locked = pins(root / "requirements" / f"{name}.txt")
    if name == "llama":
        assert BUILT not in locked
        locked |= pins(root / "requirements" / "llama-cpp.txt")

    wrong = [
        text
        for text in declared
        if (wanted := Requirement(text))
        and not wanted.specifier.contains(
            locked.get(canonicalize_name(wanted.name), "0"), prereleases=True
        )
    ]

    assert wrong == [], "run `make lock`"


def test_the_smaller_locks_agree_with_the_largest(root: Path) -> None:
    largest = pins(root / "requirements" / "dev.txt").items()

    for name in ("base", "demo", "action", "service", "build"):
        assert pins(root / "requirements" / f"{name}.txt").items() <= largest


def test_both_ways_to_install_llama_agree_with_the_rest(root: Path) -> None:
    dev, llama = (pins(root / "requirements" / f"{name}.txt") for name in ("dev", "llama"))

    assert {name for name in dev.keys() & llama.keys() if dev[name] != llama[name]} == set()


@pytest.mark.parametrize("name", [*LOCKS, "llama-cpp", "build", "release"])
def test_a_lock_names_no_host_and_no_folder_of_a_machine(root: Path, name: str) -> None:
    text = (root / "requirements" / f"{name}.txt").read_text("utf-8")

    assert not re.search(
        r"://|^\s*-|\s/\w|[\w-]\.(?:org|io|com|dev|net)\b", _bare(text), re.MULTILINE
    )


def _bare(text: str) -> str:
    """Without hashes and without the comments that say who wanted what."""
    return re.sub(
        r"--hash=\S+|#\s+-c requirements/dev\.txt|-r requirements/(?:build|release)\.in", "", text
    )
