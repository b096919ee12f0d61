"""PostgreSQL migrations: squawk's rules about locks, lost data and code that still runs."""

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from pydantic import BaseModel, TypeAdapter, ValidationError

from reviewbot.change.model import FileChange, Kind
from reviewbot.engines.analysis.process import run_on_copies
from reviewbot.engines.analysis.tool import Target, ToolFailed, body_of, title_of
from reviewbot.review.answer import Category, Severity
from reviewbot.review.evidence import Evidence

_LOCK, _LOSS = Category.CONCURRENCY, Category.DATA_LOSS


class Rule(NamedTuple):
    """High: breaks running code or loses data; medium: holds a lock or fails on a large table."""

    severity: Severity
    category: Category
    reason: str


#: The rules that count. Not here: what is taste (`prefer-…`) or asks for timeouts everywhere.
RULES: Mapping[str, Rule] = {
    "require-concurrent-index-creation": Rule(
        Severity.MEDIUM, _LOCK, "Writes to the table wait until the index is built."
    ),
    "require-concurrent-index-deletion": Rule(
        Severity.MEDIUM, _LOCK, "Reads and writes of the table wait for the index to be dropped."
    ),
    "require-concurrent-reindex": Rule(
        Severity.MEDIUM, _LOCK, "Writes to the table wait until the index is rebuilt."
    ),
    "require-concurrent-partition-detach": Rule(
        Severity.MEDIUM, _LOCK, "Reads and writes of the table wait."
    ),
    "adding-required-field": Rule(
        Severity.HIGH,
        Category.CORRECTNESS,
        "It fails on a table with rows, and running code that does not know the column can't insert.",
    ),
    "adding-not-nullable-field": Rule(
        Severity.MEDIUM, _LOCK, "The whole table is read while nobody can use it."
    ),
    "adding-field-with-default": Rule(
        Severity.MEDIUM, _LOCK, "The whole table is rewritten while nobody can use it."
    ),
    "adding-serial-primary-key-field": Rule(
        Severity.MEDIUM, _LOCK, "The whole table is rewritten while nobody can use it."
    ),
    "changing-column-type": Rule(
        Severity.MEDIUM, _LOCK, "The whole table is rewritten while nobody can use it."
    ),
    "constraint-missing-not-valid": Rule(
        Severity.MEDIUM, _LOCK, "The whole table is checked while writes wait."
    ),
    "adding-foreign-key-constraint": Rule(
        Severity.MEDIUM, _LOCK, "Both tables are locked while all rows are checked."
    ),
    "disallowed-unique-constraint": Rule(
        Severity.MEDIUM, _LOCK, "The table is locked while the index behind it is built."
    ),
    "renaming-column": Rule(
        Severity.HIGH, Category.API, "Running code still uses the old name and fails."
    ),
    "renaming-table": Rule(
        Severity.HIGH, Category.API, "Running code still uses the old name and fails."
    ),
    "ban-drop-column": Rule(Severity.HIGH, _LOSS, "Data is lost; running code may still read it."),
    "ban-drop-table": Rule(Severity.HIGH, _LOSS, "Data is lost; running code may still read it."),
    "ban-drop-schema": Rule(Severity.HIGH, _LOSS, "Data is lost with everything in the schema."),
    "ban-drop-database": Rule(Severity.CRITICAL, _LOSS, "All data is lost."),
    "ban-truncate-cascade": Rule(
        Severity.HIGH, _LOSS, "Every table that refers to this one is emptied, too."
    ),
    "ban-concurrent-index-creation-in-transaction": Rule(
        Severity.HIGH, Category.CORRECTNESS, "It fails inside a transaction."
    ),
    "ban-uncommitted-transaction": Rule(
        Severity.HIGH, Category.CORRECTNESS, "The transaction never ends: nothing is kept."
    ),
    "identifier-too-long": Rule(
        Severity.MEDIUM, Category.CORRECTNESS, "PostgreSQL cuts names after 63 bytes."
    ),
}
#: Migrations back drop and rename on purpose; another database's files are not squawk's.
_UNREAD_PATH = re.compile(
    r"(?i)(?:^|[/._-])(?:down|rollback|revert|undo|sqlite3?|mysql|mariadb|mssql|sqlserver|tsql|"
    r"oracle|cockroach(?:db)?|snowflake|bigquery|clickhouse|redshift)(?:[/._-]|$)"
)

SETTINGS = "settings.toml"
"""A configuration file of ours, empty: squawk would look for one in the folders above."""
ARGUMENTS = ("--reporter=json", f"--config={SETTINGS}", "--")


class _Remark(BaseModel):
    file: str
    line: int
    line_end: int
    message: str
    help: str | None
    rule_name: str


_REMARKS = TypeAdapter(list[_Remark])


class Squawk:
    name = "squawk"
    needs_text = True

    def wants(self, file: FileChange) -> bool:
        is_sql = file.kind is Kind.MIGRATION and file.path.lower().endswith(".sql")
        return is_sql and not _UNREAD_PATH.search(file.path)

    def run(self, targets: Sequence[Target], programs: Sequence[Path]) -> Iterator[Evidence]:
        by_name = {f"{index:05}.sql": target for index, target in enumerate(targets)}
        copies = [(name, _unsuppressed(target.text or "")) for name, target in by_name.items()]
        output = run_on_copies("squawk", ARGUMENTS, copies, programs, settings=(SETTINGS, ""))
        try:
            remarks = _REMARKS.validate_json(output)
        except ValidationError:
            raise ToolFailed("said what is not its JSON") from None
        # What PostgreSQL can't parse is most likely another database's SQL: nothing is said of it.
        foreign = {item.file for item in remarks if item.rule_name == "syntax-error"}
        for item in remarks:
            rule = RULES.get(item.rule_name)
            target = by_name.get(Path(item.file).name)
            if rule is None or target is None or item.file in foreign:
                continue
            yield Evidence(
                path=target.file.path,
                line=item.line + 1,
                end_line=item.line_end + 1,
                side="RIGHT",
                tool=self.name,
                rule=item.rule_name,
                severity=rule.severity,
                category=rule.category,
                title=title_of(item.message),
                body=body_of(f"{rule.reason} {item.help or ''}"),
            )


def _unsuppressed(text: str) -> str:
    """The text with its `-- squawk-ignore …` comments made unreadable, no character moved."""
    return re.sub(r"(?i)squawk-ignore", "squawk_ignore", text)
