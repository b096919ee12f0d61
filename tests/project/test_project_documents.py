"""What the documents say is so: settings, commands, dependencies, links, targets."""

import re
import runpy
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from reviewbot.cli.group import COMMANDS

DOCUMENTS = [
    "README.md",
    "CONTRIBUTING.md",
    "docs/action.md",
    "docs/dependencies.md",
    "examples/README.md",
]


def test_the_table_of_settings_is_up_to_date(root: Path) -> None:
    readme = (root / "README.md").read_text("utf-8")
    with_table = runpy.run_path(str(root / "docs" / "settings_table.py"))["with_table"]

    assert with_table(readme) == readme, "run `make fmt`"


def test_what_the_app_may_do_is_up_to_date(root: Path) -> None:
    document = (root / "docs" / "operating.md").read_text("utf-8")
    with_table = runpy.run_path(str(root / "docs" / "app_table.py"))["with_table"]

    assert with_table(document) == document, "run `make fmt`"


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_in_the_readme(root: Path, command: str) -> None:
    assert f"reviewbot {command}" in (root / "README.md").read_text("utf-8")


def test_every_dependency_has_its_reason(root: Path) -> None:
    project = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))["project"]
    extras = [text for texts in project["optional-dependencies"].values() for text in texts]
    declared = {Requirement(text).name for text in [*project["dependencies"], *extras]}
    built_with = {
        Requirement(line).name
        for name in ("build", "release")
        for line in (root / "requirements" / f"{name}.in").read_text("utf-8").splitlines()
        if not line.startswith(("#", "-r"))
    }

    rows = re.findall(
        r"^\| (`.+?`) \|", (root / "docs" / "dependencies.md").read_text("utf-8"), re.MULTILINE
    )
    explained = {name for row in rows for name in re.findall(r"`(.+?)`", row)}

    assert explained == declared | built_with


@pytest.mark.parametrize("document", DOCUMENTS)
def test_links_lead_somewhere(root: Path, document: str) -> None:
    path = root / document
    links = re.findall(r"\]\((?!https?:)([^)#]+)", path.read_text("utf-8"))

    assert [link for link in links if not (path.parent / link).exists()] == []


def test_documents_that_the_code_points_at_exist(root: Path) -> None:
    sources = [*(root / "reviewbot").rglob("*.py"), root / "pyproject.toml"]
    named = {
        name
        for source in sources
        for name in re.findall(r"docs/[\w/.-]+\.md", source.read_text("utf-8"))
    }

    assert named
    assert {name for name in named if not (root / name).exists()} == set()


def test_every_target_that_is_named_exists(root: Path) -> None:
    targets = set(re.findall(r"^([a-z]+):", (root / "Makefile").read_text("utf-8"), re.MULTILINE))
    texts = [(root / name).read_text("utf-8") for name in [*DOCUMENTS, ".ci/run"]]
    named = {
        name
        for text in texts
        for name in re.findall(r"(?:`|^|EXIT=1 )make ([a-z]+)", text, re.MULTILINE)
    }

    assert {"demo", "test", "check"} <= named
    assert named <= targets


def test_what_shows_that_an_attack_fails_is_there(root: Path) -> None:
    text = (root / "docs" / "security.md").read_text("utf-8")

    shown = re.findall(r"`((?:tests|\.github)/[\w/.-]+)`", text)

    assert len(shown) > 15
    assert [path for path in shown if not (root / path).exists()] == []


def test_every_metric_is_documented_and_no_other(root: Path) -> None:
    """As Prometheus names them: a counter ends in `_total`."""
    code = "\n".join(
        path.read_text("utf-8") for path in (root / "reviewbot" / "service").glob("*.py")
    )
    made = set(re.findall(r'"(reviewbot_\w+)"', code)) - {"reviewbot_session"}  # a cookie
    operating = (root / "docs" / "operating.md").read_text("utf-8")

    rows = re.findall(r"^\| (`reviewbot_.+?) \|", operating, re.MULTILINE)
    told = {name for row in rows for name in re.findall(r"`(reviewbot_\w+)`", row)}

    assert len(made) > 10
    assert {name.removesuffix("_total") for name in told} == made
