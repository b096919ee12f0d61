"""What people did at our comments on lines: threads resolved, thumbs, all in one request.

GraphQL names an App's bot without the `[bot]` of REST, and says of everybody what they are: people
are of the type User.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from reviewbot.github.calls import Calls, Denied, Unclear

if TYPE_CHECKING:
    from github import Github

#: Pages of threads that are read: 1 000 threads.
MAX_PAGES = 20

State = Literal["open", "closed", "merged"]
_STATES: Mapping[str, State] = {"OPEN": "open", "CLOSED": "closed", "MERGED": "merged"}
_SHA = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?", re.ASCII)
_WHAT = "reading review threads"
# No larger pages: GitHub gives up on a query after 10 s.
_QUERY = """
query($owner: String!, $name: String!, $number: Int!, $after: String) {
  repository(owner: $owner, name: $name) {
    pullRequest(number: $number) {
      state closedAt headRefOid
      reviewThreads(first: 50, after: $after) {
        pageInfo { hasNextPage endCursor }
        nodes {
          isResolved
          resolvedBy { login }
          comments(first: 1) {
            nodes {
              fullDatabaseId body createdAt originalLine
              originalCommit { oid }
              author { __typename login }
              pullRequestReview { fullDatabaseId }
              reactionGroups {
                content
                reactors(first: 50) {
                  edges { reactedAt node { __typename ... on User { login } } }
                }
              }
            }
          }
        }
      }
    }
  }
}
"""


class Thumb(NamedTuple):
    """A person's 👍 or 👎."""

    up: bool
    by: str
    at: datetime


@dataclass(frozen=True)
class OwnThread:
    """A thread that a comment of ours began."""

    comment_id: int
    review_id: int
    """GitHub's id of the review that the comment is in."""
    commit: str
    """What it was posted on."""
    line: int | None
    """The last line, as it was numbered then."""
    body: str
    posted_at: datetime
    resolved: bool
    resolved_by: str
    """Login of the person; empty unless a person resolved it."""
    thumbs: tuple[Thumb, ...]


@dataclass(frozen=True)
class Conversation:
    """A pull request, how it stands, and our threads on it."""

    state: State
    ended_at: datetime | None
    """None while it is open."""
    head: str
    threads: tuple[OwnThread, ...]


def read_conversation(
    client: "Github", repository: str, number: int, *, author: str
) -> Conversation:
    """Takes one request for each 50 threads. `author` is our own login.

    Raises GitHubError; Unclear for an answer that makes no sense.
    """
    owner, _, name = repository.partition("/")
    calls, after, threads = Calls(client), None, list[OwnThread]()
    for _ in range(MAX_PAGES):
        data = calls.query(_QUERY, _WHAT, owner=owner, name=name, number=number, after=after)
        try:
            pull = data["repository"]["pullRequest"]
            if pull is None:
                raise Denied(f"there is no such pull request: {_WHAT}", 404)
            page = pull["reviewThreads"]
            threads += _own(page["nodes"], author)
            more = page["pageInfo"]
            if not more["hasNextPage"]:
                break
            after = str(more["endCursor"])
        except (KeyError, TypeError, ValueError):
            raise Unclear(f"GitHub's answer makes no sense: {_WHAT}") from None
    return _conversation(pull, threads)


def renamed_files(client: "Github", repository: str, before: str, after: str) -> dict[str, str]:
    """Old path → new path of files renamed between two commits; of at most 300 changed files."""
    path = f"/repos/{repository}/compare/{before}...{after}"
    files = Calls(client).get(path, "comparing commits", per_page=1).get("files")
    return {
        str(file["previous_filename"]): str(file.get("filename"))
        for file in (files if isinstance(files, list) else ())
        if isinstance(file, dict)
        and file.get("status") == "renamed"
        and "previous_filename" in file
    }


def _conversation(pull: Mapping[str, Any], threads: Sequence[OwnThread]) -> Conversation:
    try:
        state, head = _STATES[pull["state"]], pull["headRefOid"]
        ended = None if state == "open" else _moment(pull["closedAt"])
        if not _SHA.fullmatch(head):
            raise ValueError(head)
        return Conversation(state, ended, head, tuple(threads))
    except (KeyError, TypeError, ValueError):
        raise Unclear(f"GitHub's answer makes no sense: {_WHAT}") from None


def _own(nodes: Sequence[Any], author: str) -> Iterator[OwnThread]:
    """Raises KeyError, TypeError or ValueError for what GitHub would not say."""
    for node in nodes:
        comments = node["comments"]["nodes"]
        if not comments or not _wrote(comments[0]["author"], author):
            continue
        comment, by = comments[0], node["resolvedBy"]
        yield OwnThread(
            comment_id=int(comment["fullDatabaseId"]),
            review_id=int(comment["pullRequestReview"]["fullDatabaseId"]),
            commit=str((comment["originalCommit"] or {}).get("oid")),
            line=line if isinstance(line := comment["originalLine"], int) else None,
            body=str(comment["body"]),
            posted_at=_moment(comment["createdAt"]),
            resolved=bool(node["isResolved"]),
            resolved_by=_person(by) if by else "",
            thumbs=tuple(_thumbs(comment["reactionGroups"] or ())),
        )


def _wrote(actor: Mapping[str, Any] | None, author: str) -> bool:
    slug = author.removesuffix("[bot]")
    kind = "Bot" if slug != author else "User"
    if not actor:  # a deleted account
        return False
    return (
        actor["__typename"] == kind
        and str(actor["login"]).casefold().removesuffix("[bot]") == slug.casefold()
    )


def _person(user: Mapping[str, Any]) -> str:
    login = str(user["login"])
    return "" if login.endswith("[bot]") else login


def _thumbs(groups: Sequence[Any]) -> Iterator[Thumb]:
    for group in groups:
        if group["content"] not in ("THUMBS_UP", "THUMBS_DOWN"):
            continue
        for edge in group["reactors"]["edges"]:
            node = edge["node"]
            if node and node["__typename"] == "User" and (login := _person(node)):
                yield Thumb(group["content"] == "THUMBS_UP", login, _moment(edge["reactedAt"]))


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
