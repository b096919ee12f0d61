"""What every answer's form has in common: a closed JSON schema, and JSON that is not trusted."""

from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

Form = TypeVar("Form", bound=BaseModel)


def closed_schema(model: type[BaseModel]) -> dict[str, Any]:
    """The JSON schema of an answer: references resolved, every object closed, all keys required.

    It holds only what all engines' structured outputs take (types, enums, descriptions of keys);
    bounds are enforced by who reads the answer.
    """
    schema = model.model_json_schema()
    definitions = schema.pop("$defs", {})

    def plain(node: Any) -> Any:
        if isinstance(node, Mapping):
            if "$ref" in node:
                return plain(definitions[node["$ref"].rsplit("/", 1)[1]])
            kept = {key: plain(value) for key, value in node.items() if key != "title"}
            if "properties" in node:
                kept["properties"] = {k: plain(v) for k, v in node["properties"].items()}
                kept["required"] = list(node["properties"])
                kept["additionalProperties"] = False
            if "properties" in node or node.get("enum"):
                kept.pop("description", None)  # a docstring: written for us
            return kept
        return [plain(item) for item in node] if isinstance(node, list) else node

    closed: dict[str, Any] = plain(schema)
    return closed


def unfenced(text: str) -> str:
    """The text without the code fence that models like to put around JSON."""
    text = text.strip()
    return text.strip("`").removeprefix("json").strip() if text.startswith("```") else text


def read_whole(model: type[Form], text: str) -> Form | None:
    """The answer, if the whole text is one of this form; never raises."""
    try:
        return model.model_validate_json(unfenced(text), strict=True)
    except ValidationError:
        return None
