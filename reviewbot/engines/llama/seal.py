"""A model file is used only as it was pulled: its SHA-256, kept beside it, is checked whenever
size or time of change are not what they were."""

import hashlib
import json
import os
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from reviewbot.engines.llama.gguf import parts
from reviewbot.errors import EngineError

Watch = Callable[[str, int, int], None]
"""Told what is done, how many bytes of it, and of how many."""

_CHUNK = 4 * 1024 * 1024


@dataclass(frozen=True)
class Seal:
    """What a model file was when it was pulled; the file `<model>.json` beside it."""

    sha256: str
    size: int
    mtime_ns: int
    source: str
    """Where it came from: `hub/repository@commit/file`."""
    pulled_at: str
    """UTC, ISO 8601."""


def verified(model: Path, *, thorough: bool = False, watch: Watch | None = None) -> bool:
    """Check a model, all its parts, against their seals, and say whether it has any: a file of
    the operator's own has none.

    The bytes are read if size or time of change differ, or always if `thorough`. Raises
    EngineError if a file is not what was pulled, or is missing.
    """
    seals = []
    for file in parts(model):
        if not file.is_file():
            raise EngineError(f"no model file {file}")
        seal = read_seal(file)
        seals.append(seal is not None)
        if seal:
            _check(file, seal, thorough=thorough, watch=watch)
    return all(seals)


def read_seal(file: Path) -> Seal | None:
    """The seal of a file, None if it has none. Raises EngineError if the seal makes no sense."""
    kept = seal_file(file)
    try:
        seal = Seal(**json.loads(kept.read_bytes()))
    except FileNotFoundError:
        return None
    except OSError as error:
        raise EngineError(f"cannot read {kept}: {error.strerror}") from None
    except (ValueError, TypeError):
        raise EngineError(
            f"{kept} is damaged: delete it, and pull the model again to have it checked"
        ) from None
    return seal


def write_seal(file: Path, seal: Seal) -> None:
    """Keep a seal, whole or not at all."""
    kept = seal_file(file)
    new = kept.with_name(f"{kept.name}.new")
    new.write_text(json.dumps(asdict(seal), indent=2) + "\n", encoding="utf-8")
    os.replace(new, kept)


def seal_file(file: Path) -> Path:
    return file.with_name(f"{file.name}.json")


def sha256_of(file: Path, watch: Watch | None = None) -> str:
    """The SHA-256 of a file, in hexadecimal. Raises EngineError if it can't be read."""
    digest, done, told = hashlib.sha256(), 0, 0.0
    try:
        with file.open("rb") as stream:
            total = os.fstat(stream.fileno()).st_size
            while chunk := stream.read(_CHUNK):
                digest.update(chunk)
                done += len(chunk)
                if watch and (time.monotonic() - told > 0.1 or done == total):
                    told = time.monotonic()
                    watch("checking", done, total)
    except OSError as error:
        raise EngineError(f"cannot read {file}: {error.strerror}") from None
    return digest.hexdigest()


def _check(file: Path, seal: Seal, *, thorough: bool, watch: Watch | None) -> None:
    state = file.stat()
    if state.st_size == seal.size and state.st_mtime_ns == seal.mtime_ns and not thorough:
        return
    if state.st_size != seal.size or sha256_of(file, watch) != seal.sha256:
        raise EngineError(
            f"{file} is not the file that was pulled (its SHA-256 differs): it is not used;"
            f" delete it and pull it again"
        )
    with suppress(OSError):  # a read-only folder: it is checked again next time
        write_seal(file, replace(seal, mtime_ns=state.st_mtime_ns))
