"""Getting a model from the Hugging Face hub: whole, checked, and from where a broken-off transfer
ended.

The hub names a file's SHA-256 before the file is sent, and the file counts only if that is its
own. `hf_hub_download` throws away what it has when it ends early, so its parts are used instead.
"""

import errno
import fcntl
import logging
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, cast
from urllib.parse import urlsplit

from reviewbot.config.folders import private_folder
from reviewbot.engines.llama.gguf import read_facts
from reviewbot.engines.llama.models import CatalogueModel, size
from reviewbot.engines.llama.seal import (
    Seal,
    Watch,
    read_seal,
    sha256_of,
    verified,
    write_seal,
)
from reviewbot.errors import EngineError

#: Left free on the disk, bytes.
DISK_RESERVE = 512 * 2**20
#: Seconds to wait for the hub to name a file's size and SHA-256.
_ASK_SECONDS = 20.0
_SHA256 = re.compile(r"[0-9a-f]{64}")


class _Offer(NamedTuple):
    """What the hub says of a file."""

    commit: str
    sha256: str
    bytes: int


def pull(model: CatalogueModel, folder: Path, watch: Watch, endpoint: str = "") -> Path:
    """Download a model into `folder`, or go on with a download that broke off; its path.

    `endpoint`: the hub's root (default: HF_ENDPOINT, else the public hub). A file that is there
    already is only checked. Raises EngineError, in one clear line, for what the hub refuses or
    breaks off, too little disk, and bytes that are not what the hub announced.
    """
    target = folder / model.file
    if target.exists() and read_seal(target):
        verified(target, watch=watch)
        return target
    endpoint = (endpoint or os.environ.get("HF_ENDPOINT") or "https://huggingface.co").rstrip("/")
    _hub()
    with _told_apart(model, endpoint):
        offer = _ask(model, endpoint)
    if target.exists():
        if sha256_of(target, watch) != offer.sha256:
            raise EngineError(f"{target} is there, but is not the hub's file: move it away first")
    else:
        _fetch(model, target, offer, endpoint, watch)
    state = target.stat()
    source = f"{endpoint}/{model.repository}@{offer.commit}/{model.file}"
    now = datetime.now(UTC).isoformat(timespec="seconds")
    write_seal(target, Seal(offer.sha256, state.st_size, state.st_mtime_ns, source, now))
    return target


def _fetch(model: CatalogueModel, target: Path, offer: _Offer, endpoint: str, watch: Watch) -> None:
    """Into a file beside `target`, which gets its name once it is whole and checked."""
    private_folder(target.parent)
    part = target.with_name(f"{target.name}.{offer.sha256[:12]}.part")
    with _only_one(part) as file:
        if file.seek(0, os.SEEK_END) > offer.bytes:
            file.truncate(file.seek(0))
        _check_disk(target.parent, offer.bytes - file.tell())
        with _told_apart(model, endpoint):
            _receive(model, file, offer, endpoint, watch)
        file.flush()
        os.fsync(file.fileno())
        try:
            if sha256_of(part, watch) != offer.sha256:
                raise EngineError(
                    f"what came is not what the hub announced (SHA-256 of {model.file}): it is"
                    " deleted; pull again"
                )
            read_facts(part)
        except EngineError:
            part.unlink()
            raise
        os.replace(part, target)


def _ask(model: CatalogueModel, endpoint: str) -> _Offer:
    from huggingface_hub.file_download import get_hf_file_metadata, hf_hub_url

    url = hf_hub_url(model.repository, model.file, endpoint=endpoint)
    found = get_hf_file_metadata(url, timeout=_ASK_SECONDS, endpoint=endpoint)
    if not found.commit_hash or not found.size or not _SHA256.fullmatch(found.etag or ""):
        raise EngineError(
            f"{endpoint} names no commit, size or SHA-256 of {model.file}: is it a hub?"
        )
    return _Offer(found.commit_hash, found.etag or "", found.size)


def _receive(
    model: CatalogueModel, file: BinaryIO, offer: _Offer, endpoint: str, watch: Watch
) -> None:
    """What is missing in `file`. Each try asks the hub anew: its links to the storage expire."""
    from huggingface_hub.file_download import hf_hub_url, http_get
    from huggingface_hub.utils import build_hf_headers

    class Bar:
        """The part of tqdm that is used."""

        def __init__(self, *, initial: int, **_: object) -> None:
            self.done = initial

        def __enter__(self) -> "Bar":
            return self

        def __exit__(self, *_: object) -> None:
            watch("downloading", self.done, offer.bytes)

        def update(self, count: int) -> None:
            self.done += count
            watch("downloading", self.done, offer.bytes)

    http_get(
        hf_hub_url(model.repository, model.file, revision=offer.commit, endpoint=endpoint),
        file,
        resume_size=file.tell(),
        headers=build_hf_headers(),
        expected_size=offer.bytes,
        displayed_filename=model.file,
        tqdm_class=cast(Any, Bar),
    )


def _hub() -> None:
    """Load the hub's client. Raises EngineError, saying what to do, if it is not there."""
    try:
        # optional, and half a second to load
        from huggingface_hub import constants
    except ImportError:
        raise EngineError(
            "downloading takes huggingface_hub: pip install 'huggingface-hub>=2.4,<3', or fetch the file"
            " yourself and name it in REVIEWBOT_LOCAL_MODEL"
        ) from None
    constants.HF_HUB_DISABLE_TELEMETRY = True
    # its warnings say that it tries again: so does the progress
    logging.getLogger("huggingface_hub").setLevel(logging.ERROR)


@contextmanager
def _told_apart(model: CatalogueModel, endpoint: str) -> Iterator[None]:
    """The hub's failures as EngineError."""
    import httpx2
    from huggingface_hub.errors import HfHubHTTPError

    host = urlsplit(endpoint).netloc
    again = "what came is kept: the same command goes on from there"
    try:
        yield
    except HfHubHTTPError as error:
        status = error.response.status_code
        words = {
            401: f"{host} refuses {model.repository} (401): HF_TOKEN is wrong, or it is not there",
            403: f"{host} refuses {model.repository} (403): HF_TOKEN may not read it",
            404: f"{host} has no {model.repository}/{model.file} (404)",
        }
        raise EngineError(
            words.get(status, f"{host} answered {status}; try again later ({again})")
        ) from None
    except httpx2.HTTPError as error:
        raise EngineError(f"no whole answer of {host} ({type(error).__name__}); {again}") from None
    except OSError as error:
        if error.errno is not None and error.errno != errno.ECONNRESET:
            raise  # the disk's: full, failing
        raise EngineError(f"the transfer of {model.file} broke off; {again}") from None


@contextmanager
def _only_one(part: Path) -> Iterator[BinaryIO]:
    """The half-downloaded file, locked. Raises EngineError if somebody else downloads it."""
    with part.open("a+b") as opened:
        try:
            fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise EngineError(f"{part} is being downloaded by another process") from None
        yield opened


def _check_disk(folder: Path, missing: int) -> None:
    free = shutil.disk_usage(folder).free
    if missing + DISK_RESERVE > free:
        raise EngineError(
            f"not enough room in {folder}: {size(missing)} are missing, {size(free)} are free"
            f" (and {size(DISK_RESERVE)} stay free); REVIEWBOT_DATA_DIR names another place"
        )
