"""A forecast that was saved before, beside what the month really came to."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from reviewbot.errors import UsageError
from reviewbot.reporting.ratio import Ratio
from reviewbot.reporting.replay import Strategy
from reviewbot.reporting.window import Window

Amount = Annotated[Decimal, Field(ge=0, le=Decimal("1e12"), allow_inf_nan=False)]
Count = Annotated[int, Field(ge=0, le=10**12)]
Granularity = Literal["pull_request", "file"]


class _Saved(BaseModel):
    """Other keys of the file are of no interest here."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class SavedLine(_Saved):
    """One strategy's month, USD."""

    usd: Amount
    low_usd: Amount
    high_usd: Amount
    claude_usd: Amount
    energy_usd: Amount
    amortisation_usd: Amount


class SavedShare(_Saved):
    """One repository's replayed changes."""

    changes: Count
    tiers: Mapping[str, Count]


class SavedForecast(_Saved):
    """What `reviewbot forecast --format json` wrote."""

    schema_: Literal[1] = Field(alias="schema")
    per_month: Amount
    strategies: Mapping[str, SavedLine]
    repositories: tuple[SavedShare, ...] = Field(min_length=1, max_length=10_000)


@dataclass(frozen=True)
class Expected:
    """What the forecast said of such a window."""

    strategy: str
    pulls: Decimal
    claude: Ratio
    """Replayed changes that would have gone to Claude."""
    claude_usd: Decimal
    energy_usd: Decimal
    hardware_usd: Decimal
    total_usd: Decimal
    low_usd: Decimal
    high_usd: Decimal

    @property
    def per_pull_usd(self) -> Decimal | None:
        return self.total_usd / self.pulls if self.pulls else None


def parse_forecast(text: str | bytes, source: str) -> SavedForecast:
    """Read a saved forecast; `source` is its name. Raises UsageError for anything else."""
    try:
        return SavedForecast.model_validate_json(text)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise UsageError(
            f"{source} is no saved forecast ({f'{where}: ' if where else ''}{first['msg']}):"
            " write one with `reviewbot forecast --format json > FILE`"
        ) from None


def expected(saved: SavedForecast, granularity: Granularity, window: Window) -> Expected:
    """The forecast's hybrid of this granularity, for a window's part of a month.

    Raises UsageError for a forecast without it.
    """
    strategy = Strategy.FILE if granularity == "file" else Strategy.PULL_REQUEST
    line, months = saved.strategies.get(strategy.value), window.months
    if line is None:
        raise UsageError(f"the saved forecast does not tell of {strategy.value}: make a new one")
    return Expected(
        strategy=strategy.value,
        pulls=saved.per_month * months,
        claude=Ratio(
            sum(share.tiers.get("claude", 0) for share in saved.repositories),
            sum(share.changes for share in saved.repositories),
        ),
        claude_usd=line.claude_usd * months,
        energy_usd=line.energy_usd * months,
        hardware_usd=line.amortisation_usd * months,
        total_usd=line.usd * months,
        low_usd=line.low_usd * months,
        high_usd=line.high_usd * months,
    )
