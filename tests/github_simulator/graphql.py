"""The GraphQL queries that are asked: texts of files, review threads, whose token it is."""

import re
from typing import Any

from github_simulator import conversations
from github_simulator.access import check_query
from github_simulator.messages import Caller
from github_simulator.state import Limits, Repository

_SHAPE = re.compile(
    r"query\((?P<declared>[^)]*)\) \{ repository\(owner: \$owner, name: \$name\) "
    r"\{ (?P<fields>.*) \} \} fragment B on Blob \{ text byteSize isBinary isTruncated \}"
)
#: REST's `/user` knows persons only; this also says `slug[bot]` to an installation.
_WHO = "query { viewer { login } }"
_FIELD = re.compile(r"(\w+): object\(expression: \$(\w+)\) \{ \.\.\.B \}")


def answer_query(
    body: dict[str, Any], repositories: dict[str, Repository], limits: Limits, caller: Caller
) -> dict[str, Any]:
    """The answer to `repository { alias: object(expression: …) }`."""
    query, variables = body["query"], body.get("variables", {})
    if query == _WHO:
        return {"data": {"viewer": {"login": caller.login}}}
    if conversations.resolves(query):
        return conversations.resolve(variables, repositories, caller)
    if conversations.is_asked(query):
        return conversations.answer(variables, repositories, caller)
    shape = _SHAPE.fullmatch(query)
    if shape is None:
        return {"errors": [{"message": "Parse error"}]}
    declared = {part.strip() for part in shape["declared"].split(",")}
    fields = _FIELD.findall(shape["fields"])
    undeclared = {f"${name}: String!" for name in variables} ^ declared
    if undeclared or " ".join(_FIELD.sub("", shape["fields"]).split()):
        return {"errors": [{"message": f"Variables or fields are wrong: {sorted(undeclared)}"}]}
    repository = repositories.get(f"{variables['owner']}/{variables['name']}")
    if repository is None:
        error = {"type": "NOT_FOUND", "path": ["repository"], "message": "Could not resolve"}
        return {"data": {"repository": None}, "errors": [error]}
    if refused := check_query(caller, repository):
        return {"data": {"repository": None}, "errors": [{"path": ["repository"], **refused}]}
    found = {alias: _blob(repository, variables[name], limits) for alias, name in fields}
    return {"data": {"repository": found}}


def _blob(repository: Repository, expression: str, limits: Limits) -> dict[str, Any] | None:
    data = repository.content.blob(expression)
    if data is None:
        return {} if repository.content.exists(expression) else None
    try:
        text = None if b"\0" in data else data.decode()
    except UnicodeDecodeError:
        text = None
    return {
        "text": text and text[: limits.blob_text_bytes],
        "byteSize": len(data),
        "isBinary": text is None,
        "isTruncated": text is not None and len(data) > limits.blob_text_bytes,
    }
