"""Routing a whole JSONL corpus of changes: `{id, title, diff}` in, `{id, labels, tier}` out."""

import gzip
import json
import sys
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import click

from reviewbot.change.parse import parse_diff
from reviewbot.change.source import Fetched
from reviewbot.cli.score_text import score_json, score_text
from reviewbot.errors import DiffError, SourceError, UsageError
from reviewbot.pipeline import Setup, route_change
from reviewbot.routing.router import areas_of
from reviewbot.routing.score import Labelled, Prediction, report


def route_corpus(setup: Setup, corpus: Path, predictions: Path) -> None:
    """Route every change and write a line for each, with progress on a terminal."""
    flagged = count = 0
    try:
        with predictions.open("w", encoding="utf-8") as out:
            for record in _progress(list(_read(corpus))):
                prediction = _predict(setup, record)
                count += 1
                flagged += prediction.flagged
                line = {
                    "id": record["id"],
                    "labels": sorted(prediction.labels) if prediction.flagged else [],
                    "tier": prediction.tier.value,
                }
                out.write(json.dumps(line) + "\n")
    except OSError as error:
        raise UsageError(f"cannot write {predictions}: {error.strerror}") from None
    click.echo(f"{count} changes, {flagged} flagged for Claude: {predictions}", err=True)


def score_corpus(
    setup: Setup, corpus: Path, format_: str, *, by: str | None = None, misses: bool = False
) -> str:
    """The figures as text or JSON; `by` names the field of a line to break them down by."""
    records = list(_read(corpus))
    labelled = [_labelled(record, corpus, by) for record in records]
    predictions = {record["id"]: _predict(setup, record) for record in _progress(records)}
    made = report(predictions, labelled, areas_of((setup.rules,), setup.policy))
    if format_ == "json":
        return json.dumps(score_json(made, by=by, misses=misses), indent=2)
    return score_text(made, by=by, misses=misses)


def _labelled(record: dict[str, Any], corpus: Path, by: str | None) -> Labelled:
    labels = record.get("labels")
    if not isinstance(labels, list) or not all(isinstance(each, str) for each in labels):
        raise SourceError(f"{corpus}: {record['id']} needs `labels` to be scored")
    if by and not isinstance(record.get(by), str):
        raise SourceError(f"{corpus}: {record['id']} has no `{by}` to score by")
    return Labelled(
        record["id"],
        frozenset(labels),
        bool(record.get("ambiguous")),
        str(record.get("title", "")),
        record[by] if by else "",
    )


def _predict(setup: Setup, record: dict[str, Any]) -> Prediction:
    try:
        # corpora cut long diffs off
        change = parse_diff(record["diff"], title=str(record.get("title", "")), allow_cut=True)
    except DiffError as error:
        raise DiffError(f"{record['id']}: {error}") from None
    return Prediction.of(route_change(Fetched(change), setup, setup.policy))


def _progress(records: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    with click.progressbar(records, file=sys.stderr, hidden=not sys.stderr.isatty()) as bar:
        yield from bar


def _read(path: Path) -> Iterator[dict[str, Any]]:
    """The records of a JSONL file, gzipped or not. Raises SourceError naming the line."""
    try:
        with path.open("rb") as file:
            lines: Iterable[bytes] = gzip.GzipFile(fileobj=file) if path.suffix == ".gz" else file
            for number, line in enumerate(lines, 1):
                if line.strip():
                    yield _record(line, f"{path}:{number}")
    except (OSError, EOFError, zlib.error) as error:
        raise SourceError(f"cannot read {path}: {error}") from None


def _record(line: bytes, place: str) -> dict[str, Any]:
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):
        raise SourceError(f"{place}: not a JSON object") from None
    good = isinstance(record, dict) and isinstance(record.get("id"), str)
    if not good or not isinstance(record.get("diff"), str):
        raise SourceError(f"{place}: a line needs `id` and `diff` as text")
    return dict(record)
