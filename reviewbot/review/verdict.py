"""What a model says of findings when it is asked whether they are true."""

from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from reviewbot.review.form import closed_schema, read_whole


class Verdict(StrEnum):
    """Whether a finding is true, mildest first: of two on one finding the milder holds."""

    REAL = "real"
    UNSURE = "unsure"
    WRONG = "wrong"


class Judged(BaseModel):
    """The verdict on one finding."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    finding: int = Field(description="The finding's number.")
    verdict: Verdict


class Verdicts(BaseModel):
    """A model's whole answer on the findings of one unit."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    verdicts: list[Judged] = Field(description="One for each finding, in their order.")


def verdict_schema() -> dict[str, Any]:
    """The JSON schema of the answer (see `closed_schema`)."""
    return closed_schema(Verdicts)


def parse_verdicts(text: str) -> dict[int, Verdict] | None:
    """Number of a finding → its verdict; None for anything but one whole answer. Never raises.

    The numbers are the model's: there may be more or fewer than it was shown.
    """
    answer = read_whole(Verdicts, text)
    if answer is None:
        return None
    mild = list(Verdict)
    found: dict[int, Verdict] = {}
    for judged in answer.verdicts:
        found[judged.finding] = min(
            judged.verdict, found.get(judged.finding, judged.verdict), key=mild.index
        )
    return found
