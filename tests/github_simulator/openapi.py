"""GitHub's published OpenAPI description as an independent check, where it is at hand."""

import gzip
import json
import os
import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from github_simulator.messages import Request

if TYPE_CHECKING:
    from jsonschema import Draft7Validator

#: Items of a list that are checked: validation is slow, and they are all made alike.
MOST_ITEMS = 3

_BESIDE = Path(__file__).parents[3] / "shared" / "github" / "openapi.json.gz"


@cache
def description() -> dict[str, Any] | None:
    """The description named by REVIEWBOT_TEST_GITHUB_OPENAPI, or the one beside the checkout."""
    path = Path(os.environ.get("REVIEWBOT_TEST_GITHUB_OPENAPI", "") or _BESIDE)
    if not path.is_file():
        return None
    with gzip.open(path) as file:
        return _as_json_schema(json.load(file))


def problems(request: Request, status: int, answer: Any) -> list[str]:
    """What GitHub's description says against a request that was done, and its answer."""
    known = description()
    if known is None:
        return []
    method, path, query = request.method, request.path, request.query
    template = _template(path)
    operation = known["paths"].get(template, {}).get(method.lower()) if template else None
    if operation is None:
        return [f"{method} {path}: no such operation"]
    refs = (parameter.get("$ref") for parameter in operation.get("parameters", ()))
    given = [known["components"]["parameters"][ref.rpartition("/")[2]] for ref in refs if ref]
    given += [parameter for parameter in operation.get("parameters", ()) if "$ref" not in parameter]
    names = {parameter["name"] for parameter in given if parameter["in"] == "query"}
    found = [f"{method} {path}: no parameter {name}" for name in query if name not in names]
    if status >= 300:
        return found
    if asked := _request_schema(template, method.lower()):
        found += [f"{method} {path}: {text}" for text in _unknown(asked, request.body)]
        found += _errors(f"{method} {path}", asked, request.body or {})
    if isinstance(answer, str):
        return found
    told = _answer_schema(template, method.lower(), str(status))
    if told is None:
        return [*found, f"{method} {path}: never answers {status}"]
    answer = answer[:MOST_ITEMS] if isinstance(answer, list) else answer
    return found + _errors(path, told, _without_nulls(answer))


def _errors(place: str, validator: "Draft7Validator", value: Any) -> list[str]:
    return [f"{place}: {error.message[:200]}" for error in validator.iter_errors(value)]


def _unknown(validator: "Draft7Validator", body: Any) -> list[str]:
    """Fields that the description does not have, which GitHub would silently ignore."""
    known: set[str] = set()
    for schema in (validator.schema, *validator.schema.get("anyOf", ())):
        known |= set(schema.get("properties", ()))
    given = body if isinstance(body, dict) else {}
    return [f"no field {name}" for name in given if known and name not in known]


def _without_nulls(answer: Any) -> Any:
    """Outdated comments have no line: GitHub says null, whatever its description says."""
    if isinstance(answer, list):
        return [_without_nulls(item) for item in answer]
    if not isinstance(answer, dict):
        return answer
    gone = [name for name in ("line", "position") if answer.get(name, 0) is None]
    return {name: value for name, value in answer.items() if name not in gone}


@cache
def _answer_schema(template: str, method: str, status: str) -> "Draft7Validator | None":
    known = description()
    assert known
    answers = known["paths"][template][method]["responses"]
    if status not in answers:
        return None
    answer = answers[status]
    if "$ref" in answer:
        answer = known["components"]["responses"][answer["$ref"].rpartition("/")[2]]
    content = answer.get("content", {}).get("application/json", {"schema": {}})
    return _validator(content["schema"])


@cache
def _request_schema(template: str, method: str) -> "Draft7Validator | None":
    known = description()
    assert known
    body = known["paths"][template][method].get("requestBody")
    if body is None:
        return None
    return _validator(body["content"]["application/json"]["schema"])


def _validator(schema: dict[str, Any]) -> "Draft7Validator":
    # needed only where the description is: the demonstration runs without this package
    from jsonschema import Draft7Validator

    known = description()
    assert known
    return Draft7Validator({**schema, "components": known["components"]})


@cache
def _template(path: str) -> str | None:
    """The described path that fits; the one with the fewest placeholders."""
    known = description()
    assert known
    for template in sorted(known["paths"], key=lambda template: template.count("{")):
        parts = re.split(r"(\{\w+\})", template)
        pattern = "".join(
            (".+" if part == "{path}" else "[^/]+") if part.startswith("{") else re.escape(part)
            for part in parts
        )
        if re.fullmatch(pattern, path):
            return template
    return None


def _as_json_schema(node: Any) -> Any:
    """OpenAPI 3.0's `nullable` in JSON Schema's words; formats are advice."""
    if isinstance(node, list):
        return [_as_json_schema(item) for item in node]
    if not isinstance(node, dict):
        return node
    plain = {key: _as_json_schema(value) for key, value in node.items() if key != "example"}
    if "Enterprise" in [part.get("title") for part in plain.get("allOf", ())]:
        plain["anyOf"] = plain.pop("allOf")  # an account is one or the other, never both
    if plain.pop("nullable", None) is True:
        return {"anyOf": [plain, {"type": "null"}]}
    return plain
