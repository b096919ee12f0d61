"""Python: ruff's correctness and security rules, without the repository's configuration."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from pydantic import BaseModel, TypeAdapter, ValidationError

from reviewbot.change.model import FileChange, Kind
from reviewbot.engines.analysis.process import run_on_copies
from reviewbot.engines.analysis.ruff_rules import RULES, SYNTAX
from reviewbot.engines.analysis.tool import Target, ToolFailed, body_of, title_of
from reviewbot.review.answer import Category
from reviewbot.review.evidence import Evidence

#: The newest version known to ruff 0.14, so that no valid syntax is called an error.
TARGET = "py314"
ARGUMENTS = (
    "check",
    "--isolated",
    "--no-cache",
    "--ignore-noqa",
    "--quiet",
    "--output-format=json",
    f"--target-version={TARGET}",
    "--select=" + ",".join(rule.code for rule in RULES),
    "--",
)
_BY_CODE = {rule.code: rule for rule in (*RULES, SYNTAX)}
#: Suppression comments of ruff's own newer kind, which `--ignore-noqa` may not know of.
_SUPPRESSION = re.compile(r"(#\s*(?:ruff|flake8)\s*):", re.IGNORECASE)


class _Place(BaseModel):
    row: int


class _Diagnostic(BaseModel):
    code: str | None
    filename: str
    message: str
    location: _Place
    end_location: _Place


_DIAGNOSTICS = TypeAdapter(list[_Diagnostic])


class Ruff:
    name = "ruff"
    needs_text = True

    def wants(self, file: FileChange) -> bool:
        kinds = (Kind.SOURCE, Kind.TEST, Kind.MIGRATION, Kind.CONFIG)
        return file.path.endswith((".py", ".pyi")) and file.kind in kinds

    def run(self, targets: Sequence[Target], programs: Sequence[Path]) -> Iterator[Evidence]:
        by_name = {
            f"{index:05}.{'pyi' if target.file.path.endswith('i') else 'py'}": target
            for index, target in enumerate(targets)
        }
        copies = [(name, _unsuppressed(target.text or "")) for name, target in by_name.items()]
        output = run_on_copies("ruff", ARGUMENTS, copies, programs)
        try:
            diagnostics = _DIAGNOSTICS.validate_json(output)
        except ValidationError:
            raise ToolFailed("said what is not its JSON") from None
        for item in diagnostics:
            target = by_name.get(Path(item.filename).name)
            rule = _BY_CODE.get(item.code or SYNTAX.code)
            if target is None or rule is None:
                continue
            if rule.category is Category.SECURITY and target.file.kind is Kind.TEST:
                continue  # tests do what no server should, on purpose
            yield Evidence(
                path=target.file.path,
                line=item.location.row,
                end_line=max(item.location.row, item.end_location.row),
                side="RIGHT",
                tool=self.name,
                rule=rule.code,
                severity=rule.severity,
                category=rule.category,
                title=title_of(item.message),
                body=body_of(rule.reason),
            )


def _unsuppressed(text: str) -> str:
    return _SUPPRESSION.sub(r"\1;", text)
