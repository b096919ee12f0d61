"""Who reads which file: the route's tiers, set against the engines that there are."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from reviewbot.change.model import Change, FileChange, Status
from reviewbot.review.engine import Lineup, Role
from reviewbot.review.finding import Coverage, CoverageStatus
from reviewbot.routing.model import FileRoute, Route, Tier

#: The coverage table's words for a file that only analysers may have read.
NO_MODEL = "analyzers (no model)"


@dataclass(frozen=True)
class Assignment:
    """Files that the engine of one role reads."""

    role: Role
    files: tuple[FileChange, ...]


@dataclass(frozen=True)
class Plan:
    assignments: tuple[Assignment, ...]
    coverage: tuple[Coverage, ...]
    """Of the files that no model reads, each with the reason."""
    caveats: dict[str, str]
    """path → why it is read by another engine than the route asked for."""
    attention: tuple[str, ...]
    """What must stand at the top: risky files that Claude does not see."""


def plan(
    change: Change, route: Route, lineup: Lineup, never_send: Callable[[FileChange], bool]
) -> Plan:
    """Assign each file; every file ends in an assignment or in `coverage`."""
    roles: dict[Role, list[FileChange]] = {}
    coverage: list[Coverage] = []
    caveats: dict[str, str] = {}
    unsent: list[tuple[bool, str]] = []
    keyless: list[tuple[bool, str]] = []
    routes = {where.path: where for where in route.files}
    for file in change.files:
        where = routes[file.path]
        if settled := _nothing_to_read(file, where):
            coverage.append(settled)
            continue
        kept = never_send(file)
        risky = where.tier is Tier.CLAUDE or bool(where.areas)
        role, caveat = _role(risky, lineup, kept_here=kept)
        if risky and role != "claude":
            # the files that a rule names come first
            (unsent if kept else keyless).append((not where.areas, file.path))
        if caveat:
            caveats[file.path] = caveat
        if role is None:
            coverage.append(Coverage(file.path, CoverageStatus.SKIPPED, NO_MODEL, caveat))
        else:
            roles.setdefault(role, []).append(file)
    return Plan(
        tuple(Assignment(role, tuple(files)) for role, files in roles.items()),
        tuple(coverage),
        caveats,
        tuple(_attention(*([path for _, path in sorted(found)] for found in (keyless, unsent)))),
    )


def _nothing_to_read(file: FileChange, where: FileRoute) -> Coverage | None:
    if where.tier is Tier.SKIP:
        return Coverage(file.path, CoverageStatus.SKIPPED, "none", where.why or where.kind.value)
    if file.patch_missing:
        return Coverage(
            file.path,
            CoverageStatus.SKIPPED,
            "none",
            "the host sent no text of it (too large): not reviewed",
        )
    if file.is_binary:
        return Coverage(file.path, CoverageStatus.SKIPPED, "none", "binary")
    if file.is_submodule:
        return Coverage(
            file.path,
            CoverageStatus.SKIPPED,
            "none",
            "submodule: its commits are not reviewed here",
        )
    if not file.hunks:
        what = (
            "renamed or copied without a change of text"
            if file.old_path
            else (
                "empty file"
                if file.status in (Status.ADDED, Status.DELETED)
                else "only its mode changed"
            )
        )
        return Coverage(file.path, CoverageStatus.FULL, "none", what)
    return None


def _role(risky: bool, lineup: Lineup, *, kept_here: bool) -> tuple[Role | None, str]:
    """The role that reads a file, and a caveat where it is not the one that the route asked for."""

    def usable(role: Role) -> bool:
        facts = lineup.get(role)
        return facts is not None and not (kept_here and facts.external)

    if risky:
        if usable("claude"):
            return "claude", ""
        caveat = (
            "risky, not sent (never_send)"
            if kept_here and lineup.get("claude")
            else "risky, not reviewed by Claude"
        )
    else:
        caveat = ""
    if usable("local"):
        return "local", caveat
    if not risky and usable("low"):
        return "low", "no local model: read by a cheap Claude model"
    no_model = "not sent (never_send), and there is no model here" if kept_here else "no model"
    return None, f"{caveat}; {no_model}" if caveat else no_model


def _attention(keyless: list[str], unsent: list[str]) -> Iterable[str]:
    if keyless:
        yield f"RISKY, NOT REVIEWED BY CLAUDE: {listed(keyless)} (no Claude key is configured)"
    if unsent:
        yield f"RISKY, NOT SENT to Claude by never_send: {listed(unsent)}"


def listed(paths: Sequence[str]) -> str:
    """The first few paths in words."""
    shown = ", ".join(paths[:5])
    return shown + (f" and {len(paths) - 5} more" if len(paths) > 5 else "")
