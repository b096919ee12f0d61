"""One issue that is written again and again: found by its hidden mark, edited, never doubled."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Literal, NamedTuple

from reviewbot.github.calls import Calls, Unclear, id_of, wrote

if TYPE_CHECKING:
    from github import Github

#: GitHub's longest title of an issue, characters.
MAX_TITLE = 256


class RepositoryFacts(NamedTuple):
    """What a repository is called now, and its id, which a rename keeps."""

    full_name: str
    id: int


class IssueText(NamedTuple):
    """What an issue says."""

    title: str
    body: str
    """Ends with the hidden mark."""


class Issued(NamedTuple):
    """What became of it."""

    outcome: Literal["created", "edited", "already", "taken over"]
    """`already`: it says so; `taken over`: it was not there, and somebody else makes it now."""
    number: int = 0


def repository_facts(client: "Github", repository: str) -> RepositoryFacts:
    """Raises GitHubError."""
    what = f"reading {repository}"
    found = Calls(client).get(f"/repos/{repository}", what)
    name = found.get("full_name")
    if not isinstance(name, str):
        raise Unclear(f"GitHub's answer makes no sense: {what}")
    return RepositoryFacts(name, id_of(found, what))


def put_issue(
    client: "Github",
    repository: str,
    text: IssueText,
    *,
    author: str,
    is_own: Callable[[str], bool],
    ours: Callable[[], bool] = lambda: True,
) -> Issued:
    """Have one issue of `author` say this; never waits.

    `is_own` knows its mark in a body; the same mark in somebody else's issue is nothing. After an
    unclear answer, call it again: it looks before it makes anything. `ours` says whether nobody
    has begun to after us; asked before an issue is made. Raises GitHubError.
    """
    calls, path = Calls(client), f"/repos/{repository}/issues"
    number, body = _find(calls, path, author, is_own)
    if number and body == text.body:
        return Issued("already", number)
    if number:
        calls.patch(f"{path}/{number}", "editing the report's issue", {"body": text.body})
        return Issued("edited", number)
    if not ours():
        return Issued("taken over")
    what = "making the report's issue"
    made = calls.post(path, what, {"title": text.title[:MAX_TITLE], "body": text.body})
    return Issued("created", id_of({"id": made.get("number")}, what))


def _find(calls: Calls, path: str, author: str, is_own: Callable[[str], bool]) -> tuple[int, str]:
    """The oldest such issue, open or closed, and what it says; 0 if there is none."""
    found = (0, "")
    for issue in calls.each(path, "listing issues", creator=author, state="all"):
        body = str(issue.get("body") or "")
        if "pull_request" not in issue and wrote(issue, author) and is_own(body):
            found = id_of({"id": issue.get("number")}, "listing issues"), body
    return found
