"""Routing a whole JSONL corpus of changes: `{id, title, diff}` in, `{id, labels, tier}` out."""

import gzip
import json
import sys
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from reviewbot.change.parse import parse_diff
from reviewbot.change.source import Fetched
from reviewbot.errors import DiffError, SourceError, UsageError
from reviewbot.pipeline import Setup, route_change
from reviewbot.routing.score import Prediction, Score, score


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


def score_corpus(setup: Setup, corpus: Path, format_: str) -> str:
    """The figures as text or JSON; ambiguous changes are left out."""
    records = [record for record in _read(corpus) if not record.get("ambiguous")]
    labels = [record.get("labels") for record in records]
    if not all(isinstance(each, list) and all(isinstance(a, str) for a in each) for each in labels):
        raise SourceError(f"{corpus}: every line needs `labels` to be scored")
    found = {record["id"]: _predict(setup, record) for record in _progress(records)}
    figures = score(found, {record["id"]: record["labels"] for record in records})
    if format_ == "json":
        return json.dumps({"changes": len(records), **asdict(figures)}, indent=2)
    return _table(figures, len(records), sum(p.flagged for p in found.values()))


def _table(figures: Score, changes: int, flagged: int) -> str:
    lines = [f"{changes} changes, {flagged} flagged ({flagged / max(changes, 1):.0%})"]
    lines.append(
        f"{'':<12}{'precision':>10}{'recall':>8}{'F1':>6}{'right':>7}{'false':>7}{'missed':>8}"
    )
    for name, row in [("flagged", figures.flagged), *figures.areas.items()]:
        shares = (row.precision, row.recall, row.f1)
        cells = ["–" if share is None else f"{share:.2f}" for share in shares]
        lines.append(
            f"{name:<12}{cells[0]:>10}{cells[1]:>8}{cells[2]:>6}"
            f"{row.true_positives:>7}{row.false_positives:>7}{row.false_negatives:>8}"
        )
    return "\n".join(lines)


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
