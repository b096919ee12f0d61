"""The operator's own prices: for models that the price library doesn't know, or a contract."""

from decimal import Decimal
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, model_validator

from reviewbot.config.documents import load_document, validate

#: Six decimals keep every call exact to a trillionth of a dollar; no model costs $100 000 per MTok.
UsdPerMtok = Annotated[Decimal, Field(ge=0, le=100_000, decimal_places=6, allow_inf_nan=False)]
Name = Annotated[str, Field(min_length=1, max_length=200)]


class OperatorPrice(BaseModel):
    """The price of one model, USD per million tokens."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    provider: Name
    """The price library's provider id, or the host name of a server that it doesn't know."""
    model: Name
    input_per_mtok: UsdPerMtok
    output_per_mtok: UsdPerMtok
    cache_read_per_mtok: UsdPerMtok | None = None
    """None: read tokens are billed as input; likewise for writes."""
    cache_write_5m_per_mtok: UsdPerMtok | None = None
    cache_write_1h_per_mtok: UsdPerMtok | None = None

    @property
    def key(self) -> tuple[str, str]:
        """What a price is found by: provider and model in lower case."""
        return self.provider.lower(), self.model.lower()


class PricesFile(BaseModel):
    """The file that `REVIEWBOT_PRICES_FILE` names."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    prices: tuple[OperatorPrice, ...] = Field(max_length=500)

    @model_validator(mode="after")
    def _one_price_a_model(self) -> "PricesFile":
        keys = [price.key for price in self.prices]
        for key in keys:
            if keys.count(key) > 1:
                raise ValueError(f"two prices for {key[1]} of {key[0]}; keep one")
        return self


def parse_operator_prices(text: str | bytes, source: str) -> tuple[OperatorPrice, ...]:
    """Read the text of a prices file; `source` is its name.

    Raises DocumentError with the line and the likely fix.
    """
    return validate(PricesFile, load_document(text, source)).prices
