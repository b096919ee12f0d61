"""An answer written in lines, one JSON object each, as the one object that every engine gives."""

import json
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Assembled:
    """A whole answer made of its lines."""

    text: str
    """JSON: `walkthrough` and `findings`, as far as they were written."""
    lines: int
    """Lines that are in it."""
    cut: bool
    """The last line broke off and is not in it."""
    unreadable: int
    """Whole lines that are no JSON objects: there should be none."""


def assemble(text: str, *, cut: bool) -> Assembled:
    """Put the lines together. `cut`: the answer was stopped, so its last line may break off."""
    lines = [line for line in text.split("\n") if line.strip()]
    objects = [_object(line) for line in lines]
    broken_off = cut and bool(objects) and objects[-1] is None
    if broken_off:
        objects.pop()
    walkthrough, findings = "", []
    for item in objects:
        if item is not None and item.keys() == {"walkthrough"}:
            walkthrough = walkthrough or item["walkthrough"]
        elif item is not None:
            findings.append(item)
    answer = {"walkthrough": walkthrough, "findings": findings}
    unreadable = objects.count(None)
    return Assembled(
        json.dumps(answer, ensure_ascii=False), len(objects) - unreadable, broken_off, unreadable
    )


def _object(line: str) -> dict[str, Any] | None:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None
