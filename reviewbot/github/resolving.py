"""Resolve the threads of findings that are fixed: GitHub lets only those who may write contents."""

from collections.abc import Collection, Iterator, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from reviewbot.github.calls import Calls, Unclear

if TYPE_CHECKING:
    from github import Github

#: What the token needs that resolves threads, beside all that a review needs.
RESOLVING: Mapping[str, str] = MappingProxyType(
    {"metadata": "read", "contents": "write", "pull_requests": "write"}
)
#: Pages of threads that are read: 1 000 threads.
_PAGES = 10
_WHAT = "resolving threads"
_THREADS = """
query($owner: String!, $name: String!, $number: Int!, $after: String) {
  repository(owner: $owner, name: $name) {
    pullRequest(number: $number) {
      reviewThreads(first: 100, after: $after) {
        pageInfo { hasNextPage endCursor }
        nodes { id isResolved comments(first: 1) { nodes { fullDatabaseId } } }
      }
    }
  }
}
"""
_RESOLVE = """
mutation($thread: ID!) {
  resolveReviewThread(input: {threadId: $thread}) { thread { isResolved } }
}
"""


def resolve_threads(
    client: "Github", repository: str, number: int, comments: Collection[int]
) -> int:
    """Resolve the threads that these comments began, unless they are; how many were not.

    Takes a request for each 100 threads, and one for each that is resolved. Raises GitHubError:
    Denied for a token that may not.
    """
    calls, resolved = Calls(client), 0
    for thread, comment in _open_threads(calls, repository, number):
        if comment in comments:
            calls.query(_RESOLVE, _WHAT, thread=thread)
            resolved += 1
    return resolved


def _open_threads(calls: Calls, repository: str, number: int) -> Iterator[tuple[str, int]]:
    owner, _, name = repository.partition("/")
    after: str | None = None
    for _ in range(_PAGES):
        data = calls.query(_THREADS, _WHAT, owner=owner, name=name, number=number, after=after)
        try:
            page: Any = data["repository"]["pullRequest"]["reviewThreads"]
            found = [
                (str(node["id"]), int(node["comments"]["nodes"][0]["fullDatabaseId"]))
                for node in page["nodes"]
                if not node["isResolved"] and node["comments"]["nodes"]
            ]
            more, after = page["pageInfo"]["hasNextPage"], page["pageInfo"]["endCursor"]
        except (KeyError, TypeError, ValueError, IndexError):
            raise Unclear(f"GitHub's answer makes no sense: {_WHAT}") from None
        yield from found
        if not more:
            return
