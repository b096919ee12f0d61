"""`action.yml` and the workflows in `docs/examples`: what they say is what there is."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from reviewbot.action import inputs
from reviewbot.config.settings import PREFIX, load_settings

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "action.yml").read_text("utf-8")
ACTION: dict[str, Any] = yaml.safe_load(TEXT)
EXAMPLES = sorted((ROOT / "docs" / "examples").glob("*.yml"))
#: Of the installation, not of the review.
INSTALL = {"analyzers", "python-version"}
_EXPRESSION = re.compile(r"\$\{\{.*?\}\}")


def steps(*, with_key: str) -> list[dict[str, Any]]:
    return [step for step in ACTION["runs"]["steps"] if with_key in step]


def test_every_input_reaches_the_review_by_its_variable() -> None:
    [review] = [step for step in steps(with_key="run") if step.get("id") == "review"]

    given = {name: f"${{{{ inputs.{name} }}}}" for name in ACTION["inputs"] if name not in INSTALL}

    assert review["env"] == {inputs.variable(name): value for name, value in given.items()}
    assert set(inputs.SETTINGS) | set(inputs.SECRET) <= set(given)


def test_no_script_holds_an_expression() -> None:
    """An input is data: put into a script it would be run."""
    for step in steps(with_key="run"):
        assert not _EXPRESSION.search(step["run"])


def test_the_defaults_are_what_the_code_takes_without_any() -> None:
    named = {name: str(value.get("default", "")) for name, value in ACTION["inputs"].items()}
    named["github-token"] = "token"

    given = {inputs.variable(name): value for name, value in named.items()}

    assert inputs.read_inputs(given) == inputs.read_inputs({"INPUT_GITHUB_TOKEN": "token"})


def test_outputs_are_those_of_the_review() -> None:
    for name, output in ACTION["outputs"].items():
        assert output["value"] == f"${{{{ steps.review.outputs.{name} }}}}"


class TestTheInstallation:
    """What the tests do not run, since it needs a package registry: its commands fit the files."""

    script = next(
        step["run"] for step in steps(with_key="run") if step["name"] == "Install reviewbot"
    )

    def test_every_package_is_pinned_by_its_hash(self) -> None:
        for line in re.findall(r"^ *install (.*)$", self.script, re.MULTILINE):
            if line.startswith("--no-deps"):  # reviewbot itself, of the action's own checkout
                assert line == '--no-deps --no-build-isolation "$GITHUB_ACTION_PATH"'
                continue
            found = re.fullmatch(r'--require-hashes -r "\$GITHUB_ACTION_PATH/(\S+)"', line)
            assert found, line
            text = (ROOT / found[1]).read_text("utf-8")
            assert text.count("==") <= text.count("--hash=sha256:")

    def test_what_builds_it_is_among_them(self) -> None:
        text = (ROOT / "requirements" / "action.txt").read_text("utf-8")

        assert re.search(r"^hatchling==", text, re.MULTILINE)

    def test_no_python_looks_into_the_working_directory(self) -> None:
        """The pull request may lie there: a `pip.py` or `venv.py` of its own would be run."""
        for step in steps(with_key="run"):
            used = re.findall(r'\bpython3?"? +(\S+)', step["run"])
            assert set(used) == {"-I"}
            assert "unset PYTHONPATH PYTHONHOME" in step["run"]


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
class TestExamples:
    def workflow(self, path: Path) -> dict[str, Any]:
        found: dict[str, Any] = yaml.safe_load(path.read_text("utf-8"))
        return found

    def ours(self, path: Path) -> dict[str, Any]:
        [job] = self.workflow(path)["jobs"].values()
        [step] = [one for one in job["steps"] if "/reviewbot@" in one.get("uses", "")]
        return dict(step)

    def test_it_uses_only_inputs_and_settings_that_there_are(self, path: Path) -> None:
        step = self.ours(path)
        settings = {k: v for k, v in step.get("env", {}).items() if k.startswith(PREFIX)}

        assert set(step.get("with", {})) <= set(ACTION["inputs"])
        load_settings(settings)

    def test_it_may_no_more_than_it_needs_and_checks_nothing_out(self, path: Path) -> None:
        workflow = self.workflow(path)
        [job] = workflow["jobs"].values()

        assert workflow["permissions"] == {}
        assert set(job["permissions"].values()) <= {"read", "write"}
        assert job["permissions"]["contents"] == "read"
        assert "actions/checkout" not in path.read_text("utf-8")
        assert "pull_request_target" not in path.read_text("utf-8")

    def test_paid_runs_are_not_cut_off(self, path: Path) -> None:
        assert self.workflow(path)["concurrency"]["cancel-in-progress"] is False


@pytest.mark.parametrize("path", [ROOT / "action.yml", *EXAMPLES], ids=lambda path: path.stem)
def test_what_comes_from_elsewhere_is_pinned_by_a_full_sha(path: Path) -> None:
    uses = re.findall(r"uses: (\S+)(?: # (\S+))?", path.read_text("utf-8"))

    assert uses
    for name, tag in uses:
        assert re.fullmatch(r"[\w./-]+@[0-9a-f]{40}", name)
        assert tag


def test_the_document_tells_of_every_input_and_output_with_its_default() -> None:
    told = (ROOT / "docs" / "action.md").read_text("utf-8")
    readme = (ROOT / "README.md").read_text("utf-8")

    for name, known in ACTION["inputs"].items():
        rows = [line for line in told.splitlines() if re.match(rf"\| [^|]*`{name}`", line)]
        assert len(rows) == 1, name
        default = str(known.get("default", ""))
        shown = "the job's" if "${{" in default else f"`{default}`" if default else ""
        assert f"| {shown} |".replace("|  |", "| |") in rows[0]
    for name in ACTION["outputs"]:
        assert f"`{name}`" in readme
