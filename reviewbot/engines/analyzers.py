"""Runs every analyser there is over a change: no model, no key, no configuration of the repository."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import takewhile
from pathlib import Path
from typing import NamedTuple

from reviewbot.change.model import Change, FileChange, Sources, Status
from reviewbot.engines.analysis.invisible import Invisible
from reviewbot.engines.analysis.process import program_folders
from reviewbot.engines.analysis.ruff import Ruff
from reviewbot.engines.analysis.secrets import Secrets
from reviewbot.engines.analysis.squawk import Squawk
from reviewbot.engines.analysis.tool import Target, Tool, ToolFailed, ToolMissing, plain
from reviewbot.engines.analysis.zizmor import Zizmor
from reviewbot.review.evidence import Analysis, Evidence

#: All analysers, in the order of the table in docs/analyzers.md.
TOOLS: tuple[Tool, ...] = (Ruff(), Squawk(), Zizmor(), Secrets(), Invisible())

MAX_PER_FILE = 20
"""Most remarks kept of one tool on one file; the rest is counted in a notice."""
MAX_TEXT = 1_000_000
"""Longest file given to a tool that reads whole files, characters."""
POSTGRES = ("", "auto", "postgres", "postgresql")
"""Dialects for which squawk reads migrations; what it cannot parse it says nothing of."""


class LocalAnalyzers:
    """The analysers on this machine.

    `programs`: folders in which their programs are looked for; default: beside this Python, then
    PATH.
    """

    def __init__(
        self,
        tools: Sequence[Tool] = TOOLS,
        programs: Sequence[Path] | None = None,
    ) -> None:
        self._tools = tools
        self._programs = program_folders() if programs is None else tuple(programs)

    def analyze(
        self, change: Change, sources: Sources, *, skip: Collection[str] = (), sql_dialect: str = ""
    ) -> Analysis:
        """What the analysers say of the added lines of all files but those whose path is in `skip`.

        `sql_dialect` is the policy's: another than PostgreSQL switches squawk off. Never raises for what a change holds: a tool that is missing or fails becomes a notice.
        """
        targets = [
            Target(file, None)
            for file in change.files
            if file.path not in skip and file.commentable and not file.is_submodule
        ]
        targets = [_with_text(target, sources) for target in targets if target.added]
        foreign_sql = sql_dialect.lower() not in POSTGRES
        jobs = [
            (tool, mine)
            for tool in self._tools
            if not (foreign_sql and tool.name == Squawk.name)
            if (mine := [t for t in targets if _reads(tool, t)])
        ]
        if not jobs:
            return Analysis()
        with ThreadPoolExecutor(max_workers=len(jobs)) as pool:
            results = list(pool.map(lambda job: self._run(*job), jobs))
        evidence = [item for result in results for item in result.evidence]
        order = {tool.name: index for index, tool in enumerate(self._tools)}
        return Analysis(
            evidence=tuple(sorted(evidence, key=lambda e: (e.path, e.line, order[e.tool], e.rule))),
            ran=tuple(
                tool.name for (tool, _), result in zip(jobs, results, strict=True) if result.ok
            ),
            notices=tuple(notice for result in results for notice in result.notices),
            paths=frozenset(
                target.file.path
                for (_, mine), result in zip(jobs, results, strict=True)
                if result.ok
                for target in mine
            ),
        )

    def _run(self, tool: Tool, targets: Sequence[Target]) -> "_Result":
        try:
            found = list(tool.run(targets, self._programs))
        except ToolMissing:
            how = "get them with `pip install ruff squawk-cli zizmor` where reviewbot is installed"
            return _Result(notices=(f"{tool.name} is not installed, so it did not run; {how}",))
        except ToolFailed as failure:
            return _Result(notices=(f"{tool.name} {failure}: its remarks are missing",))
        kept, notices = _capped(tool, _on_added_lines(found, targets))
        return _Result(kept, notices, ok=True)


class _Result(NamedTuple):
    evidence: tuple[Evidence, ...] = ()
    notices: tuple[str, ...] = ()
    ok: bool = False


def _reads(tool: Tool, target: Target) -> bool:
    return tool.wants(target.file) and (target.text is not None or not tool.needs_text)


def _with_text(target: Target, sources: Sources) -> Target:
    """The target with its whole text, if that agrees with the diff on every added line."""
    text = sources.head.get(target.file.path, _new_text(target.file))
    if text is None or len(text) > MAX_TEXT:
        return target
    lines = text.split("\n")
    agrees = all(
        number <= len(lines) and lines[number - 1].rstrip("\r") == added.rstrip("\r")
        for number, added in target.added.items()
    )
    return replace(target, text=text) if agrees else target


def _new_text(file: FileChange) -> str | None:
    """The whole text of a new file, which its diff holds."""
    if file.status is not Status.ADDED or len(file.hunks) != 1 or file.hunks[0].new_start != 1:
        return None
    end = "" if file.hunks[0].new_no_newline else "\n"
    return "\n".join(file.hunks[0].added) + end


def _on_added_lines(found: Iterable[Evidence], targets: Sequence[Target]) -> Iterator[Evidence]:
    """The remarks that begin on an added line, cut to the added lines that follow it."""
    added = {target.file.path: target.added for target in targets}
    for item in dict.fromkeys(found):
        lines = added[item.path]
        if item.line in lines:
            later = range(item.line + 1, item.end_line + 1)
            last = max(takewhile(lines.__contains__, later), default=item.line)
            yield replace(item, end_line=last)


def _capped(tool: Tool, found: Iterable[Evidence]) -> tuple[tuple[Evidence, ...], tuple[str, ...]]:
    by_path = defaultdict(list)
    for item in found:
        by_path[item.path].append(item)
    kept: list[Evidence] = []
    notices = []
    for path, items in by_path.items():
        items.sort(key=lambda item: (item.severity.rank, item.line))
        kept += items[:MAX_PER_FILE]
        if (more := len(items) - MAX_PER_FILE) > 0:
            notices.append(f"{tool.name}: {more} more remarks on {plain(path, 200)} left out")
    return tuple(kept), tuple(notices)
