"""What the simulated GitHub knows: repositories, pull requests, limits."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from github_simulator import shapes
from github_simulator.content import Content, ListedFile
from github_simulator.hunks import moved_line, places
from github_simulator.records import CheckRun, Comment, Issue, LineComment, Review

#: Texts by path; None deletes.
Files = Mapping[str, str | bytes | None]


@dataclass(frozen=True)
class Limits:
    """GitHub's own, unless a test makes them smaller."""

    diff_files: int = 300
    diff_lines: int = 20_000
    diff_bytes: int = 1_000_000
    listed_files: int = 3000
    page_lines: int = 20_000
    """Lines of one page of files; what comes after is zeroed."""
    patch_lines: int = 20_000
    """Lines of one file's patch; a longer one is left out."""
    blob_text_bytes: int = 512_000
    """A blob's text is cut there."""
    annotations: int = 50
    """Of one request."""
    requests_an_hour: int = 5_000
    """Of an installation, or a person."""
    writes_a_minute: int | None = None
    """GitHub's is 80 (and 500 an hour); not counted unless set: tests squeeze days into seconds."""


@dataclass(frozen=True)
class Merge:
    """How a pull request was merged: its ends stay as they were then."""

    base: str
    head: str
    commit: str
    by: str


@dataclass
class Pull:
    """One pull request; its base and head are branches of the one content repository."""

    number: int
    title: str
    body: str | None
    base: str
    head: str
    author: str | None = "ada"
    labels: tuple[str, ...] = ()
    draft: bool = False
    head_repository: str | None = None
    """The fork it comes from."""
    state: str = "open"
    closed_at: str | None = None
    updated_at: str = shapes.WHEN
    merge: Merge | None = None
    reviews: list[Review] = field(default_factory=list)
    threads: list[LineComment] = field(default_factory=list)
    comments: list[Comment] = field(default_factory=list)


@dataclass
class Repository:
    """One repository."""

    full_name: str
    content: Content
    private: bool = False
    archived: bool = False
    pushed_at: str = shapes.WHEN
    pulls: dict[int, Pull] = field(default_factory=dict)
    collaborators: dict[str, str] = field(default_factory=dict)
    """Roles by login: read, triage, write, maintain, admin."""
    checks: list[CheckRun] = field(default_factory=list)
    has_issues: bool = True
    issues: dict[int, Issue] = field(default_factory=dict)
    _files: dict[tuple[str, str], list[ListedFile]] = field(default_factory=dict)

    def open_pull(self, head: str, *, title: str = "Change", **facts: Any) -> Pull:
        """A pull request of branch `head` against `main`."""
        number = self.next_number
        body = facts.pop("body", None)
        self.pulls[number] = Pull(number, title, body, facts.pop("base", "main"), head, **facts)
        return self.pulls[number]

    @property
    def next_number(self) -> int:
        """Issues and pull requests are counted together."""
        return len(self.pulls) + len(self.issues) + 1

    @property
    def id(self) -> int:
        return shapes.id_of(self.full_name)

    def push(self, pull: Pull, files: Files, *, message: str = "Change") -> str:
        """A new commit on the pull request's branch."""
        return self.content.commit(pull.head, files, message=message)

    def force_push(self, pull: Pull, files: Files, *, message: str = "Change") -> str:
        """The branch anew, from its base: whatever it had is gone."""
        start = self.content.merge_base(pull.base, pull.head)
        return self.content.commit(pull.head, files, message=message, start=start, force=True)

    def close(self, pull: Pull, *, when: str = shapes.WHEN) -> None:
        pull.state, pull.closed_at = "closed", when

    def reopen(self, pull: Pull) -> None:
        if pull.merge:
            raise ValueError("what is merged stays closed")
        pull.state, pull.closed_at = "open", None

    def merge(self, pull: Pull, *, by: str = "ada", when: str = shapes.WHEN) -> None:
        """Squashed into one commit on the base branch."""
        (base, head), files = self.ends(pull), dict[str, bytes | None]()
        for file in self.files(pull):
            if file.old_path:
                files[file.old_path] = None
            files[file.path] = self.content.blob(f"{head}:{file.path}")
        commit = self.content.commit(pull.base, files, message=pull.title)
        pull.merge = Merge(base, head, commit, by)
        self.close(pull, when=when)

    def change_base(self, pull: Pull, branch: str) -> None:
        self.content.resolve(branch)
        pull.base = branch

    def has_commit(self, pull: Pull, commit: str) -> bool:
        """Whether `commit` is one of the pull request's, as it is now."""
        base, head = self.ends(pull)
        return self.content.contains(head, commit) and not self.content.contains(base, commit)

    def present_line(self, pull: Pull, comment: LineComment) -> int | None:
        """The comment's line in the diff as it is now; None if it is outdated."""
        base, head = self.ends(pull)
        files = {file.path: file for file in self.files(pull)}
        if comment.path not in files:
            return None
        ends = (comment.commit, head)
        if comment.side == "LEFT":
            bases = (self.content.merge_base(base, commit) for commit in ends)
            ends = (next(bases), next(bases))
        line: int | None = comment.line
        if ends[0] != ends[1]:
            line = moved_line(self.content.changed_hunks(*ends, comment.path), comment.line)
        known = places(files[comment.path])
        return line if line is not None and (comment.side, line) in known else None

    def ends(self, pull: Pull) -> tuple[str, str]:
        """Commits of base and head as they are now, or were when it was merged."""
        if pull.merge:
            return pull.merge.base, pull.merge.head
        return self.content.resolve(pull.base), self.content.resolve(pull.head)

    def files(self, pull: Pull, commit: str | None = None) -> list[ListedFile]:
        """What the pull request changes; as of `commit` of it, or now."""
        base, head = self.ends(pull)
        return self.changed((base, commit or head))

    def changed(self, ends: tuple[str, str]) -> list[ListedFile]:
        """What the second commit changes since it left the first."""
        if ends not in self._files:
            self._files[ends] = self.content.files(*ends)
        return self._files[ends]

    def pull_json(self, api: str, pull: Pull) -> dict[str, Any]:
        base, head = self.ends(pull)
        here = shapes.repository(api, self.full_name, private=self.private)
        there = here
        if pull.head_repository:
            there = shapes.repository(api, pull.head_repository, private=False, fork=True)
        files = self.files(pull)
        facts = {
            "title": pull.title,
            "state": pull.state,
            "updated_at": pull.updated_at,
            "closed_at": pull.closed_at,
            "merged": pull.merge is not None,
            "merged_at": pull.closed_at if pull.merge else None,
            "merged_by": shapes.user(api, pull.merge.by) if pull.merge else None,
            "merge_commit_sha": pull.merge.commit if pull.merge else None,
            "comments": len(pull.comments),
            "review_comments": len(pull.threads),
            "body": pull.body,
            "user": shapes.user(api, pull.author) if pull.author else None,
            "labels": [shapes.label(api, self.full_name, name) for name in pull.labels],
            "draft": pull.draft,
            "base": shapes.end(api, here, pull.base, base),
            "head": shapes.end(api, there, pull.head, head),
            "additions": sum(file.additions for file in files),
            "deletions": sum(file.deletions for file in files),
            "changed_files": len(files),
        }
        return shapes.pull(api, self.full_name, pull.number, facts)

    def page_json(
        self, api: str, ends: tuple[str, str], limits: Limits, page: int, size: int
    ) -> tuple[list[dict[str, Any]], bool]:
        """One page of the files that are changed between two commits, and whether there are
        more."""
        head = ends[1]
        listed = self.changed(ends)[: limits.listed_files]
        items, lines, zeroed = [], 0, False
        for file in listed[(page - 1) * size : page * size]:
            zeroed = zeroed or (lines > 0 and lines + file.changes > limits.page_lines)
            lines += file.changes
            items.append(self._file_json(api, file, head, limits, zeroed=zeroed))
        return items, len(listed) > page * size

    def _file_json(
        self, api: str, file: ListedFile, head: str, limits: Limits, *, zeroed: bool
    ) -> dict[str, Any]:
        url = f"{api}/repos/{self.full_name}"
        item = {
            "sha": file.sha,
            "filename": file.path,
            "status": file.status,
            "additions": 0 if zeroed else file.additions,
            "deletions": 0 if zeroed else file.deletions,
            "changes": 0 if zeroed else file.changes,
            "blob_url": f"{url}/blob/{head}/file",
            "raw_url": f"{url}/raw/{head}/file",
            "contents_url": f"{url}/contents/file?ref={head}",
        }
        if file.old_path:
            item["previous_filename"] = file.old_path
        if file.patch is not None and not zeroed and file.changes <= limits.patch_lines:
            item["patch"] = file.patch
        return item
