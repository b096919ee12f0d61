"""The Dockerfile, which no test builds: what it copies is there, and what it ships is no builder."""

import re
import shlex
from pathlib import Path

import pathspec
import pytest


@pytest.fixture(scope="module")
def stages(root: Path) -> dict[str, list[list[str]]]:
    """Name of a stage → its instructions, as words."""
    text = re.sub(r"^\s*#.*\n", "", (root / "Dockerfile").read_text(), flags=re.MULTILINE)
    found: dict[str, list[list[str]]] = {}
    for line in text.replace("\\\n", " ").splitlines():
        words = shlex.split(line)
        if words and words[0] == "FROM":
            found[words[-1]] = [words]
        elif words and found:
            list(found.values())[-1].append(words)
    return found


def test_what_is_copied_is_there_and_not_ignored(
    root: Path, stages: dict[str, list[list[str]]]
) -> None:
    ignored = pathspec.GitIgnoreSpec.from_lines((root / ".dockerignore").read_text().splitlines())
    copied = [
        source
        for instructions in stages.values()
        for words in instructions
        if words[0] == "COPY" and not words[1].startswith("--from")
        for source in words[1:-1]
    ]

    assert {"pyproject.toml", "reviewbot", "rules", "requirements"} <= set(copied)
    for source in copied:
        assert (root / source).exists()
        assert not ignored.match_file(source)
    assert ignored.match_file("tests/conftest.py")
    assert ignored.match_file(".git/config")


def test_everything_from_outside_has_hashes(root: Path, stages: dict[str, list[list[str]]]) -> None:
    installs = [
        words[at:]
        for instructions in stages.values()
        for words in instructions
        for at, word in enumerate(words)
        if word.endswith("pip") and words[at + 1] == "install"
    ]

    assert len(installs) == 7
    for install in installs:
        locks = [install[at + 1] for at, word in enumerate(install) if word == "-r"]
        assert "--no-index" in install or ("--require-hashes" in install and locks)
        assert all((root / lock).exists() for lock in locks)


@pytest.mark.parametrize("name", ["cpu", "cuda"])
def test_what_is_shipped_has_no_compiler_and_no_root(
    stages: dict[str, list[list[str]]], name: str
) -> None:
    shipped = stages[name]

    assert not {"g++", "make", "git", "pip"} & {word for words in shipped for word in words}
    assert "devel" not in shipped[0][1]
    assert ["USER", "10001"] in shipped
    assert [words[0] for words in shipped].count("HEALTHCHECK") == 1
    assert shipped[-2:] == [["ENTRYPOINT", "[reviewbot]"], ["CMD", "[serve]"]]


def test_every_base_is_one_version(root: Path, stages: dict[str, list[list[str]]]) -> None:
    text = (root / "Dockerfile").read_text()
    versions = dict(re.findall(r"^ARG (\w+)=(\S+)$", text, re.MULTILINE))
    bases = {
        re.sub(r"\$\{(\w+)\}", lambda m: versions[m[1]], instructions[0][1])
        for instructions in stages.values()
    }

    assert all(re.fullmatch(r"[\w/]+:\d+\.\d+[\w.-]*", base) for base in bases)
