"""The GraphQL query for review threads: resolved or not, by whom, and the reactions."""

from collections.abc import Mapping
from typing import Any

from github_simulator.access import covers
from github_simulator.apps import allows
from github_simulator.messages import Caller
from github_simulator.records import LineComment
from github_simulator.state import Pull, Repository

#: Threads of a page, and reactors of one reaction.
_FIRST = 50
ASKED = """
query($owner: String!, $name: String!, $number: Int!, $after: String) {
repository(owner: $owner, name: $name) { pullRequest(number: $number) {
state closedAt headRefOid
reviewThreads(first: 50, after: $after) { pageInfo { hasNextPage endCursor } nodes {
isResolved resolvedBy { login }
comments(first: 1) { nodes {
fullDatabaseId body createdAt originalLine originalCommit { oid }
author { __typename login } pullRequestReview { fullDatabaseId }
reactionGroups { content reactors(first: 50) {
edges { reactedAt node { __typename ... on User { login } } } } }
} } } } } } }
"""
THREADS_ASKED = """
query($owner: String!, $name: String!, $number: Int!, $after: String) {
repository(owner: $owner, name: $name) { pullRequest(number: $number) {
reviewThreads(first: 100, after: $after) { pageInfo { hasNextPage endCursor }
nodes { id isResolved comments(first: 1) { nodes { fullDatabaseId } } } } } } }
"""
RESOLVE_ASKED = """
mutation($thread: ID!) {
resolveReviewThread(input: {threadId: $thread}) { thread { isResolved } } }
"""
#: REST's names of reactions.
_CONTENTS = {
    "+1": "THUMBS_UP",
    "-1": "THUMBS_DOWN",
    "laugh": "LAUGH",
    "hooray": "HOORAY",
    "confused": "CONFUSED",
    "heart": "HEART",
    "rocket": "ROCKET",
    "eyes": "EYES",
}


def is_asked(query: str) -> bool:
    return query.split() in (ASKED.split(), THREADS_ASKED.split())


def resolves(query: str) -> bool:
    return query.split() == RESOLVE_ASKED.split()


def resolve(
    variables: Mapping[str, Any], repositories: Mapping[str, Repository], caller: Caller
) -> dict[str, Any]:
    """GitHub wants `contents: write` for it, whoever began the thread."""
    number = int(str(variables["thread"]).removeprefix("PRRT_"))
    for repository in repositories.values():
        for one in (each for pull in repository.pulls.values() for each in pull.threads):
            if one.id == number and covers(caller, repository):
                if not allows(caller.permissions, "contents", "write"):
                    return _failed(
                        "FORBIDDEN", ["resolveReviewThread"], {"resolveReviewThread": None}
                    )
                one.resolved_by = caller.login or ""
                return {"data": {"resolveReviewThread": {"thread": {"isResolved": True}}}}
    return _failed("NOT_FOUND", ["resolveReviewThread"], {"resolveReviewThread": None})


def answer(
    variables: Mapping[str, Any], repositories: Mapping[str, Repository], caller: Caller
) -> dict[str, Any]:
    repository = repositories.get(f"{variables['owner']}/{variables['name']}")
    if repository is None or (repository.private and not covers(caller, repository)):
        return _failed("NOT_FOUND", ["repository"], {"repository": None})
    if covers(caller, repository) and not allows(caller.permissions, "pull_requests", "read"):
        return _failed("FORBIDDEN", ["repository", "pullRequest"], {"repository": None})
    pull = repository.pulls.get(variables["number"])
    if pull is None:
        path = ["repository", "pullRequest"]
        return _failed("NOT_FOUND", path, {"repository": {"pullRequest": None}})
    return {"data": {"repository": {"pullRequest": _pull(repository, pull, variables["after"])}}}


def _failed(kind: str, path: list[str], data: dict[str, Any]) -> dict[str, Any]:
    error = {"type": kind, "path": path, "message": "Could not resolve, or not accessible"}
    return {"data": data, "errors": [error]}


def _pull(repository: Repository, pull: Pull, after: str | None) -> dict[str, Any]:
    firsts = [one for one in pull.threads if one.reply_to is None]
    start = int(after) if after else 0
    page = firsts[start : start + _FIRST]
    end = start + len(page)
    return {
        "state": "MERGED" if pull.merge else pull.state.upper(),
        "closedAt": pull.closed_at,
        "headRefOid": repository.ends(pull)[1],
        "reviewThreads": {
            "pageInfo": {"hasNextPage": end < len(firsts), "endCursor": str(end) if page else None},
            "nodes": [_thread(one) for one in page],
        },
    }


def _thread(first: LineComment) -> dict[str, Any]:
    comment = {
        "fullDatabaseId": str(first.id),
        "body": first.body,
        "createdAt": first.when,
        "originalLine": first.line,
        "originalCommit": {"oid": first.commit},
        "author": {"__typename": _kind(first.author), "login": first.author.removesuffix("[bot]")},
        "pullRequestReview": {"fullDatabaseId": str(first.review)},
        "reactionGroups": [_group(first, name, shown) for name, shown in _CONTENTS.items()],
    }
    return {
        "id": f"PRRT_{first.id}",
        "isResolved": bool(first.resolved_by),
        "resolvedBy": {"login": first.resolved_by} if first.resolved_by else None,
        "comments": {"nodes": [comment]},
    }


def _group(comment: LineComment, name: str, shown: str) -> dict[str, Any]:
    given = [one for one in comment.reactions if one.content == name][:_FIRST]
    return {
        "content": shown,
        "reactors": {
            "edges": [{"reactedAt": one.when, "node": _reactor(one.author)} for one in given]
        },
    }


def _reactor(login: str) -> dict[str, str]:
    """Only of people is a login asked."""
    kind = _kind(login)
    return {"__typename": kind, "login": login} if kind == "User" else {"__typename": kind}


def _kind(login: str) -> str:
    return "Bot" if login.endswith("[bot]") else "User"
