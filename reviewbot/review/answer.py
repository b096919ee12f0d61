"""What a model may say: one schema for every engine, and a parser that trusts nothing."""

import json
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from reviewbot.review.form import closed_schema, unfenced


class Severity(StrEnum):
    """How bad it is if the remark is right."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"

    @property
    def rank(self) -> int:
        """0 for the worst."""
        return list(Severity).index(self)


class Category(StrEnum):
    """What a remark is about."""

    CORRECTNESS = "correctness"
    SECURITY = "security"
    CONCURRENCY = "concurrency"
    DATA_LOSS = "data_loss"
    PERFORMANCE = "performance"
    API = "api"
    TESTS = "tests"
    MAINTAINABILITY = "maintainability"


class Remark(BaseModel):
    """One remark as a model says it. Its place is a claim until `anchor` has proved it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    path: str = Field(description="Path of the file, exactly as shown.")
    line: int = Field(description="Number of the line the remark is about, as shown before it.")
    end_line: int | None = Field(description="Last line, if the remark is about several; or null.")
    quote: str = Field(description="The code of that line or lines, copied without its number.")
    severity: Severity
    category: Category
    title: str = Field(description="The problem in at most ten words.")
    body: str = Field(description="What goes wrong, when, and how to mend it. At most 120 words.")
    suggestion: str | None = Field(
        description="Exact replacement for lines line..end_line, whole lines; or null."
    )
    confidence: float = Field(description="0 to 1: how sure you are that this is a real problem.")


class Answer(BaseModel):
    """A model's whole answer for one unit."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    walkthrough: str = Field(description="What the change does, in one to three sentences.")
    findings: list[Remark] = Field(
        description="Real problems only; an empty list is a good answer."
    )


#: Longest texts kept, in characters; more is cut, as a hostile model may say anything.
MAX_TITLE, MAX_BODY, MAX_QUOTE, MAX_SUGGESTION, MAX_WALKTHROUGH = 160, 4_000, 4_000, 8_000, 1_200
MAX_REMARKS = 100


def answer_schema(*, suggestions: bool = True) -> dict[str, Any]:
    """The JSON schema of an answer (see `closed_schema`), with or without room for suggestions."""
    schema = closed_schema(Answer)
    if not suggestions:
        finding = schema["properties"]["findings"]["items"]
        del finding["properties"]["suggestion"]
        finding["required"].remove("suggestion")
    return schema


@dataclass(frozen=True)
class ParsedAnswer:
    """What could be read of an answer."""

    walkthrough: str = ""
    remarks: tuple[Remark, ...] = ()
    problems: tuple[str, ...] = ()
    """Why parts of it were dropped; empty for a clean answer."""
    whole: bool = True
    """The text was one complete JSON object."""


def parse_answer(text: str) -> ParsedAnswer:
    """Read a model's answer; never raises.

    A cut-off answer yields its complete remarks. A remark that does not fit the schema is
    dropped with its reason; the others stay.
    """
    text = unfenced(text)
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        return _salvage(text)
    return _read(data, whole=True)


def _read(data: Any, *, whole: bool, problems: tuple[str, ...] = ()) -> ParsedAnswer:
    if not isinstance(data, dict) or not isinstance(data.get("findings"), list):
        return ParsedAnswer(
            problems=("the answer is not an object with a list of findings",), whole=False
        )
    notes, remarks = list(problems), []
    for index, item in enumerate(data["findings"][:MAX_REMARKS]):
        try:
            remarks.append(_cut(Remark.model_validate(_filled(item))))
        except ValidationError as error:
            first = error.errors()[0]
            notes.append(f"finding {index + 1}: {'.'.join(map(str, first['loc']))}: {first['msg']}")
    if len(data["findings"]) > MAX_REMARKS:
        notes.append(
            f"{len(data['findings']) - MAX_REMARKS} findings over the limit of {MAX_REMARKS}"
        )
    walkthrough = data.get("walkthrough")
    return ParsedAnswer(
        walkthrough[:MAX_WALKTHROUGH] if isinstance(walkthrough, str) else "",
        tuple(remarks),
        tuple(notes),
        whole,
    )


def _filled(item: Any) -> Any:
    """Models without a bound schema leave optional keys out; only those may be missing."""
    return {"end_line": None, "suggestion": None, **item} if isinstance(item, dict) else item


def _cut(remark: Remark) -> Remark:
    return remark.model_copy(
        update={
            "title": " ".join(remark.title.split())[:MAX_TITLE],
            "body": remark.body.strip()[:MAX_BODY],
            "quote": remark.quote[:MAX_QUOTE],
            "suggestion": remark.suggestion
            if len(remark.suggestion or "") <= MAX_SUGGESTION
            else None,
            "confidence": min(max(remark.confidence, 0.0), 1.0)
            if remark.confidence == remark.confidence
            else 0.0,
        }
    )


def _salvage(text: str) -> ParsedAnswer:
    """The complete findings of an answer that was cut off."""
    cut = ("the answer is not whole JSON",)
    start = text.find('"findings"')
    start = text.find("[", start) if start >= 0 else -1
    if start < 0:
        return ParsedAnswer(problems=cut, whole=False)
    decoder, items, at = json.JSONDecoder(), [], start + 1
    while True:
        while at < len(text) and text[at] in " \t\r\n,":
            at += 1
        try:
            item, at = decoder.raw_decode(text, at)
        except (ValueError, RecursionError):
            break
        items.append(item)
    walkthrough = ""
    key = text.find('"walkthrough"', 0, start)
    if key >= 0:
        colon = text.find(":", key)
        try:
            walkthrough, _ = decoder.raw_decode(
                text, colon + 1 + (len(text[colon + 1 :]) - len(text[colon + 1 :].lstrip()))
            )
        except (ValueError, RecursionError):
            walkthrough = ""
    return _read({"walkthrough": walkthrough, "findings": items}, whole=False, problems=cut)
