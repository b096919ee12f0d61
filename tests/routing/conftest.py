"""Small changes, built by hand."""

from collections.abc import Callable, Sequence

import pytest

from reviewbot.change.kinds import classify, language_of
from reviewbot.change.model import Change, FileChange, Hunk, Status
from reviewbot.routing.rules import RuleSet, load_rules

FileMaker = Callable[..., FileChange]


@pytest.fixture(scope="session")
def file() -> FileMaker:
    """A changed file: `file("a.py", added=[…], removed=[…], context=[…], **fields)`."""

    def make(
        path: str,
        added: Sequence[str] = (),
        removed: Sequence[str] = (),
        context: Sequence[str] = (),
        **fields: object,
    ) -> FileChange:
        body = [
            *(f" {line}" for line in context),
            *(f"-{line}" for line in removed),
            *(f"+{line}" for line in added),
        ]
        old, new = len(context) + len(removed), len(context) + len(added)
        fields.setdefault("kind", classify(path))
        fields.setdefault("language", language_of(path))
        fields.setdefault("status", Status.MODIFIED)
        hunks = (Hunk(10, old, 10, new, "", tuple(body)),) if body else ()
        return FileChange(path, hunks=hunks, **fields)  # type: ignore[arg-type]

    return make


@pytest.fixture(scope="session")
def change() -> Callable[..., Change]:
    return lambda *files, **fields: Change(tuple(files), **fields)


RULES = """
area: pay
title: Payments
rules:
  - id: pay.call
    why: Calls the bank
    weight: 3
    changed: ['\\bbank\\.\\w+\\(']
    not: ['bank\\.ping\\(']
  - id: pay.word
    why: Speaks of money
    weight: 1
    added: ['(?i)money']
  - id: pay.place
    why: Lies in the till
    weight: 1
    paths: ['**/till/**', '!**/till/readme*']
  - id: pay.named
    why: Is called a ledger
    weight: 1
    names: [ledger]
  - id: pay.guard
    why: Takes a guard away
    weight: 2
    removed: ['^\\s*guard\\(\\)$']
"""


@pytest.fixture(scope="session")
def rules() -> RuleSet:
    return load_rules({"pay.yml": RULES})
