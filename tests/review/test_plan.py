"""Each file is read by the engine its route asks for, or the table says why not."""

import pytest

from reviewbot.change.model import Change, FileChange, Hunk, Kind, Status
from reviewbot.review.engine import EngineFacts, Lineup, Role
from reviewbot.review.finding import CoverageStatus
from reviewbot.review.plan import NO_MODEL, Plan, plan
from reviewbot.routing.model import FileRoute, Route, Tier

CLAUDE = EngineFacts("claude", "claude-opus-5-5", True, "anthropic", 200_000)
LOCAL = EngineFacts("openai", "qwen", False, None, 16_000)
OUTSIDE = EngineFacts("openai", "qwen", True, "host", 16_000)


def planned(
    tier: Tier,
    engines: dict[Role, EngineFacts],
    *,
    never: bool = False,
    file: FileChange | None = None,
) -> Plan:
    file = file or FileChange("a.py", Status.MODIFIED, hunks=(Hunk(0, 0, 1, 1, "", ("+x",)),))
    areas = ("auth",) if tier is Tier.CLAUDE else ()
    where = FileRoute(
        file.path, Kind.SOURCE, tier, areas, why="lockfile" if tier is Tier.SKIP else ""
    )
    route = Route(tier, areas, "sure", {}, (), (where,), "")
    return plan(Change((file,)), route, Lineup(engines), lambda _: never)


@pytest.mark.parametrize(
    ("tier", "engines", "never", "role"),
    [
        (Tier.CLAUDE, {"claude": CLAUDE, "local": LOCAL}, False, "claude"),
        (Tier.LOCAL, {"claude": CLAUDE, "local": LOCAL}, False, "local"),
        (Tier.LOCAL, {"claude": CLAUDE, "low": CLAUDE}, False, "low"),
        (Tier.CLAUDE, {"claude": CLAUDE, "local": LOCAL}, True, "local"),
        (Tier.CLAUDE, {"local": LOCAL}, False, "local"),
        (Tier.CLAUDE, {"claude": CLAUDE, "local": OUTSIDE}, True, None),
        (Tier.CLAUDE, {}, False, None),
        (Tier.LOCAL, {"claude": CLAUDE}, False, None),
        (Tier.LOCAL, {"low": CLAUDE}, True, None),
    ],
)
def test_roles(
    tier: Tier, engines: dict[Role, EngineFacts], never: bool, role: Role | None
) -> None:
    made = planned(tier, engines, never=never)

    assert [a.role for a in made.assignments] == ([role] if role else [])
    if role is None:
        assert [entry.engine for entry in made.coverage] == [NO_MODEL]


def test_a_risky_file_that_claude_does_not_see_is_said_at_the_top() -> None:
    [line] = planned(Tier.CLAUDE, {"local": LOCAL}).attention
    assert line.startswith("RISKY, NOT REVIEWED BY CLAUDE: a.py")

    [line] = planned(Tier.CLAUDE, {"claude": CLAUDE, "local": LOCAL}, never=True).attention
    assert line.startswith("RISKY, NOT SENT")

    assert planned(Tier.CLAUDE, {"claude": CLAUDE}).attention == ()


@pytest.mark.parametrize(
    ("file", "status", "reason"),
    [
        (FileChange("a.bin", Status.MODIFIED, is_binary=True), CoverageStatus.SKIPPED, "binary"),
        (
            FileChange("a.py", Status.MODIFIED, patch_missing=True),
            CoverageStatus.SKIPPED,
            "no text",
        ),
        (
            FileChange("sub", Status.MODIFIED, is_submodule=True),
            CoverageStatus.SKIPPED,
            "submodule",
        ),
        (FileChange("b.py", Status.RENAMED, old_path="a.py"), CoverageStatus.FULL, "renamed"),
        (
            FileChange("run", Status.MODIFIED, old_mode="100644", new_mode="100755"),
            CoverageStatus.FULL,
            "mode",
        ),
    ],
)
def test_what_has_no_text_is_declared(
    file: FileChange, status: CoverageStatus, reason: str
) -> None:
    made = planned(Tier.CLAUDE, {"claude": CLAUDE}, file=file)

    [entry] = made.coverage
    assert entry.status is status
    assert reason in entry.reason
    assert made.assignments == ()


def test_a_skipped_file_keeps_the_routers_reason() -> None:
    [entry] = planned(Tier.SKIP, {"claude": CLAUDE}).coverage

    assert (entry.status, entry.engine, entry.reason) == (
        CoverageStatus.SKIPPED,
        "none",
        "lockfile",
    )
