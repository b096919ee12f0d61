"""What stands around a pull request: policy, guidelines, attributes, whole files."""

from collections.abc import Collection
from typing import TYPE_CHECKING, NamedTuple

from reviewbot.change.attributes import NO_ATTRIBUTES, Attributes
from reviewbot.change.model import Change, FileChange, Sources, Status
from reviewbot.change.source import (
    ATTRIBUTES_PATH,
    GUIDELINE_PATHS,
    MAX_SOURCE_BYTES,
    POLICY_PATH,
    Document,
    wants_source,
)
from reviewbot.errors import SourceError
from reviewbot.github.blobs import Blob, read_blobs
from reviewbot.github.client import failure, plain_errors
from reviewbot.github.texts import added_text, deleted_text, text_before

if TYPE_CHECKING:
    from github import Github

#: Files whose whole text is asked for; the rest is reviewed from the diff alone.
MAX_TEXTS = 100

_RAW = "application/vnd.github.raw+json"


class Context(NamedTuple):
    """Texts of the base side."""

    policy: Document | None = None
    guidelines: tuple[Document, ...] = ()
    attributes: Attributes = NO_ATTRIBUTES
    notes: tuple[str, ...] = ()


def read_context(client: "Github", repository: str, base: str) -> Context:
    """The default branch's policy, and guidelines and attributes of the commit `base`.

    Guidelines and attributes that can't be read are a note. A policy that can't is a SourceError:
    passed over, it could let files leave that must not.
    """
    policy_at = f"HEAD:{POLICY_PATH}"
    others = {path: f"{base}:{path}" for path in (ATTRIBUTES_PATH, *GUIDELINE_PATHS)}
    blobs, problem = read_blobs(client, repository, [policy_at, *others.values()])
    policy = blobs[policy_at] if policy_at in blobs else _policy_alone(client, repository)
    if policy and policy.text is None:
        raise SourceError(f"{POLICY_PATH} of {repository} is not UTF-8 text of at most 1 MB")
    texts = {path: blob.text for path, at in others.items() if (blob := blobs.get(at))}
    unread = any(at not in blobs for at in others.values())
    return Context(
        Document(POLICY_PATH, policy.text) if policy and policy.text is not None else None,
        tuple(Document(path, text) for path in GUIDELINE_PATHS if (text := texts.get(path))),
        Attributes.parse(texts.get(ATTRIBUTES_PATH) or ""),
        (f"guidelines and .gitattributes could not be read: {problem}",) if unread else (),
    )


def _policy_alone(client: "Github", repository: str) -> Blob | None:
    """The policy by the way that needs no token. Raises SourceError if that fails, too."""
    requester = client.requester
    with plain_errors(client, f"the policy of {repository}"):
        status, headers, text = requester.requestJson(
            "GET", f"/repos/{repository}/contents/{POLICY_PATH}", headers={"Accept": _RAW}
        )
        if status == 404:
            return None
        if status >= 400:
            raise failure(client, status, headers, text)
    readable = "\ufffd" not in text and len(text.encode()) <= MAX_SOURCE_BYTES
    return Blob(text if readable else None)


def read_sources(
    client: "Github", repository: str, change: Change, also: Collection[str] = ()
) -> tuple[Sources, list[str]]:
    """Texts of the files worth reading whole, and a note for people on those that are not there.

    Only files that were there before are asked for: a new file's diff is its text, and what stood
    at the merge base follows from the text and the diff. `also` are files that need not be part of
    the change.
    """
    head: dict[str, str] = {}
    base: dict[str, str] = {}
    wanted: list[FileChange] = []
    for file in filter(wants_source, change.files):
        if file.status is Status.ADDED:
            _keep(head, file.path, added_text(file))
        elif file.status is Status.DELETED:
            _keep(base, file.path, deleted_text(file))
        else:
            wanted.append(file)
    at = {file.path: f"{change.head}:{file.path}" for file in wanted[:MAX_TEXTS]}
    more = [path for path in also if path not in change.by_path][:MAX_TEXTS]
    beside = {path: f"{change.head}:{path}" for path in more}
    blobs, problem = read_blobs(client, repository, [*at.values(), *beside.values()])
    for file in wanted[:MAX_TEXTS]:
        blob = blobs.get(at[file.path])
        if blob and blob.text is not None:
            head[file.path] = blob.text
            _keep(base, file.old_path or file.path, text_before(blob.text, file.hunks))
    for path, expression in beside.items():
        if (blob := blobs.get(expression)) and blob.text is not None:
            head[path] = blob.text
    absent = frozenset(path for path, each in beside.items() if blobs.get(each, 0) is None)
    return Sources(head, base, absent), _left_out(wanted, head, problem)


def _left_out(wanted: list[FileChange], head: dict[str, str], problem: str) -> list[str]:
    count = sum(file.path not in head for file in wanted)
    if not count:
        return []
    more = (
        f"only {MAX_TEXTS} are asked for" if len(wanted) > MAX_TEXTS else "not there, or too long"
    )
    files = "1 file is" if count == 1 else f"{count} files are"
    return [f"{files} reviewed from the diff alone: {problem or more}"]


def _keep(texts: dict[str, str], path: str, text: str | None) -> None:
    if text is not None:
        texts[path] = text
