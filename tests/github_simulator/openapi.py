"""GitHub's published OpenAPI description as an independent check, where it is at hand."""

import gzip
import json
import os
import re
from functools import cache
from pathlib import Path
from typing import Any

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


def problems(method: str, path: str, query: dict[str, str], status: int, answer: Any) -> list[str]:
    """What GitHub's description says against a request and its answer."""
    known = description()
    if known is None:
        return []
    template = _template(path)
    operation = known["paths"].get(template, {}).get(method.lower()) if template else None
    if operation is None:
        return [f"{method} {path}: no such operation"]
    refs = (parameter.get("$ref") for parameter in operation["parameters"])
    given = [known["components"]["parameters"][ref.rpartition("/")[2]] for ref in refs if ref]
    given += [parameter for parameter in operation["parameters"] if "$ref" not in parameter]
    names = {parameter["name"] for parameter in given if parameter["in"] == "query"}
    found = [f"{method} {path}: no parameter {name}" for name in query if name not in names]
    if status == 200 and not isinstance(answer, str):
        validator = _validator(template, method.lower())
        answer = answer[:MOST_ITEMS] if isinstance(answer, list) else answer
        found += [f"{path}: {error.message[:200]}" for error in validator.iter_errors(answer)]
    return found


@cache
def _validator(template: str, method: str) -> Draft7Validator:
    known = description()
    assert known
    answer = known["paths"][template][method]["responses"]["200"]["content"]["application/json"]
    return Draft7Validator({**answer["schema"], "components": known["components"]})


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
    if plain.pop("nullable", None) is True:
        return {"anyOf": [plain, {"type": "null"}]}
    return plain
