"""Who reads which file: the route's tiers, set against the engines that there are."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from reviewbot.change.model import Change, FileChange, Status
from reviewbot.review.engine import Lineup, Role, stands_for
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
    unread = _Unread()
    routes = {where.path: where for where in route.files}
    for file in change.files:
        where = routes[file.path]
        if settled := _nothing_to_read(file, where):
            coverage.append(settled)
            continue
        kept = never_send(file)
        role, caveat = _role(where, file, lineup, kept_here=kept)
        if (role is None or stands_for(role) != "claude") and (
            where.areas or where.tier is Tier.CLAUDE
        ):
            unread.add(where, kept=kept)
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
        tuple(unread.lines()),
    )


class _Unread:
    """Risky files that Claude does not see, by why; those that a rule names come first."""

    def __init__(self) -> None:
        self._by_why: dict[str, list[tuple[bool, str]]] = {}

    def add(self, where: FileRoute, *, kept: bool) -> None:
        if kept:
            why = "RISKY, NOT SENT to Claude by never_send: {}"
        elif where.tier is Tier.CLAUDE:
            why = "RISKY, NOT REVIEWED BY CLAUDE: {} (no Claude key is configured)"
        else:
            why = "RISKY, REVIEWED LOCALLY as somebody asked: {}"
        self._by_why.setdefault(why, []).append((not where.areas, where.path))

    def lines(self) -> Iterable[str]:
        for why, found in self._by_why.items():
            yield why.format(listed([path for _, path in sorted(found)]))


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


def _role(
    where: FileRoute, file: FileChange, lineup: Lineup, *, kept_here: bool
) -> tuple[Role | None, str]:
    """The role that reads a file, and a caveat where it is not the one that the rules ask for."""

    def usable(role: Role) -> bool:
        facts = lineup.get(role)
        return facts is not None and not (kept_here and facts.external)

    def named(role: Role) -> Role:
        return lineup.named(role, where.areas, file.language, usable)

    caveat = ""
    if where.tier is Tier.CLAUDE:
        if usable("claude"):
            return named("claude"), ""
        caveat = "risky, not reviewed by Claude"
    if kept_here and (where.areas or where.tier is Tier.CLAUDE) and lineup.get("claude"):
        caveat = "risky, not sent (never_send)"
    elif where.areas and where.tier is Tier.LOCAL:
        caveat = "risky, reviewed locally as asked"
    if usable("local"):
        return named("local"), caveat
    if where.tier is not Tier.CLAUDE and usable("low"):
        return "low", caveat or "no local model: read by a cheap Claude model"
    no_model = "not sent (never_send), and there is no model here" if kept_here else "no model"
    return None, f"{caveat}; {no_model}" if caveat else no_model


def listed(paths: Sequence[str]) -> str:
    """The first few paths in words."""
    shown = ", ".join(paths[:5])
    return shown + (f" and {len(paths) - 5} more" if len(paths) > 5 else "")
