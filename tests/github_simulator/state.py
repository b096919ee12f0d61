"""What the simulated GitHub knows: repositories, pull requests, limits."""

from dataclasses import dataclass, field
from typing import Any

from github_simulator import shapes
from github_simulator.content import Content, ListedFile


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


@dataclass
class Repository:
    """One repository."""

    full_name: str
    content: Content
    private: bool = False
    pulls: dict[int, Pull] = field(default_factory=dict)
    _files: dict[tuple[str, str], list[ListedFile]] = field(default_factory=dict)

    def open_pull(self, head: str, *, title: str = "Change", **facts: Any) -> Pull:
        """A pull request of branch `head` against `main`."""
        number = len(self.pulls) + 1
        body = facts.pop("body", None)
        self.pulls[number] = Pull(number, title, body, facts.pop("base", "main"), head, **facts)
        return self.pulls[number]

    def ends(self, pull: Pull) -> tuple[str, str]:
        """Commits of base and head as they are now."""
        return self.content.resolve(pull.base), self.content.resolve(pull.head)

    def files(self, pull: Pull) -> list[ListedFile]:
        ends = self.ends(pull)
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
        self, api: str, pull: Pull, limits: Limits, page: int, size: int
    ) -> tuple[list[dict[str, Any]], bool]:
        """One page of the pull request's files, and whether there are more."""
        _, head = self.ends(pull)
        listed = self.files(pull)[: limits.listed_files]
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
