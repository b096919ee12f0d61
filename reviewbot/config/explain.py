"""Turns pydantic's errors into sentences for the people who wrote the file."""

import difflib
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple, get_args

from pydantic import BaseModel


class Problem(NamedTuple):
    """One thing that is wrong with a document."""

    place: tuple[str | int, ...]
    text: str
    hint: str


def problem_of(model: type[BaseModel], details: Mapping[str, Any]) -> Problem:
    """Say one of pydantic's error details in words, with the likely fix."""
    place: tuple[str | int, ...] = tuple(details["loc"])
    kind, value, context = details["type"], details.get("input"), details.get("ctx", {})
    name = _name(place)
    if kind == "extra_forbidden":
        return Problem(place, f"unknown key {name}", _nearest(str(place[-1]), _keys(model, place)))
    if kind == "missing":
        inside = f" in {_name(place[:-1])}" if len(place) > 1 else ""
        return Problem(place[:-1], f"`{place[-1]}` is missing{inside}", "")
    if kind in ("model_type", "model_attributes_type", "dict_type"):
        return Problem(place, f"{name} must hold keys, not {_shown(value)}", "")
    if kind in ("tuple_type", "list_type"):
        hint = f"write [{value}]" if isinstance(value, str) and len(value) < 60 else ""
        return Problem(place, f"{name} must be a list, not {_shown(value)}", hint)
    if kind in ("too_long", "too_short"):
        bound = "at most" if kind == "too_long" else "at least"
        most = context["max_length" if kind == "too_long" else "min_length"]
        return Problem(place, f"{name} must have {bound} {most} entries", "")
    if kind == "literal_error":
        expected = context["expected"]
        choices = [choice.strip("'") for choice in expected.replace(" or ", ", ").split(", ")]
        text = f"{name} must be {expected}, not {_shown(value)}"
        return Problem(place, text, _nearest(str(value), choices, tell=False))
    if kind == "string_type" and isinstance(value, int | float):
        return Problem(place, f"{name} must be text, not {_shown(value)}", "put it in quotes")
    message = details["msg"].removeprefix("Value error, ").removeprefix("Input ")
    if "hint" in context:
        return Problem(place, f"{name}: {message}", context["hint"])
    return Problem(place, f"{name} {message}, not {_shown(value)}", "")


def _name(place: tuple[str | int, ...]) -> str:
    """`route.rules[2].added`, as people write places."""
    parts = [f"[{part}]" if isinstance(part, int) else f".{part}" for part in place]
    return f"`{''.join(parts).lstrip('.')[:120]}`" if parts else "the file"


def _shown(value: Any) -> str:
    if value is None:
        return "empty"
    if isinstance(value, dict | list):
        return "a list" if isinstance(value, list) else "keys"
    text = str(value).lower() if isinstance(value, bool) else repr(value)
    return text if len(text) <= 60 else text[:57] + "…"


def _nearest(name: str, known: list[str], *, tell: bool = True) -> str:
    near = difflib.get_close_matches(name[:60], known, 1, 0.5)
    if near:
        return f"did you mean `{near[0]}`?"
    return f"known here: {', '.join(known)}" if tell and known else ""


def _keys(model: type[BaseModel], place: tuple[str | int, ...]) -> list[str]:
    """The keys known where `place` ends."""
    models: list[type[BaseModel]] = [model]
    for part in place[:-1]:
        found: list[type[BaseModel]] = []
        for each in models:
            for key, info in each.model_fields.items():
                if part == (info.alias or key):
                    found.extend(_models_in(info.annotation))
        models = found or models
    return [info.alias or key for each in models for key, info in each.model_fields.items()]


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in get_args(annotation):
        yield from _models_in(inner)
