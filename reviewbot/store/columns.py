"""Column types that read back exactly what was written, on SQLite and PostgreSQL."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import BigInteger, DateTime, Dialect, Numeric, String, Text
from sqlalchemy.types import TypeDecorator, TypeEngine

from reviewbot.costs.money import exact

#: Decimals of a stored amount: a trillionth of a dollar (`reviewbot.costs.money.SMALLEST`).
PLACES = 12


class Usd(TypeDecorator[Decimal]):
    """An exact amount: NUMERIC(24, 12) on PostgreSQL, whole trillionths of a dollar on SQLite.

    SQLite has no decimals; whole numbers can be added up there without rounding. They hold
    9 million dollars. An amount with more decimals is refused rather than rounded.
    """

    impl = Numeric(24, PLACES)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        kind = BigInteger() if dialect.name == "sqlite" else Numeric(24, PLACES)
        return dialect.type_descriptor(kind)

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> Any:
        if value is None:
            return None
        if exact(value) != value:
            raise ValueError(f"{value} has more than {PLACES} decimals")
        return int(value.scaleb(PLACES)) if dialect.name == "sqlite" else value

    def process_result_value(self, value: Any, dialect: Dialect) -> Decimal | None:
        if value is None:
            return None
        return exact(Decimal(value).scaleb(-PLACES) if dialect.name == "sqlite" else Decimal(value))


class Utc(TypeDecorator[datetime]):
    """A moment: TIMESTAMP WITH TIME ZONE on PostgreSQL, on SQLite text that sorts by time.

    Only aware times are taken; what is read is in UTC.
    """

    impl = DateTime(timezone=True)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        kind = String(27) if dialect.name == "sqlite" else DateTime(timezone=True)
        return dialect.type_descriptor(kind)

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without zone")
        moment = value.astimezone(UTC)
        if dialect.name == "sqlite":
            return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        return moment

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        moment = datetime.fromisoformat(value) if isinstance(value, str) else value
        return moment.astimezone(UTC)


class Words(TypeDecorator[str]):
    """Text from anywhere: what a database can't store (NUL, half a surrogate pair) becomes `�`."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        if value is None:
            return None
        whole = value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        return whole.replace("\0", "�")
