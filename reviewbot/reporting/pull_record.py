"""What is remembered of one pull request without a database, as its summary's hidden record has it.

Calls and reviews are kept as the sums that a report is made of, so that a month of records is a
month of sums.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC
from decimal import Decimal
from typing import Any, NamedTuple, Self, TypeVar, get_type_hints

from reviewbot.costs.budget import Account, Scope
from reviewbot.costs.calls import Call
from reviewbot.costs.money import decimal_text
from reviewbot.publishing.record import Place, seal, unseal
from reviewbot.publishing.result import Review
from reviewbot.reporting.sums import ZERO, CallSum, ReviewSum
from reviewbot.review.engine import Outcome

#: Fields of the sums in which rows are alike; the others are added up.
_ALIKE_CALLS, _ALIKE_REVIEWS = 9, 5
#: Fingerprints that are kept where the record would be too long.
_FEW = 100
#: Characters of `2026-11`.
_MONTH = 7

Row = TypeVar("Row", CallSum, ReviewSum)


class Last(NamedTuple):
    """The last review that was posted."""

    head: str
    base: str
    request: str
    tier: str
    areas: tuple[str, ...]
    findings: int
    worst: str | None
    """Severity of the worst finding, shown or not."""
    complete: bool
    usd: Decimal


class Earlier(NamedTuple):
    """Sums of months whose rows are gone."""

    external_usd: Decimal = ZERO
    """Bills, and reserves of calls that may have been billed."""
    local_usd: Decimal = ZERO
    calls: int = 0


_NOTHING_EARLIER = Earlier()


@dataclass(frozen=True)
class PullRecord:
    """All that later runs are told."""

    last: Last | None = None
    posted: tuple[str, ...] = ()
    """Fingerprints of findings that stand on lines, the newest last."""
    dismissed: tuple[str, ...] = ()
    """Fingerprints of findings that people do not want to see again."""
    calls: tuple[CallSum, ...] = ()
    reviews: tuple[tuple[str, ReviewSum], ...] = ()
    """Each with its month, `2026-11`."""
    earlier: Earlier = _NOTHING_EARLIER
    lost: tuple[str, ...] = ()
    """Months whose rows did not fit any more."""

    @property
    def months(self) -> list[str]:
        """Months with rows, the oldest first."""
        return sorted({call.day[:_MONTH] for call in self.calls} | {m for m, _ in self.reviews})

    def to_json(self) -> dict[str, Any]:
        """Plain JSON; USD as decimal strings."""
        return {
            "last": None if self.last is None else _plain(self.last),
            "posted": list(self.posted),
            "dismissed": list(self.dismissed),
            "calls": [_plain(call) for call in self.calls],
            "reviews": [[month, *_plain(review)] for month, review in self.reviews],
            "earlier": _plain(self.earlier),
            "lost": list(self.lost),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """The record that `to_json` wrote; keys of a later reviewbot are left out.

        Raises ValueError for anything else.
        """
        try:
            return cls(
                last=None if data["last"] is None else _typed(Last, data["last"]),
                posted=tuple(map(str, data["posted"])),
                dismissed=tuple(map(str, data["dismissed"])),
                calls=tuple(_typed(CallSum, row) for row in data["calls"]),
                reviews=tuple((str(row[0]), _typed(ReviewSum, row[1:])) for row in data["reviews"]),
                earlier=_typed(Earlier, data["earlier"]),
                lost=tuple(map(str, data["lost"])),
            )
        except (KeyError, TypeError, IndexError, ArithmeticError, AttributeError) as error:
            raise ValueError("not a pull request's record") from error

    def with_review(self, review: Review, *, request: str, posted: Iterable[str] = ()) -> Self:
        """The record after one more review, of whose findings `posted` stand on lines."""
        month = f"{review.created_at.astimezone(UTC):%Y-%m}"
        worst = review.worst.value if review.worst else None
        last = Last(
            head=review.change.head or "",
            base=review.change.base or "",
            request=request,
            tier=review.route.tier.value,
            areas=tuple(review.route.areas),
            findings=len(review.findings),
            worst=worst,
            complete=review.complete,
            usd=review.cost.total_usd,
        )
        made = [_call_sum(c, review) for c in review.calls if c.outcome is not Outcome.OVER_BUDGET]
        return replace(
            self,
            last=last,
            posted=tuple(dict.fromkeys([*self.posted, *posted])),
            calls=_merged([*self.calls, *made], _ALIKE_CALLS),
            reviews=_by_month([*self.reviews, (month, _review_sum(review))]),
        )

    def with_costs(self, other: Self) -> Self:
        """The record with another one's calls and reviews added; the rest stays."""
        return replace(
            self,
            calls=_merged([*self.calls, *other.calls], _ALIKE_CALLS),
            reviews=_by_month([*self.reviews, *other.reviews]),
        )

    def account(self, scope: Scope) -> Account:
        """What is booked on a pull request, for ever, or on the month of a scope."""
        calls = [call for call in self.calls if call.day.startswith(scope.period)]
        reviews = [each for month, each in self.reviews if month.startswith(scope.period)]
        known = Account(
            scope,
            unknown_usd=_total(calls, lambda call: call.unknown_usd),
            external_usd=_total(calls, lambda call: call.usd),
            claude_usd=_total(calls, lambda call: call.usd if call.is_claude else ZERO),
            local_usd=_total(calls, lambda call: call.energy_usd + call.amortisation_usd),
            all_claude_usd=sum((each.all_claude_usd for each in reviews), ZERO),
            joules=sum(call.joules for call in calls),
            calls=sum(call.calls for call in calls),
        )
        if scope.period:
            return known
        return replace(
            known,
            external_usd=known.external_usd + self.earlier.external_usd,
            local_usd=known.local_usd + self.earlier.local_usd,
            calls=known.calls + self.earlier.calls,
        )

    def smaller(self) -> Iterator[Self]:
        """The record, then ever shorter ones, each without what is needed least."""
        yield self
        newest = self.months[-1] if self.months else ""
        monthly = [
            call if call.day.startswith(newest) else call._replace(day=f"{call.day[:_MONTH]}-01")
            for call in self.calls
        ]
        shorter = replace(self, calls=_merged(monthly, _ALIKE_CALLS))
        yield shorter
        shorter = replace(shorter, posted=self.posted[-_FEW:], dismissed=self.dismissed[-_FEW:])
        yield shorter
        plain = [c._replace(day=f"{c.day[:_MONTH]}-01", areas=()) for c in shorter.calls]
        reviews = [(month, each._replace(areas=())) for month, each in shorter.reviews]
        shorter = replace(shorter, calls=_merged(plain, _ALIKE_CALLS), reviews=_by_month(reviews))
        yield shorter
        for month in shorter.months:
            shorter = shorter._without(month)
            yield shorter

    def _without(self, month: str) -> Self:
        gone = self.account(Scope("pull", "", month))
        earlier = Earlier(
            self.earlier.external_usd + gone.external_usd + gone.unknown_usd,
            self.earlier.local_usd + gone.local_usd,
            self.earlier.calls + gone.calls,
        )
        return replace(
            self,
            calls=tuple(call for call in self.calls if not call.day.startswith(month)),
            reviews=tuple(each for each in self.reviews if each[0] != month),
            earlier=earlier,
            lost=(*self.lost, month),
        )


#: What is known of a pull request without a record.
NO_RECORD = PullRecord()


class Read(NamedTuple):
    """What a comment of ours remembers."""

    record: PullRecord
    ignored: str = ""
    """Why the record that is there does not count."""


def read_record(key: bytes, place: Place, comment: str) -> Read:
    """The record in a comment; whose comment it is, the caller knows."""
    data, ignored = unseal(key, place, comment)
    if data is None:
        return Read(NO_RECORD, ignored)
    try:
        return Read(PullRecord.from_json(data))
    except ValueError:
        return Read(NO_RECORD, "its content is broken")


def write_record(key: bytes, place: Place, record: PullRecord) -> str:
    """The record's hidden line, with as much of it as fits."""
    lines = (seal(key, place, each.to_json()) for each in record.smaller())
    return next((line for line in lines if line), "")


def _call_sum(call: Call, review: Review) -> CallSum:
    usage, start = call.usage, call.start
    return CallSum(
        day=f"{start.started_at.astimezone(UTC):%Y-%m-%d}",
        engine=start.engine,
        provider=start.provider,
        model=call.price.model if call.price else start.model,
        outcome=call.outcome.value,
        joules_how=call.joules_how,
        tier=review.route.tier.value,
        areas=tuple(review.route.areas),
        complete=review.complete,
        calls=1,
        retries=int(start.attempt > 1),
        counted=int(usage is not None),
        input=usage.input if usage else 0,
        output=usage.output if usage else 0,
        cache_read=usage.cache_read if usage else 0,
        cache_write=usage.cache_write_5m + usage.cache_write_1h if usage else 0,
        cached=int(usage is not None and usage.cache_read > 0),
        estimated=int(usage is not None and usage.estimated),
        scripted=int(call.scripted),
        unknown=int(call.unknown),
        usd=ZERO if call.unknown else call.usd,
        unknown_usd=call.usd if call.unknown else ZERO,
        energy_usd=call.energy_usd,
        amortisation_usd=call.amortisation_usd,
        joules=call.joules,
        busy_seconds=call.busy_seconds,
    )


def _review_sum(review: Review) -> ReviewSum:
    all_claude = review.cost.all_claude_usd
    return ReviewSum(
        tier=review.route.tier.value,
        areas=tuple(review.route.areas),
        complete=review.complete,
        overridden=review.route.overridden,
        read=all_claude is not None,
        reviews=1,
        findings=len(review.findings),
        all_claude_usd=all_claude or ZERO,
    )


def _merged(rows: Iterable[Row], alike: int) -> tuple[Row, ...]:
    """Rows that are alike in their first fields, added up; in a fixed order."""
    found: dict[tuple[Any, ...], Row] = {}
    for row in rows:
        new: list[Any] = list(row)
        key: tuple[Any, ...] = tuple(new[:alike])
        known = found.get(key)
        if known is not None:
            old: list[Any] = list(known)
            pairs = zip(old[alike:], new[alike:], strict=True)
            sums: list[Any] = [one + more for one, more in pairs]
            row = type(row)._make([*key, *sums])
        found[key] = row
    return tuple(sorted(found.values(), key=repr))


def _by_month(reviews: Sequence[tuple[str, ReviewSum]]) -> tuple[tuple[str, ReviewSum], ...]:
    months = sorted({month for month, _ in reviews})
    return tuple(
        (month, each)
        for month in months
        for each in _merged((r for m, r in reviews if m == month), _ALIKE_REVIEWS)
    )


def _total(calls: Iterable[CallSum], of: Callable[[CallSum], Decimal]) -> Decimal:
    return sum((of(call) for call in calls), ZERO)


def _plain(row: tuple[Any, ...]) -> list[Any]:
    return [decimal_text(each) if isinstance(each, Decimal) else each for each in row]


_Record = TypeVar("_Record", CallSum, ReviewSum, Last, Earlier)


def _typed(kind: type[_Record], row: Sequence[Any]) -> _Record:
    """The named tuple that `_plain` wrote. Raises TypeError, ValueError or ArithmeticError."""
    hints = get_type_hints(kind)
    pairs = zip(kind._fields, row, strict=True)
    return kind._make(_value(hints[name], value) for name, value in pairs)


def _value(kind: Any, value: Any) -> Any:
    if kind is Decimal:
        if not (money := Decimal(value)).is_finite():
            raise ValueError("an amount that is none")
        return money
    if isinstance(value, list):
        return tuple(map(str, value))
    if kind is float:
        return float(value)
    if kind in (str, int, bool) and not isinstance(value, kind):
        raise TypeError(f"{kind.__name__} expected")
    return value
