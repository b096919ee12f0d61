"""GitHub workflows and actions: zizmor's offline audits."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from pydantic import BaseModel, TypeAdapter, ValidationError

from reviewbot.change.model import FileChange
from reviewbot.engines.analysis.process import run_on_copies
from reviewbot.engines.analysis.tool import Target, ToolFailed, body_of, title_of
from reviewbot.review.answer import Category, Severity
from reviewbot.review.evidence import Evidence

#: The audits that count, with the reason. Not here: those that need the network, and advice.
RULES: Mapping[str, str] = {
    "template-injection": "What others write (titles, branch names) becomes shell code.",
    "dangerous-triggers": "Code of a fork runs with this repository's secrets.",
    "excessive-permissions": "The job's token may do more than the job needs.",
    "github-env": "What others write sets variables of later steps, and so runs code.",
    "hardcoded-container-credentials": "A registry password stands in the file.",
    "insecure-commands": "Log output can set variables of later steps.",
    "secrets-inherit": "The called workflow gets every secret.",
    "overprovisioned-secrets": "The step gets every secret.",
    "unredacted-secrets": "A part of a secret is not masked in logs.",
    "bot-conditions": "The actor can be forged: the check protects nothing.",
    "unsound-condition": "The condition is always true.",
    "unsound-contains": "A part of the name is enough to pass the check.",
    "unsound-ternary": "An empty middle value makes the other branch be taken.",
    "obfuscation": "The reference is written so that people misread it.",
    "typosquat-uses": "The action's name imitates another.",
    "insecure-url-scheme": "What is fetched can be replaced on its way.",
    "unpinned-uses": "The tag can be moved to other code; pin the commit's SHA.",
}
_SEVERITIES = {"High": Severity.HIGH, "Medium": Severity.MEDIUM, "Low": Severity.LOW}
#: True, and wrong for a supply chain, but no bug in this change.
_LOWERED = {"unpinned-uses": Severity.LOW, "excessive-permissions": Severity.LOW}

ARGUMENTS = (
    "--offline",
    "--no-config",
    "--no-ignores",
    "--persona=regular",
    "--format=json-v1",
    "--no-progress",
    "--no-exit-codes",
    "--quiet",
    "--",
)


class _Point(BaseModel):
    row: int
    column: int


class _Span(BaseModel):
    start_point: _Point
    end_point: _Point


class _Concrete(BaseModel):
    location: _Span


class _Symbolic(BaseModel):
    kind: str
    annotation: str
    key: dict[str, Any]


class _Location(BaseModel):
    symbolic: _Symbolic
    concrete: _Concrete


class _Determinations(BaseModel):
    confidence: str
    severity: str


class _Finding(BaseModel):
    ident: str
    desc: str
    determinations: _Determinations
    locations: list[_Location]


_FINDINGS = TypeAdapter(list[_Finding])


class Zizmor:
    name = "zizmor"
    needs_text = True

    def wants(self, file: FileChange) -> bool:
        return _is_workflow(file.path) or _is_action(file.path)

    def run(self, targets: Sequence[Target], programs: Sequence[Path]) -> Iterator[Evidence]:
        by_name = {
            f"{index:05}/{'action' if _is_action(target.file.path) else 'workflow'}.yml": target
            for index, target in enumerate(targets)
        }
        copies = [(name, target.text or "") for name, target in by_name.items()]
        output = run_on_copies("zizmor", ARGUMENTS, copies, programs)
        try:
            findings = _FINDINGS.validate_json(output)
        except ValidationError:
            raise ToolFailed("said what is not its JSON") from None
        for item in findings:
            severity = _LOWERED.get(item.ident) or _SEVERITIES.get(item.determinations.severity)
            if item.ident not in RULES or item.determinations.confidence == "Low":
                continue
            place = next((at for at in item.locations if at.symbolic.kind == "Primary"), None)
            target = by_name.get(_path_of(place)) if place else None
            if severity is None or place is None or target is None:
                continue
            start, end = place.concrete.location.start_point, place.concrete.location.end_point
            last = end.row if end.column == 0 and end.row > start.row else end.row + 1
            yield Evidence(
                path=target.file.path,
                line=start.row + 1,
                end_line=last,
                side="RIGHT",
                tool=self.name,
                rule=item.ident,
                severity=severity,
                category=Category.SECURITY,
                title=title_of(f"{item.desc}: {place.symbolic.annotation}"),
                body=body_of(RULES[item.ident]),
            )


def _path_of(place: _Location) -> str:
    local = place.symbolic.key.get("Local", {})
    return str(local.get("verbatim_path", "")).removeprefix("./")


def _is_workflow(path: str) -> bool:
    folder = PurePosixPath(path).parent
    return str(folder) == ".github/workflows" and path.endswith((".yml", ".yaml"))


def _is_action(path: str) -> bool:
    return PurePosixPath(path).name in ("action.yml", "action.yaml")
