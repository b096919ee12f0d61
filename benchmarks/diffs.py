"""Reads a folder of *.diff files or a JSONL file of `{"diff": …}` lines."""

import gzip
import json
import sys
from pathlib import Path
from typing import Any


def read(argument: str) -> list[dict[str, Any]]:
    path = Path(argument)
    if path.is_dir():
        return [{"diff": p.read_text(errors="replace")} for p in sorted(path.glob("*.diff"))]
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def from_arguments() -> list[dict[str, Any]]:
    if len(sys.argv) != 2:
        sys.exit(f"usage: python {sys.argv[0]} DIFFS.jsonl[.gz] | FOLDER")
    return read(sys.argv[1])
