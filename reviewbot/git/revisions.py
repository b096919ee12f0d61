"""From what a person types to two commits: revisions are hostile text until git resolved them."""

from dataclasses import dataclass, replace

from reviewbot.errors import SourceError
from reviewbot.git.commits import Commit, read_commit
from reviewbot.git.objects import Objects
from reviewbot.git.plumbing import Repository

#: Where the default branch is looked for, in this order.
DEFAULT_BRANCHES = (
    "refs/remotes/origin/HEAD",
    "refs/remotes/origin/main",
    "refs/remotes/origin/master",
    "refs/heads/main",
    "refs/heads/master",
)
#: Longest commit object read, bytes: messages of some projects quote whole logs.
MAX_COMMIT_BYTES = 10_000_000
#: Commits of a range that its description names.
MAX_SUBJECTS = 50


@dataclass(frozen=True)
class Span:
    """Two commits whose difference is the change."""

    base: Commit | None
    """None for the difference from nothing: a root commit."""
    head: Commit
    branch: str = ""
    """The head's branch, where it is one."""
    commits: tuple[Commit, ...] = ()
    """The commits between, newest first, at most `MAX_SUBJECTS` + 1."""
    notes: tuple[str, ...] = ()


class Revisions:
    """Resolves what people type in one repository."""

    def __init__(self, repository: Repository, objects: Objects) -> None:
        self._repository = repository
        self._objects = objects

    def span(self, spec: str | None) -> Span:
        """The commits of `A..B`, `A...B` (from their merge base), `REV` (against its first parent),
        or with None of this branch against its merge base with the default branch.

        Raises SourceError with what to type instead.
        """
        if spec is None:
            return self._branch()
        for dots in ("...", ".."):
            left, found, right = spec.partition(dots)
            if found:
                base, head = self.commit(left or "HEAD"), self.commit(right or "HEAD")
                if dots == "...":
                    base = self._merge_base(base, head, spec)
                return self._listed(base, head, self._branch_of(right or "HEAD"))
        return self._single(self.commit(spec), self._branch_of(spec))

    def commit(self, revision: str) -> Commit:
        """The commit that `revision` names. Raises SourceError if there is none."""
        try:
            found = self._find(revision)
        except SourceError:  # git gives up on some, as `@{upstream}` where there is none
            if revision == "HEAD":
                raise
            found = None
        if found is None:
            if revision == "HEAD":
                raise SourceError("no commit yet on this branch: commit first, or name a revision")
            shown = ascii(revision[:80])[1:-1]
            hint = (
                " (a shallow clone: git fetch --unshallow)" if self._repository.is_shallow else ""
            )
            raise SourceError(f"unknown revision `{shown}`{hint}")
        return found

    def _find(self, revision: str) -> Commit | None:
        found = self._objects.get(f"{revision}^{{commit}}", limit=MAX_COMMIT_BYTES)
        return None if found is None or found.data is None else read_commit(found)

    def _branch(self) -> Span:
        head = self.commit("HEAD")
        default = next((name for name in DEFAULT_BRANCHES if self._find(name)), None)
        if default is None:
            raise SourceError(
                "can't tell the default branch (no origin/HEAD, main or master): say the range, "
                "for example `reviewbot review BRANCH...HEAD`, or one commit: `reviewbot review HEAD`"
            )
        short = default.removeprefix("refs/remotes/").removeprefix("refs/heads/")
        base = self._merge_base(self.commit(default), head, f"{short}...HEAD")
        branch = self._repository.branch
        if base.sha == head.sha:
            span = self._single(head, branch)
            note = f"nothing here that {short} lacks: this is the last commit, {head.short}"
        else:
            span = self._listed(base, head, branch)
            note = f"{branch or head.short} against its merge base with {short}, {base.short}"
        return replace(span, notes=(f"{note}; uncommitted changes are not part of it",))

    def _single(self, head: Commit, branch: str) -> Span:
        if not head.parents:
            return Span(None, head, branch, (head,))
        base = self._find(head.parents[0])
        if base is None:
            raise SourceError(
                f"the parent of {head.short} is not in this clone: git fetch --deepen=1 "
                "(in a CI checkout: fetch-depth: 2 or 0)"
            )
        return Span(base, head, branch, (head,))

    def _branch_of(self, revision: str) -> str:
        if revision in ("HEAD", "@"):
            return self._repository.branch
        return revision if self._find(f"refs/heads/{revision}") else ""

    def _merge_base(self, one: Commit, other: Commit, spec: str) -> Commit:
        sha = (
            self._repository.run("merge-base", one.sha, other.sha, accepted=(0, 1)).decode().strip()
        )
        if sha:
            return self.commit(sha)
        if self._repository.is_shallow:
            raise SourceError(
                f"the merge base of {spec} is not in this shallow clone: git fetch --unshallow "
                "(in a CI checkout: fetch-depth: 0)"
            )
        raise SourceError(f"{spec}: no common history; compare the two ends with `A..B`")

    def _listed(self, base: Commit, head: Commit, branch: str) -> Span:
        most = f"--max-count={MAX_SUBJECTS + 1}"
        shas = self._repository.run("rev-list", most, head.sha, f"^{base.sha}", "--")
        return Span(base, head, branch, tuple(self.commit(sha) for sha in shas.decode().split()))
