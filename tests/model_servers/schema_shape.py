"""Which JSON schemas the structured-output APIs take: a small closed subset."""

from collections.abc import Iterator
from typing import Any

_TYPES = {"object", "array", "string", "integer", "number", "boolean", "null"}
_KEYWORDS = {
    "type", "properties", "required", "additionalProperties", "items", "enum", "const", "anyOf",
    "allOf", "description", "title", "$ref", "$defs", "default", "format", "minItems",
}  # fmt: skip


def schema_problems(schema: Any, where: str = "schema", *, all_required: bool) -> Iterator[str]:
    """What of `schema` is refused: unknown keywords (bounds, patterns, lengths), open objects and,
    with `all_required` (OpenAI's strict mode), optional properties."""
    if not isinstance(schema, dict):
        yield f"{where}: not an object"
        return
    for key in schema.keys() - _KEYWORDS:
        yield f"{where}: keyword {key!r} is not supported"
    if not {"type", "anyOf", "allOf", "enum", "const", "$ref"} & schema.keys():
        yield f"{where}: needs a type"
    kind = schema.get("type")
    if kind is not None and kind not in _TYPES:
        yield f"{where}: type {kind!r} is not supported"
    if schema.get("minItems", 0) not in (0, 1):
        yield f"{where}: minItems above 1 is not supported"
    if kind == "object":
        if schema.get("additionalProperties") is not False:
            yield f"{where}: additionalProperties must be false"
        properties = schema.get("properties", {})
        if all_required and set(schema.get("required", [])) != set(properties):
            yield f"{where}: every property must be required"
        for name, child in properties.items():
            yield from schema_problems(child, f"{where}.{name}", all_required=all_required)
    if kind == "array":
        yield from schema_problems(schema.get("items"), f"{where}[]", all_required=all_required)
    for child in schema.get("anyOf", []):
        yield from schema_problems(child, f"{where}|", all_required=all_required)
