"""`reviewbot --help` answers at once: nothing heavy is imported before it is needed."""

import subprocess
import sys

import pytest

HEAVY = {
    "alembic",
    "anthropic",
    "detect_secrets",
    "genai_prices",
    "github",
    "httpx2",
    "pydantic",
    "re2",
    "requests",
    "rich",
    "sqlalchemy",
    "unidiff",
    "yaml",
}
REPORT = "; import sys; print('loaded:', *sorted({name.partition('.')[0] for name in sys.modules}))"


def loaded_by(program: str) -> set[str]:
    run = subprocess.run(
        [sys.executable, "-c", program + REPORT], capture_output=True, text=True, check=True
    )
    return set(run.stdout.rpartition("loaded:")[2].split())


def test_importing_the_package_loads_nothing_but_python() -> None:
    loaded = loaded_by("import reviewbot")

    assert "reviewbot" in loaded
    assert not loaded & {*HEAVY, "click"}


@pytest.mark.parametrize("option", ["--help", "--version"])
def test_the_command_line_loads_no_heavy_library_to_say_what_it_can(option: str) -> None:
    loaded = loaded_by(f"from reviewbot.cli import main; main(['{option}'])")

    assert "click" in loaded
    assert not loaded & HEAVY
