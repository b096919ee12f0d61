"""The unit for one GPU box: what it sets is there to be set, and systemd finds it well shut."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from reviewbot.config.settings import PREFIX, SECRETS, Settings


@pytest.fixture
def unit(root: Path) -> str:
    return (root / "examples" / "systemd" / "reviewbot.service").read_text()


@pytest.fixture
def installed(unit: str, tmp_path: Path) -> Path:
    """The unit as it would stand here: with a program and a user of this machine."""
    path = tmp_path / "reviewbot.service"
    here = unit.replace("/opt/reviewbot/bin/reviewbot", shutil.which("true") or "/bin/true")
    path.write_text(re.sub(r"^(User|Group)=.*$", r"\1=daemon", here, flags=re.MULTILINE))
    return path


def analyze(*words: str) -> subprocess.CompletedProcess[str]:
    if not shutil.which("systemd-analyze"):
        pytest.skip("no systemd-analyze on PATH")
    return subprocess.run(["systemd-analyze", *words], capture_output=True, text=True, timeout=60)


def test_every_variable_is_a_setting(unit: str) -> None:
    known = {PREFIX + name.upper() for name in Settings.model_fields} | {
        f"{PREFIX}{name.upper()}_FILE" for name in SECRETS
    }

    used = set(re.findall(rf"^Environment=({PREFIX}\w+)=", unit, re.MULTILINE))

    assert used
    assert used <= known


def test_secrets_come_as_credentials_only(unit: str) -> None:
    loaded = set(re.findall(r"^LoadCredential=([\w.-]+):", unit, re.MULTILINE))
    read = re.findall(r"^Environment=\w+_FILE=%d/([\w.-]+)$", unit, re.MULTILINE)

    assert set(read) == loaded
    assert not re.search(r"^Environment=\w+(KEY|SECRET)=", unit, re.MULTILINE)


def test_systemd_reads_it_without_a_word(installed: Path) -> None:
    verified = analyze("verify", "--man=no", str(installed))

    assert (verified.returncode, verified.stderr) == (0, "")


def test_it_is_well_shut(installed: Path) -> None:
    """2.0 of 10 is what systemd still calls OK; what it may reach is the network and the cards."""
    judged = analyze("security", "--offline=yes", "--threshold=20", str(installed))

    assert judged.returncode == 0, judged.stdout
