"""Stated figures and what follows from them: `reviewbot forecast --assume FILE`.

One model for every such calculation: a workload (requests and their tokens, or a bill as it is
stated), prices, the part that stays on the paid model, hardware and its power. Every part may be
left out; what can't be worked out then is left out, too. A year has 365 days and 12 months.
Decimals all the way; rounding only where a figure is shown.
"""

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from reviewbot.config.documents import load_document, validate

Period = Literal["day", "month", "year"]

DAYS_PER_YEAR = Decimal(365)
DAYS: dict[Period, Decimal] = {
    "day": Decimal(1),
    "month": DAYS_PER_YEAR / 12,
    "year": DAYS_PER_YEAR,
}

#: Amounts that people state: nothing costs or counts more than this.
Amount = Annotated[Decimal, Field(ge=0, le=Decimal("1e18"), allow_inf_nan=False)]
Positive = Annotated[Decimal, Field(gt=0, le=Decimal("1e18"), allow_inf_nan=False)]
Line = Annotated[str, Field(min_length=1, max_length=300)]


def _complain(problem: str) -> PydanticCustomError:
    """An error of the whole part, not of one value in it."""
    return PydanticCustomError("reviewbot", "{problem}", {"problem": problem, "hint": ""})


class Stated(BaseModel):
    """Unknown keys are errors: a typing error must not change a calculation unseen."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Workload(Stated):
    """Requests in a period and the tokens of each; or tokens in a period (one request)."""

    requests: Positive = Decimal(1)
    """Pull requests, or calls."""
    per: Period = "month"
    tokens: Amount | None = None
    """Of one request, input and output together, for a blended price."""
    input_tokens: Amount | None = None
    output_tokens: Amount | None = None

    @model_validator(mode="after")
    def _one_way(self) -> "Workload":
        split = self.input_tokens is not None or self.output_tokens is not None
        if split == (self.tokens is not None):
            raise _complain("needs either `tokens`, or `input_tokens` and `output_tokens`")
        return self


class Prices(Stated):
    """USD per million tokens in and out, or blended per thousand."""

    input_per_mtok: Amount | None = None
    output_per_mtok: Amount | None = None
    per_k: Amount | None = None

    @model_validator(mode="after")
    def _one_way(self) -> "Prices":
        split = (self.input_per_mtok is not None, self.output_per_mtok is not None)
        if self.per_k is None and not all(split):
            raise _complain("needs `per_k`, or both `input_per_mtok` and `output_per_mtok`")
        if self.per_k is not None and any(split):
            raise _complain("`per_k` excludes `input_per_mtok` and `output_per_mtok`")
        return self


class Bill(Stated):
    """An amount as it is stated, where no workload is."""

    usd: Amount
    per: Period = "month"


class HardwareStated(Stated):
    """A machine's price, and the months over which it is written off."""

    usd: Positive
    months: Annotated[int, Field(ge=1, le=1_200)] | None = None
    """None: only its price counts."""


class Power(Stated):
    """Watts and hours under load with the price of power, or the bill."""

    watts: Positive | None = None
    hours_per_day: Annotated[Decimal, Field(gt=0, le=24)] | None = None
    days_per_year: Annotated[Decimal, Field(gt=0, le=366)] = DAYS_PER_YEAR
    usd_per_kwh: Amount | None = None
    """None: only kWh are worked out."""
    usd: Amount | None = None
    per: Period = "year"
    """Of `usd`."""

    @model_validator(mode="after")
    def _one_way(self) -> "Power":
        worked_out = self.watts is not None and self.hours_per_day is not None
        if worked_out == (self.usd is not None):
            raise _complain("needs either `watts` and `hours_per_day`, or `usd`")
        return self


FigureName = Literal[
    "input_usd",
    "output_usd",
    "api_usd",
    "claude_usd",
    "hardware_usd",
    "power_usd",
    "local_usd",
    "hybrid_usd",
    "hybrid_percent",
    "kwh",
    "break_even_months",
    "worth_from_usd",
]


class Published(Stated):
    """A figure as somebody published it, to be compared."""

    figure: FigureName
    value: Decimal = Field(allow_inf_nan=False)
    per: Period | None = None
    """Its period, if not the scenario's."""
    about: bool = False
    """It was given as "about": one digit that counts is compared."""


class Scenario(Stated):
    """One calculation."""

    name: Line
    per: Period = "month"
    """The period of every figure shown, but for months to break even."""
    workload: Workload | None = None
    prices: Prices | None = None
    api: Bill | None = None
    claude_share: Annotated[Decimal, Field(ge=0, le=1)] | None = None
    """Part of the workload that the paid model keeps; None: all, or none where there is hardware."""
    hardware: HardwareStated | None = None
    power: Power | None = None
    published: tuple[Published, ...] = Field((), max_length=50)

    @model_validator(mode="after")
    def _whole(self) -> "Scenario":
        if (self.workload is None) != (self.prices is None):
            raise _complain("`workload` and `prices` go together")
        if self.workload and self.prices:
            if (self.workload.tokens is None) != (self.prices.per_k is None):
                raise _complain(
                    "`tokens` needs `per_k`; `input_tokens` and `output_tokens` need prices of each"
                )
            if self.api:
                raise _complain("`api` states the bill that `workload` and `prices` work out")
        if not (self.workload or self.api or self.hardware or self.power):
            raise _complain("states nothing to work out")
        return self


class Assumptions(Stated):
    """The file that `--assume` names."""

    title: Line
    source: Annotated[str, Field(max_length=1_000)] = ""
    """Where the figures come from, for readers."""
    scenarios: tuple[Scenario, ...] = Field(min_length=1, max_length=100)


def parse_assumptions(text: str | bytes, source: str) -> Assumptions:
    """Read the text of an assumptions file; `source` is its name.

    Raises DocumentError with the line and the likely fix.
    """
    return validate(Assumptions, load_document(text, source))
