"""What has been merged: the first-parent commits of the default branch, and each one's change.

A merge commit is its difference from the branch before it; a squash merge is its own commit. Both
are one commit of the first-parent history, so each of those counts as one pull request.
"""

import re
import threading
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from reviewbot.change.attributes import Attributes
from reviewbot.change.kinds import with_kinds
from reviewbot.change.parse import parse_diff
from reviewbot.change.source import (
    ATTRIBUTES_PATH,
    GUIDELINE_PATHS,
    MAX_SOURCE_BYTES,
    POLICY_PATH,
    Document,
    Fetched,
)
from reviewbot.errors import DiffError, SourceError
from reviewbot.git.commits import Commit, read_commit
from reviewbot.git.objects import Objects
from reviewbot.git.plumbing import Repository, find_repository
from reviewbot.git.ranges import DIFF, read_sources
from reviewbot.git.revisions import DEFAULT_BRANCHES, MAX_COMMIT_BYTES, Span

#: Longest diff of one commit that is replayed, bytes: GitHub itself shows none over 1 MB.
MAX_DIFF_BYTES = 20_000_000
#: Longest work of the git process that diffs one batch, seconds; a batch takes a few.
BATCH_SECONDS = 300

_HEADER = re.compile(rb"[0-9a-f]{40}(?:[0-9a-f]{24})?\n")
_MERGED = re.compile(r"^Merge (?:pull request #\d+ from \S+?/(\S+)|branch '(.+?)')")


class Merge(NamedTuple):
    """One commit of the first-parent history, and what it was merged into."""

    sha: str
    parent: str
    at: datetime
    """When it was committed, UTC."""


@dataclass(frozen=True)
class History:
    """The merged history of one repository, newest first, and what its default branch says now."""

    repository: Repository
    branch: str
    """The default branch, in short."""
    merges: tuple[Merge, ...]
    times: tuple[datetime, ...]
    """Of all merges, also those that a limit leaves out."""
    policy: Document | None
    guidelines: tuple[Document, ...]
    attributes: Mapping[str, str]
    """Path → text of each `.gitattributes`."""
    notes: tuple[str, ...] = ()


class Past(NamedTuple):
    """One merged change as a review would have seen it."""

    merge: Merge
    fetched: Fetched | None
    """None where it can't be read, or is longer than `MAX_DIFF_BYTES`."""


def read_history(
    folder: Path, *, since: datetime | None = None, limit: int | None = None
) -> History:
    """The commits merged into the default branch of `folder`'s repository, at most `limit` of them
    and none from before `since`. Nothing of the repository is executed.

    Policy, guidelines and attributes are those of the branch's newest commit: they hold for what
    comes. The first commit of all is no pull request, and left out.

    Raises SourceError where there is nothing to replay, saying why.
    """
    repository = find_repository(folder)
    with Objects(repository) as objects:
        name = _default_branch(repository, objects)
        listed = list(_listed(repository, name))
        merges = [merge for merge in listed if merge.parent and (not since or merge.at >= since)]
        if not merges:
            raise SourceError(_nothing(repository, name, len(listed), since))
        head = listed[0].sha
        return History(
            repository=repository,
            branch=_short(name, repository),
            merges=tuple(merges[:limit]),
            times=tuple(merge.at for merge in merges),
            policy=_document(objects, head, POLICY_PATH),
            guidelines=tuple(
                document for path in GUIDELINE_PATHS if (document := _document(objects, head, path))
            ),
            attributes=_attributes(repository, objects, head),
            notes=_notes(repository, len(merges)),
        )


def read_changes(history: History, merges: Sequence[Merge]) -> Iterator[Past]:
    """The change of each of some merges in turn, with the texts of its files: two git processes
    for all."""
    repository, attributes = history.repository, Attributes.of(history.attributes)
    with Objects(repository) as objects, closing(_diffs(repository, merges)) as diffs:
        for merge, diff in diffs:
            yield Past(merge, _fetched(repository, objects, merge, diff, attributes))


def _default_branch(repository: Repository, objects: Objects) -> str:
    """In a bare repository its `HEAD`; else `origin/HEAD`, the usual names, or what is there."""
    is_bare = ".git" not in repository.git_dir.parts
    for name in ("HEAD",) if is_bare else (*DEFAULT_BRANCHES, "HEAD"):
        if objects.get(f"{name}^{{commit}}", limit=0):
            return name
    raise SourceError(f"{repository.name} has no commit yet: there is no history to replay")


def _short(name: str, repository: Repository) -> str:
    if name == "HEAD" and repository.branch:
        return repository.branch
    return name.removeprefix("refs/remotes/").removeprefix("refs/heads/")


def _listed(repository: Repository, name: str) -> Iterator[Merge]:
    """The first-parent history; a commit without a parent here has an empty one."""
    output = repository.run(
        "log", "--first-parent", "--no-show-signature", "--format=%H %ct %P", name, "--"
    )
    for line in output.decode("ascii", "replace").splitlines():
        sha, seconds, *parents = line.split()
        at = datetime.fromtimestamp(int(seconds), UTC)
        yield Merge(sha, parents[0] if parents else "", at)


def _nothing(repository: Repository, name: str, commits: int, since: datetime | None) -> str:
    if repository.is_shallow and commits <= 1:
        return f"{repository.name} is a shallow clone without history: git fetch --unshallow"
    if since:
        return f"nothing was merged into {repository.name} since {since:%Y-%m-%d}"
    return f"{repository.name} has only its first commit: there is no history to replay"


def _notes(repository: Repository, commits: int) -> tuple[str, ...]:
    if not repository.is_shallow:
        return ()
    return (
        f"{repository.name} is a shallow clone: only the {commits} merges that are here count "
        "(git fetch --unshallow brings the rest)",
    )


def _document(objects: Objects, head: str, path: str) -> Document | None:
    text = objects.text(f"{head}:{path}", limit=MAX_SOURCE_BYTES)
    return None if text is None else Document(path, text)


def _attributes(repository: Repository, objects: Objects, head: str) -> dict[str, str]:
    """All `.gitattributes` of the newest commit."""
    names = repository.run("ls-tree", "-r", "-z", "--name-only", "--full-tree", head)
    paths = [
        name.decode("utf-8", "surrogateescape")
        for name in names.split(b"\0")
        if name.rpartition(b"/")[2] == ATTRIBUTES_PATH.encode()
    ]
    texts = {path: objects.text(f"{head}:{path}", limit=MAX_SOURCE_BYTES) for path in paths}
    return {path: text for path, text in texts.items() if text is not None}


def _fetched(
    repository: Repository,
    objects: Objects,
    merge: Merge,
    diff: bytes | None,
    attributes: Attributes,
) -> Fetched | None:
    if diff is None:
        return None
    try:
        objects.ask([merge.sha])
        change = parse_diff(diff, attributes=attributes)
        head = _commit(objects, merge.sha)
        base = Commit(merge.parent, (), "", "", "")  # only its files are looked at
        sources, _ = read_sources(objects, Span(base, head), change)
    except (DiffError, SourceError):
        return None
    change = with_kinds(change, attributes=attributes, base=sources.base)
    merged = _MERGED.match(head.subject)
    title, _, rest = head.body.partition("\n") if merged and head.body else (head.subject, "", "")
    branch = (merged[1] or merged[2]) if merged else ""
    return Fetched(
        change=replace(
            change,
            title=title,
            description=rest.strip() if merged else head.body,
            base=merge.parent,
            head=merge.sha,
            repository=repository.name,
        ),
        sources=sources,
        author=_author(objects, head),
        branch=branch,
    )


def _commit(objects: Objects, sha: str) -> Commit:
    found = objects.get(sha, limit=MAX_COMMIT_BYTES)
    if found is None or found.type != "commit":
        raise SourceError(f"no commit {sha}")
    return read_commit(found)


def _author(objects: Objects, head: Commit) -> str:
    """Who wrote what was merged: of a merge commit, the branch's last author."""
    if len(head.parents) < 2:
        return head.author
    merged = objects.get(head.parents[1], limit=MAX_COMMIT_BYTES)
    return read_commit(merged).author if merged and merged.type == "commit" else head.author


def _diffs(
    repository: Repository, merges: Sequence[Merge]
) -> Generator[tuple[Merge, bytes | None], None, None]:
    """Each merge's diff; None for one that is too long or that git can't make."""
    done = 0
    while done < len(merges):
        with closing(_batch(repository, merges[done:])) as batch:
            for diff in batch:
                yield merges[done], diff
                done += 1
        if done < len(merges):  # git gave up at this one or at the next
            yield merges[done], _alone(repository, merges[done])
            done += 1


def _alone(repository: Repository, merge: Merge) -> bytes | None:
    try:
        diff = repository.run(*DIFF, merge.parent, merge.sha, "--")
    except SourceError:
        return None
    return diff if len(diff) <= MAX_DIFF_BYTES else None


def _batch(repository: Repository, merges: Sequence[Merge]) -> Generator[bytes | None, None, None]:
    """The diffs of `merges` in order, of one process; fewer if git gives up."""
    options = (*DIFF, "--stdin", "--always")
    with repository.start(*options) as process:
        watch = threading.Timer(BATCH_SECONDS, process.kill)
        watch.start()
        try:
            if process.stdin is None or process.stdout is None:
                return
            questions = "".join(f"{merge.sha} {merge.parent}\n" for merge in merges)
            process.stdin.write(questions.encode("ascii"))
            process.stdin.close()
            parts: list[bytes] | None = None
            size = 0
            for line in process.stdout:
                if len(line) in (41, 65) and _HEADER.fullmatch(line):
                    if parts is not None:
                        yield _whole(parts, size)
                    parts, size = [], 0
                elif parts is not None:
                    size += len(line)
                    if size <= MAX_DIFF_BYTES:
                        parts.append(line)
            if parts is not None and process.wait() == 0:
                yield _whole(parts, size)
        finally:
            watch.cancel()
            process.kill()


def _whole(parts: list[bytes], size: int) -> bytes | None:
    return b"".join(parts) if size <= MAX_DIFF_BYTES else None
