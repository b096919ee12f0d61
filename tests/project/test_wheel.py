"""The built wheel works by itself, in an environment and a folder that know nothing of this one."""

import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

from reviewbot import __version__


@pytest.fixture(scope="module")
def wheel(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from the source distribution, as a package index would have it."""
    out = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(out), str(root)]
    subprocess.run(command, check=True, capture_output=True)
    [built] = out.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The command, from a clean environment that sees our dependencies but not our source.

    A folder on the path by a .pth file has its own .pth files ignored: the editable install of
    the source does not come along.
    """
    environment = tmp_path_factory.mktemp("clean") / "venv"
    uv = [sys.executable, "-m", "uv", "--offline", "--no-cache", "--quiet", "--no-config"]
    subprocess.run([*uv, "venv", "--python", sys.executable, str(environment)], check=True)
    install = ["pip", "install", "--no-deps", "--python", str(environment), str(wheel)]
    subprocess.run([*uv, *install], check=True)
    [packages] = environment.glob("lib/python*/site-packages")
    (packages / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return environment / "bin" / "reviewbot"


def run(command: Path, *arguments: str, folder: Path) -> str:
    done = subprocess.run(
        [command, *arguments],
        cwd=folder,
        env={"PATH": "/usr/bin:/bin", "HOME": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_everything_in_the_package_is_in_the_wheel(root: Path, wheel: Path) -> None:
    package = root / "reviewbot"
    expected = {
        str(path.relative_to(root))
        for path in package.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    expected |= {f"reviewbot/shipped_rules/{path.name}" for path in (root / "rules").glob("*.yml")}

    shipped = set(zipfile.ZipFile(wheel).namelist())

    assert "reviewbot/review/prompts/system.md" in expected
    assert any(name.startswith("reviewbot/store/migrations/versions/") for name in expected)
    assert expected - shipped == set()


def test_the_wheel_holds_nothing_else(wheel: Path) -> None:
    tops = {name.partition("/")[0] for name in zipfile.ZipFile(wheel).namelist()}

    assert tops == {"reviewbot", f"reviewbot-{__version__}.dist-info"}


def test_the_installed_command_finds_its_rules(installed: Path, tmp_path: Path) -> None:
    assert run(installed, "--version", folder=tmp_path).strip().endswith(__version__)
    assert run(installed, "rules", "test", folder=tmp_path).strip().endswith(" 0 failed")
    assert list(tmp_path.iterdir()) == []


def test_the_installed_command_is_not_the_source(installed: Path, tmp_path: Path) -> None:
    program = "import reviewbot; print(reviewbot.__file__)"

    place = run(installed.parent / "python", "-c", program, folder=tmp_path).strip()

    assert Path(place).is_relative_to(installed.parents[1])
