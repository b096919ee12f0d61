"""What a model says of a change that no rule flags: needs it a careful review?

Where the rules are in doubt only a clear no spares Claude; where they are not, only a clear yes asks it.
"""

from typing import Any, NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from reviewbot.privacy.invisible import escape_invisible
from reviewbot.review.form import closed_schema, read_whole

#: The area of a change that needs no care.
NO_AREA = "none"
#: Longest texts shown, characters.
MAX_AREA, MAX_WHY = 40, 200


class Risk(BaseModel):
    """A model's whole answer."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    risky: bool = Field(description="Whether the change needs a careful review.")
    area: str = Field(description=f"The area that it touches, or `{NO_AREA}`.")
    why: str = Field(description="Why, in at most twenty words.")


class Opinion(NamedTuple):
    """What an answer comes to."""

    risky: bool
    area: str
    why: str


def risk_schema() -> dict[str, Any]:
    """The JSON schema of the answer (see `closed_schema`)."""
    return closed_schema(Risk)


def parse_risk(text: str) -> Opinion | None:
    """The model's opinion; None for anything but one whole answer. Never raises.

    Who says yes to no area, or no to one, contradicts himself and has not answered.
    """
    answer = read_whole(Risk, text)
    if answer is None or answer.risky == (answer.area == NO_AREA):
        return None
    return Opinion(answer.risky, _one_line(answer.area, MAX_AREA), _one_line(answer.why, MAX_WHY))


def _one_line(text: str, most: int) -> str:
    return escape_invisible(" ".join(text.split())[:most])
