"""A git range as a change, with the texts around it."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import chain
from pathlib import Path, PurePosixPath

from reviewbot.change.attributes import NO_ATTRIBUTES, Attributes
from reviewbot.change.kinds import with_kinds
from reviewbot.change.model import Change, FileChange, Side, Sources, Status
from reviewbot.change.parse import parse_diff
from reviewbot.change.source import (
    ATTRIBUTES_PATH,
    GUIDELINE_PATHS,
    MAX_SOURCE_BYTES,
    POLICY_PATH,
    Document,
    Fetched,
    wants_source,
)
from reviewbot.errors import SourceError
from reviewbot.git.objects import Objects
from reviewbot.git.plumbing import EMPTY_TREE, Repository, find_repository
from reviewbot.git.revisions import MAX_SUBJECTS, Revisions, Span

#: Texts read around one change, characters in all: past it files are reviewed from the diff alone.
MAX_ALL_SOURCES = 50_000_000
#: Files whose texts git is asked for at the same time.
ASKED_TOGETHER = 8
#: Folders above changed files in which attributes are looked for.
MAX_ATTRIBUTE_FOLDERS = 2_000

#: What decides how a diff looks; each wins over the settings of the repository.
DIFF = (
    "diff-tree",
    "-r",
    "-p",
    "--no-ext-diff",
    "--no-textconv",
    "--no-color",
    "--no-relative",
    "--full-index",
    "--find-renames=50%",
    "-l1000",
    "-U3",
    "--inter-hunk-context=0",
    "-O/dev/null",
    "--diff-algorithm=myers",
    "--indent-heuristic",
    "--src-prefix=a/",
    "--dst-prefix=b/",
    "--submodule=short",
    "--ignore-submodules=none",
    "--ws-error-highlight=none",
)


def read_range(folder: Path, spec: str | None) -> Fetched:
    """The change that `spec` names in the repository of `folder`; nothing uncommitted.

    `spec` is `A..B`, `A...B` (from their merge base), one revision (against its first parent), or
    None: this branch against its merge base with the default branch, or where it has nothing of
    its own, its last commit. Policy, guidelines and attributes are the base commit's.

    Raises SourceError in one clear line, DiffError if git's own diff can't be read.
    """
    repository = find_repository(folder)
    with Objects(repository) as objects:
        span = Revisions(repository, objects).span(spec)
        base = span.base.sha if span.base else None
        change = parse_diff(_diff(repository, span))
        attributes = _attributes(objects, base, change) if base else NO_ATTRIBUTES
        if attributes.lines:
            change = with_kinds(change, attributes=attributes)
        sources, notes = read_sources(objects, span, change)
        change = with_kinds(change, attributes=attributes, base=sources.base)
        return Fetched(
            change=_described(change, repository, span, spec),
            sources=sources,
            policy=_document(objects, base, POLICY_PATH, required=True),
            guidelines=tuple(
                document
                for path in GUIDELINE_PATHS
                if (document := _document(objects, base, path, required=False))
            ),
            author=span.head.author,
            branch=span.branch,
            notes=(*span.notes, *notes),
        )


def _diff(repository: Repository, span: Span) -> bytes:
    head = span.head.sha
    base = span.base.sha if span.base else EMPTY_TREE[len(head)]
    return repository.run(*DIFF, base, head, "--")


def _described(change: Change, repository: Repository, span: Span, spec: str | None) -> Change:
    """The change with its title and description: the commit's, or a list of the commits'."""
    if len(span.commits) == 1:
        title, description = span.commits[0].subject, span.commits[0].body
    else:
        title = span.branch or spec or span.head.short
        subjects = [f"- {commit.subject}" for commit in span.commits[:MAX_SUBJECTS]]
        more = ["- …"] if len(span.commits) > MAX_SUBJECTS else []
        description = "\n".join(subjects + more)
    return replace(
        change,
        title=title,
        description=description,
        base=span.base.sha if span.base else None,
        head=span.head.sha,
        repository=repository.name,
    )


def _attributes(objects: Objects, base: str, change: Change) -> Attributes:
    """Those of the base commit in every folder above a changed file."""
    paths = {file.path for file in change.files} | {file.old_path or "" for file in change.files}
    folders = sorted({folder for path in paths for folder in PurePosixPath(path).parents})
    texts: dict[str, str] = {}
    for folder in folders[:MAX_ATTRIBUTE_FOLDERS]:
        path = str(folder / ATTRIBUTES_PATH)
        text = objects.text(f"{base}:{path}", limit=MAX_SOURCE_BYTES)
        if text is not None:
            texts[path] = text
    return Attributes.of(texts)


def read_sources(objects: Objects, span: Span, change: Change) -> tuple[Sources, Iterator[str]]:
    """Texts of the files that are text and worth reading whole; notes on those that are not there."""
    head: dict[str, str] = {}
    base: dict[str, str] = {}
    room, left_out = MAX_ALL_SOURCES, 0
    wanted_of = [_wanted(span, file) for file in change.files if wants_source(file)]
    for at, wanted in enumerate(wanted_of):
        if at % ASKED_TOGETHER == 0:
            together = chain.from_iterable(wanted_of[at : at + ASKED_TOGETHER])
            objects.ask(expression for _, expression, _ in together)
        for side, expression, path in wanted:
            texts = head if side == "RIGHT" else base
            text = objects.text(expression, limit=min(MAX_SOURCE_BYTES, room))
            if text is None:
                left_out += 1
                break
            texts[path] = text
            room -= len(text)
    return Sources(head, base), _left_out(left_out)


def _wanted(span: Span, file: FileChange) -> list[tuple[Side, str, str]]:
    """The texts to look for: side, git's expression for it, path."""
    wanted: list[tuple[Side, str, str]] = []
    if file.status is not Status.DELETED:
        wanted.append(("RIGHT", f"{span.head.sha}:{file.path}", file.path))
    if file.status is not Status.ADDED and span.base:
        path = file.old_path or file.path
        wanted.append(("LEFT", f"{span.base.sha}:{path}", path))
    return wanted


def _left_out(count: int) -> Iterator[str]:
    if count:
        files = "1 file is" if count == 1 else f"{count} files are"
        yield f"{files} reviewed from the diff alone: not text, or too long to read whole"


def _document(objects: Objects, base: str | None, path: str, *, required: bool) -> Document | None:
    """The base commit's file at `path`, if it has one.

    Raises SourceError for one that is `required` if there is and can't be read: a policy that is
    passed over could let files leave that must not.
    """
    if base is None:
        return None
    found = objects.get(f"{base}:{path}", limit=MAX_SOURCE_BYTES)
    if found is None or found.type != "blob":
        return None
    if found.data is not None:
        try:
            return Document(path, found.data.decode())
        except UnicodeDecodeError:
            pass
    if required:
        raise SourceError(f"{path} at {base[:10]} is not UTF-8 text of at most 1 MB")
    return None
