"""Texts of a repository's files, many with one request."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from reviewbot.change.source import MAX_SOURCE_BYTES
from reviewbot.errors import SourceError
from reviewbot.github.client import plain_errors

if TYPE_CHECKING:
    from github import Github

#: Files asked for with one request: GitHub gives up on one after 10 s.
BATCH = 50

_FIELDS = "fragment B on Blob { text byteSize isBinary isTruncated }"


class Blob(NamedTuple):
    """One file."""

    text: str | None
    """None where it is binary or longer than `MAX_SOURCE_BYTES`."""


class Found(NamedTuple):
    """What stands at each `COMMIT:path`; None where nothing does."""

    blobs: Mapping[str, Blob | None]
    """Only expressions that GitHub answered."""
    problem: str
    """Why others are not there; empty if none is missing."""


def read_blobs(client: "Github", repository: str, expressions: Sequence[str]) -> Found:
    """Look up `COMMIT:path` expressions; never fails, but says what went wrong.

    Objects of a fork's branch are found through the repository that its pull request is made to.
    """
    if expressions and client.requester.auth is None:
        return Found({}, "GITHUB_TOKEN is not set")
    blobs: dict[str, Blob | None] = {}
    for start in range(0, len(expressions), BATCH):
        try:
            with plain_errors(client, f"files of {repository}"):
                blobs |= _read_batch(client, repository, expressions[start : start + BATCH])
        except SourceError as error:
            return Found(blobs, str(error))
    missing = len(set(expressions) - set(blobs))
    return Found(blobs, f"GitHub left out {missing} of them" if missing else "")


def _read_batch(client: "Github", repository: str, batch: Sequence[str]) -> dict[str, Blob | None]:
    owner, _, name = repository.partition("/")
    variables = {f"e{index}": expression for index, expression in enumerate(batch)}
    declared = "".join(f", ${key}: String!" for key in variables)
    fields = " ".join(f"{key}: object(expression: ${key}) {{ ...B }}" for key in variables)
    query = (
        f"query($owner: String!, $name: String!{declared}) "
        f"{{ repository(owner: $owner, name: $name) {{ {fields} }} }} {_FIELDS}"
    )
    requester = client.requester
    _, answer = requester.requestJsonAndCheck(
        "POST",
        requester.graphql_url,
        input={"query": query, "variables": {"owner": owner, "name": name, **variables}},
    )
    objects, failed = _understood(answer)
    return {
        expression: _blob(objects[key])
        for key, expression in variables.items()
        if key in objects and key not in failed
    }


def _understood(answer: Any) -> tuple[dict[str, Any], set[str]]:
    """Objects by alias, and aliases that GitHub reports errors for. Raises ValueError."""
    if not isinstance(answer, dict):
        raise ValueError("no answer to a GraphQL query")
    data = answer.get("data")
    repository = data.get("repository") if isinstance(data, dict) else None
    errors = answer.get("errors") or []
    paths = [error.get("path") for error in errors if isinstance(error, dict)]
    failed = {str(path[-1]) for path in paths if isinstance(path, list) and path}
    return repository if isinstance(repository, dict) else {}, failed


def _blob(item: Any) -> Blob | None:
    if not isinstance(item, dict) or "byteSize" not in item:
        return None  # nothing there, or no file: a folder, a submodule
    whole = not item.get("isBinary") and not item.get("isTruncated")
    text = item.get("text") if whole and item["byteSize"] <= MAX_SOURCE_BYTES else None
    return Blob(text if isinstance(text, str) else None)
