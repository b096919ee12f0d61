"""One loader for every YAML file that people write: rules, policy, prices. All may be hostile.

The file is read as a stream of events, never composed, so that neither depth nor aliases can
cost more than the text is long. Plain scalars follow YAML 1.2 (only `true` and `false` are
booleans, no dates, no octal numbers); everything else stays text.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import BaseModel, ValidationError

from reviewbot.config.explain import problem_of
from reviewbot.errors import DocumentError

if TYPE_CHECKING:
    from yaml.events import Event

ModelT = TypeVar("ModelT", bound=BaseModel)

#: A repository's policy: 64 KB is some thousand lines.
MAX_BYTES = 64 * 1024
#: Nested lists and mappings; the deepest known document has 7.
MAX_DEPTH = 20

Place = tuple[str | int, ...]
"""Keys and indices from the top of a document to a value."""

_NULL = frozenset(("", "~", "null", "Null", "NULL"))
_BOOL = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_INT = re.compile(r"[-+]?[0-9]{1,18}")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]{1,20}|[0-9]{1,20}(?:\.[0-9]{0,20})?)(?:[eE][-+]?[0-9]{1,3})?")


@dataclass(frozen=True)
class ParsedDocument:
    """Plain data, and where each part of it stands."""

    source: str
    """The file's name, for errors."""
    data: Any
    """Mappings with text keys, lists, text, numbers, booleans, None."""
    lines: Mapping[Place, int]
    """Line (from 1) of every key and list item."""

    def line(self, place: Place) -> int | None:
        """The line of the value at `place`, or of the nearest one above that has a line."""
        for end in range(len(place), -1, -1):
            if place[:end] in self.lines:
                return self.lines[place[:end]]
        return None


def load_document(text: str | bytes, source: str, *, max_bytes: int = MAX_BYTES) -> ParsedDocument:
    """Read one YAML document.

    Raises DocumentError for anything that is not plain YAML of at most `max_bytes` bytes and
    `MAX_DEPTH` levels: aliases, anchors, tags, duplicate keys and second documents are refused.
    """
    # yaml costs 0.09 s to import; most commands need no document
    import yaml

    plain = _decoded(text, source, max_bytes)
    builder = _Builder(source)
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        for event in yaml.parse(plain, Loader=loader):
            builder.take(event)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        problem = getattr(error, "problem", None) or str(error).splitlines()[0]
        line = mark.line + 1 if mark else None
        hint = _syntax_hint(problem, _line_of(plain, mark.line) if mark else "")
        raise DocumentError(source, line, f"not YAML: {problem}", hint) from None
    return ParsedDocument(source, builder.root, builder.lines)


def validate(model: type[ModelT], document: ParsedDocument) -> ModelT:
    """Make a `model` of a document; an empty document has no keys.

    Raises DocumentError with the first problem's line, and for an unknown key the nearest
    known name.
    """
    try:
        return model.model_validate({} if document.data is None else document.data)
    except ValidationError as error:
        # a list of which every item is wrong is reported as empty, too: its items say why
        details = error.errors(include_url=False)
        inner = {place[:end] for d in details for place in [d["loc"]] for end in range(len(place))}
        told = [d for d in details if d["type"] != "too_short" or tuple(d["loc"]) not in inner]
        problems = [problem_of(model, d) for d in told]
        # a list of which an item is wrong is also said to be too short: tell the cause only
        inner = {problem.place[:end] for problem in problems for end in range(len(problem.place))}
        problems = [problem for problem in problems if problem.place not in inner]
        problems.sort(key=lambda problem: document.line(problem.place) or 0)
        first, more = problems[0], len(problems) - 1
        hint = "; ".join(filter(None, (first.hint, f"and {more} more" if more else "")))
        raise DocumentError(document.source, document.line(first.place), first.text, hint) from None


def _decoded(text: str | bytes, source: str, max_bytes: int) -> str:
    try:
        raw = text.encode() if isinstance(text, str) else text
        if len(raw) > max_bytes:
            size, most = len(raw) // 1024, max_bytes // 1024
            raise DocumentError(source, None, f"too large: {size} KB, the limit is {most} KB")
        return raw.decode("utf-8-sig")
    except UnicodeError:
        raise DocumentError(source, None, "not UTF-8 text", "save the file as UTF-8") from None


def _line_of(text: str, index: int) -> str:
    lines = text.split("\n")
    return lines[index] if index < len(lines) else ""


def _syntax_hint(problem: str, line: str) -> str:
    if "\t" in line[: len(line) - len(line.lstrip())]:
        return "indent with spaces, not tabs"
    if "escape" in problem:
        return "write patterns in single quotes"
    if "mapping values" in problem or "start any token" in problem or "block end" in problem:
        return "put text that holds `: `, `#`, `*`, `[` or `@` in single quotes; check the indent"
    return ""


@dataclass
class _Open:
    """A list or mapping whose end has not come yet."""

    items: Any
    place: Place
    key: str | None = None
    """The key whose value comes next; None in a list or before a key."""


@dataclass
class _Builder:
    source: str
    root: Any = None
    lines: dict[Place, int] = field(default_factory=dict)
    stack: list[_Open] = field(default_factory=list)
    documents: int = 0

    def take(self, event: "Event") -> None:
        kind = type(event).__name__
        line = mark.line + 1 if (mark := event.start_mark) else 0
        if kind in ("ScalarEvent", "MappingStartEvent", "SequenceStartEvent", "AliasEvent"):
            self._refuse_cleverness(event, line)
        if kind == "ScalarEvent":
            self._scalar(event, line)
        elif kind in ("MappingStartEvent", "SequenceStartEvent"):
            items: Any = {} if kind == "MappingStartEvent" else []
            place = self._put(items, line)
            if len(self.stack) >= MAX_DEPTH:
                raise self._error(line, f"nested deeper than {MAX_DEPTH} levels")
            self.stack.append(_Open(items, place))
        elif kind in ("MappingEndEvent", "SequenceEndEvent"):
            self.stack.pop()
        elif kind == "DocumentStartEvent":
            self.documents += 1
            if self.documents > 1:
                raise self._error(line, "a second document", "remove everything from this `---`")

    def _refuse_cleverness(self, event: Any, line: int) -> None:
        if event.anchor:
            raise self._error(line, "anchors and aliases are not allowed", "write the value out")
        if getattr(event, "tag", None):
            raise self._error(line, f"tags are not allowed: {event.tag[:60]}", "remove the tag")

    def _scalar(self, event: Any, line: int) -> None:
        top = self.stack[-1] if self.stack else None
        if top and isinstance(top.items, dict) and top.key is None:
            key = event.value
            if key in top.items:
                first = self.lines[(*top.place, key)]
                raise self._error(line, f"`{key[:60]}` twice", f"the first is on line {first}")
            top.key = key
            self.lines[(*top.place, key)] = line
        else:
            self._put(_plain(event.value) if event.implicit[0] else event.value, line)

    def _put(self, value: Any, line: int) -> Place:
        if not self.stack:
            self.root = value
            self.lines[()] = line
            return ()
        top = self.stack[-1]
        if isinstance(top.items, list):
            place = (*top.place, len(top.items))
            top.items.append(value)
            self.lines[place] = line
            return place
        if top.key is None:
            raise self._error(line, "a list or mapping as key", "put the key in quotes")
        place, top.items[top.key] = (*top.place, top.key), value
        top.key = None
        return place

    def _error(self, line: int, problem: str, hint: str = "") -> DocumentError:
        return DocumentError(self.source, line, problem, hint)


def _plain(text: str) -> str | int | float | bool | None:
    """The value of an unquoted scalar, by YAML 1.2's core schema without its rarer numbers."""
    if text in _NULL:
        return None
    if text in _BOOL:
        return _BOOL[text]
    if _INT.fullmatch(text):
        return int(text)
    return float(text) if _FLOAT.fullmatch(text) else text
