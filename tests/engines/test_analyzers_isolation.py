"""What a hostile change can't do to the machine that analyses it."""

import json
import os
import shutil
import stat
import sys
import time
from pathlib import Path

import pytest

from reviewbot.change.model import Change, FileChange, Hunk, Kind, Sources, Status
from reviewbot.engines.analysis.process import MAX_OUTPUT, program_folders, run_on_copies
from reviewbot.engines.analysis.ruff import Ruff
from reviewbot.engines.analysis.ruff_rules import RULES
from reviewbot.engines.analysis.squawk import RULES as SQUAWK_RULES
from reviewbot.engines.analysis.tool import ToolFailed
from reviewbot.engines.analysis.zizmor import RULES as ZIZMOR_RULES
from reviewbot.engines.analyzers import TOOLS, LocalAnalyzers

BUG = "def add(cart=[]): return cart"


def added(path: str, text: str = BUG, kind: Kind = Kind.SOURCE) -> FileChange:
    lines = tuple(f"+{line}" for line in text.split("\n"))
    return FileChange(path, Status.ADDED, kind=kind, hunks=(Hunk(0, 0, 1, len(lines), "", lines),))


def change_of(*files: FileChange) -> tuple[Change, Sources]:
    texts = {f.path: "\n".join(f.hunks[0].added) + "\n" for f in files}
    return Change(files), Sources(head=texts)


@pytest.fixture
def fake(tmp_path: Path) -> Path:
    """A folder for programs that stand in for the real ones."""
    folder = tmp_path / "bin"
    folder.mkdir()
    return folder


def write_program(folder: Path, name: str, body: str) -> None:
    path = folder / name
    path.write_text(f"#!{sys.executable}\n{body}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


@pytest.mark.parametrize(
    "path",
    [
        "../../escaped.py",
        "/tmp/reviewbot-escaped.py",
        "-rf.py",
        "--config=evil.py",
        "new\nline.py",
        "a" * 5_000 + ".py",
        "nul\0byte.py",
        "‮rotated.py",
        "~/home.py",
        "$(touch pwned).py",
        ".git/hooks/pre-commit.py",
        "\udcff.py",
    ],
)
def test_a_hostile_path_stays_a_name(path: str, tmp_path: Path) -> None:
    before = set(tmp_path.parent.rglob("*escaped*"))

    analysis = LocalAnalyzers().analyze(*change_of(added(path)))

    assert [(item.path, item.rule) for item in analysis.evidence] == [(path, "B006")]
    assert analysis.notices == ()
    assert set(tmp_path.parent.rglob("*escaped*")) == before
    assert not Path("/tmp/reviewbot-escaped.py").exists()


def test_a_tool_sees_none_of_our_environment(
    fake: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REVIEWBOT_ANTHROPIC_API_KEY", "canary-key")
    monkeypatch.setenv("GITHUB_TOKEN", "canary-token")
    monkeypatch.setenv("RUFF_CONFIG", "/etc/passwd")
    seen = tmp_path / "seen.json"
    write_program(
        fake,
        "ruff",
        "import json, os, sys\n"
        f"json.dump([dict(os.environ), os.getcwd(), sys.argv[1:]], open({str(seen)!r}, 'w'))\n"
        "print('[]')",
    )

    analysis = LocalAnalyzers([Ruff()], [fake]).analyze(*change_of(added("shop/cart.py")))

    environment, folder, arguments = json.loads(seen.read_text())
    assert analysis.ran == ("ruff",)
    assert set(environment) - {"LC_CTYPE"} == {"PATH", "HOME", "TMPDIR", "LANG", "NO_COLOR"}
    assert "canary" not in str(environment)
    assert environment["HOME"] == environment["TMPDIR"] == folder
    assert folder != os.getcwd()
    assert not Path(folder).exists()
    assert arguments[-1] == "00000.py"


def test_missing_programs_are_said_once_with_the_way_to_get_them(fake: Path) -> None:
    files = [
        added("a.py"),
        added("b.py"),
        added("migrations/1.sql", "DROP TABLE t;", Kind.MIGRATION),
    ]

    analysis = LocalAnalyzers(programs=[fake]).analyze(*change_of(*files))

    assert len(analysis.notices) == 2
    assert analysis.notices[0].startswith("ruff is not installed")
    assert all("pip install ruff squawk-cli zizmor" in notice for notice in analysis.notices)
    assert analysis.ran == ("secrets", "invisible")
    assert "a.py" in analysis.paths


def test_a_program_in_the_reviewed_folder_is_never_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", f".{os.pathsep}bin{os.pathsep}{os.pathsep}/usr/bin")

    assert program_folders() == (Path(sys.executable).parent, Path("/usr/bin"))


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("import sys; sys.exit(2)", "ended with status 2"),
        ("import os; os.abort()", "ended with status -6"),
        ("print('not json')", "said what is not its JSON"),
        ("print('[{\"code\": 1}]')", "said what is not its JSON"),
    ],
)
def test_a_failing_tool_is_a_notice(fake: Path, body: str, reason: str) -> None:
    write_program(fake, "ruff", body)

    analysis = LocalAnalyzers([Ruff()], [fake]).analyze(*change_of(added("a.py")))

    assert analysis.evidence == ()
    assert analysis.ran == ()
    assert analysis.paths == frozenset()
    assert analysis.notices == (f"ruff {reason}: its remarks are missing",)


def test_a_program_that_can_t_be_started_is_a_failure(fake: Path) -> None:
    (fake / "ruff").write_bytes(b"\x7fELF, but not really")
    (fake / "ruff").chmod(0o755)

    with pytest.raises(ToolFailed, match="could not be started"):
        run_on_copies("ruff", [], [], [fake])


def test_a_hanging_tool_is_ended_with_its_children(fake: Path, tmp_path: Path) -> None:
    """The child keeps the output open after its parent: only ending both lets us go on."""
    child = tmp_path / "child"
    write_program(
        fake,
        "ruff",
        "import subprocess, sys\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
        f"open({str(child)!r}, 'w').write(str(child.pid))",
    )

    with pytest.raises(ToolFailed, match="took longer than 1 s"):
        run_on_copies("ruff", [], [], [fake], timeout=1)

    assert _ended(int(child.read_text()))


def _ended(process: int) -> bool:
    """Whether it ends within 10 s: a kill takes a moment to be carried out."""
    for _ in range(1_000):
        try:
            if Path(f"/proc/{process}/stat").read_text().split()[2] == "Z":
                return True
        except (FileNotFoundError, ProcessLookupError):
            return True
        time.sleep(0.01)
    return False


def test_a_tool_without_end_is_cut_off(fake: Path) -> None:
    write_program(
        fake, "ruff", f"import sys\nwhile True: sys.stdout.write('x' * {MAX_OUTPUT // 8})"
    )

    with pytest.raises(ToolFailed, match="said too much"):
        run_on_copies("ruff", [], [], [fake])


def test_copies_are_files_and_no_links(fake: Path) -> None:
    write_program(
        fake, "ruff", "import os, sys\nprint([os.path.islink(p) for p in sys.argv[1:]], end='')"
    )

    link = added("link.py", "/etc/passwd")
    copies = [("00000.py", "\n".join(link.hunks[0].added))]

    assert run_on_copies("ruff", [], copies, [fake]) == b"[False]"


def test_every_rule_and_tool_is_in_the_documentation() -> None:
    page = (Path(__file__).parents[2] / "docs" / "analyzers.md").read_text(encoding="utf-8")
    codes = [rule.code for rule in RULES] + [*SQUAWK_RULES, *ZIZMOR_RULES]

    assert [code for code in codes if f"`{code}`" not in page] == []
    assert [tool.name for tool in TOOLS if f"**{tool.name}**" not in page] == []


def test_the_programs_here_know_every_rule() -> None:
    """A rule that a new version dropped would be an error or, worse, silent."""
    ruff = shutil.which("ruff", path=str(Path(sys.executable).parent))
    listed = run_on_copies(
        "ruff", ["rule", "--all", "--output-format=json"], [], [Path(ruff or "").parent]
    )

    known = {rule["code"]: rule["preview"] for rule in json.loads(listed)}
    assert [rule.code for rule in RULES if known.get(rule.code) is not False] == []
