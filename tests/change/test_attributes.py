"""`.gitattributes` as git itself reads them."""

import os
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reviewbot.change.attributes import NO_ATTRIBUTES, Attributes

NAMES = ("diff", "linguist-generated", "linguist-vendored", "linguist-documentation")
PATHS = [
    "a.js",
    "b.min.js",
    "dist/a.js",
    "dist/deep/b.min.js",
    "src/dist/a.js",
    "src/a b.py",
    "src/ä.py",
    "docs/[x].md",
    "docs/!x",
    "generated",
    "generated/x",
    "src/generated/deep/x.go",
    "#x",
    "line\nfeed.js",
]
PATTERNS = [
    '"line\\nfeed.js"',
    "[z-a].js",
    "*",
    "*.js",
    "*.min.js",
    "/a.js",
    "dist",
    "dist/",
    "dist/*",
    "dist/**",
    "**/dist/*.js",
    "src/**/x.go",
    "src/**",
    "**/generated/**",
    "generated",
    "/generated/**",
    "?.js",
    "[ab]*",
    "[!a]*.js",
    "[^a-c]*",
    "[[:alpha:]].js",
    "docs/\\[x\\].md",
    "docs/[[]x].md",
    '"src/a b.py"',
    '"src/\\303\\244.py"',
    "src/ä.py",
    "!a.js",
    "\\#x",
    "#x",
    "d*/**/*.js",
    "a**s",
    "***.js",
    "src/*/*/x.go",
    "[",
    "[a",
    "a.js\\",
]
TOKENS = [
    "linguist-generated",
    "linguist-generated=true",
    "linguist-generated=false",
    "-linguist-generated",
    "!linguist-generated",
    "linguist-vendored",
    "linguist-documentation=false",
    "-diff",
    "diff",
    "diff=python",
    "binary",
    "-binary",
    "!binary",
    "text",
    "hidden",
    "eol=lf",
]


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("attributes")
    run(folder, "init", "-q")
    (folder / "src").mkdir()
    return folder


def run(folder: Path, *arguments: str, text: bytes = b"") -> bytes:
    alone = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
    return subprocess.run(
        ["git", *arguments],
        cwd=folder,
        input=text,
        env=os.environ | alone,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        check=True,
    ).stdout


def as_git_says(folder: Path) -> dict[tuple[str, str], str]:
    paths = "\0".join(PATHS).encode()
    fields = run(folder, "check-attr", "-z", "--stdin", *NAMES, text=paths).decode().split("\0")
    return {(fields[at], fields[at + 1]): fields[at + 2] for at in range(0, len(fields) - 1, 3)}


def in_gits_words(value: bool | str | None) -> str:
    words = {True: "set", False: "unset", None: "unspecified"}
    return value if isinstance(value, str) else words[value]


lines = st.builds(
    lambda pattern, tokens, gap: pattern + gap + " ".join(tokens),
    st.sampled_from(PATTERNS),
    st.lists(st.sampled_from(TOKENS), min_size=1, max_size=3),
    st.sampled_from([" ", "\t", "   "]),
)
attribute_files = st.lists(lines, max_size=6).map("\n".join)


@settings(deadline=None, max_examples=60, database=None)
@given(root=attribute_files, nested=attribute_files, macro=st.booleans())
def test_says_what_git_says(checkout: Path, root: str, nested: str, macro: bool) -> None:
    root = "[attr]hidden -diff linguist-generated\n" * macro + root
    (checkout / ".gitattributes").write_text(root, "utf-8")
    (checkout / "src" / ".gitattributes").write_text(nested, "utf-8")

    attributes = Attributes.of({".gitattributes": root, "src/.gitattributes": nested})

    assert {
        (path, name): in_gits_words(attributes.value(path, name))
        for path in PATHS
        for name in NAMES
    } == as_git_says(checkout)


@pytest.mark.parametrize("pattern", PATTERNS)
def test_each_pattern_matches_what_git_matches(checkout: Path, pattern: str) -> None:
    (checkout / ".gitattributes").write_text(f"{pattern} linguist-generated\n", "utf-8")
    (checkout / "src" / ".gitattributes").write_text("", "utf-8")

    attributes = Attributes.parse(f"{pattern} linguist-generated\n")

    assert {
        (path, name): in_gits_words(attributes.value(path, name))
        for path in PATHS
        for name in NAMES
    } == as_git_says(checkout)


def test_the_last_line_that_matches_wins() -> None:
    attributes = Attributes.parse(
        "*.go linguist-generated\n# a remark\nhand.go linguist-generated=false\n*.bin binary\n"
    )

    assert attributes.generated("x/api.go") is True
    assert attributes.generated("x/hand.go") is False
    assert attributes.generated("x/api.py") is None
    assert attributes.undiffable("x.bin")
    assert not attributes.undiffable("x.go")


def test_no_attributes_say_nothing() -> None:
    assert NO_ATTRIBUTES.generated("x") is None
    assert NO_ATTRIBUTES.vendored("x") is None
    assert NO_ATTRIBUTES.documentation("x") is None
    assert not NO_ATTRIBUTES.undiffable("x")


@settings(deadline=None, max_examples=100, database=None)
@given(st.text(max_size=60), st.text(max_size=30))
def test_any_text_is_read(text: str, path: str) -> None:
    value = Attributes.parse(text).value(path.encode("utf-8", "replace").decode(), "diff")

    assert value is None or isinstance(value, bool | str)


def test_a_hostile_pattern_takes_linear_time() -> None:
    attributes = Attributes.parse("*a" * 500 + "b linguist-generated")

    assert attributes.generated("a" * 4000) is None
