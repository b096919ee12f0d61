"""The sums of a report, worked out by the database.

Amounts are added up exactly: whole trillionths of a dollar on SQLite, NUMERIC on PostgreSQL.
"""

import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    Text,
    and_,
    case,
    cast,
    exists,
    func,
    literal,
    or_,
    select,
)

from reviewbot.reporting.sums import (
    ANSWERED,
    UNSETTLED,
    CallSum,
    Latency,
    PullSum,
    PurposeSum,
    Refusals,
    ReviewSum,
    StrategySum,
    percentile,
)
from reviewbot.review.engine import Outcome
from reviewbot.review.second import PURPOSE as SECOND_OPINION
from reviewbot.review.second import Word
from reviewbot.store.columns import Usd
from reviewbot.store.schema import call_settled, call_started, reviews

_started, _settled, _reviews = call_started.c, call_settled.c, reviews.c
_calls = call_started.outerjoin(call_settled, _settled.id == _started.id)
_model = func.coalesce(_settled.price_model, _started.model)
_NOTHING = Decimal(0)
_WORDS = frozenset(word.value for word in Word)
#: Nothing as an amount: a column of `case` takes its type from it.
_ZERO = literal(_NOTHING, Usd)


class Where(NamedTuple):
    """What is added up; `since` is included, `until` is not."""

    since: datetime
    until: datetime
    repository: str | None = None

    def calls(self) -> ColumnElement[bool]:
        """A call belongs to the time when it began."""
        inside = and_(_started.started_at >= self.since, _started.started_at < self.until)
        if self.repository is None:
            return inside
        return and_(inside, _started.repository == self.repository)

    def reviews(self) -> ColumnElement[bool]:
        inside = and_(_reviews.created_at >= self.since, _reviews.created_at < self.until)
        if self.repository is None:
            return inside
        return and_(inside, _reviews.repository == self.repository)


#: A question that no budget covered was never put: budgets count it, it is no call.
_PUT = func.coalesce(_settled.outcome, UNSETTLED) != Outcome.OVER_BUDGET.value


def call_sums(connection: Connection, where: Where) -> tuple[CallSum, ...]:
    """All calls that were made, those without settlement too."""
    alike = (
        _day(connection),
        _started.engine,
        _started.provider,
        _model,
        func.coalesce(_settled.outcome, UNSETTLED),
        func.coalesce(_settled.joules_how, "none"),
        _reviews.tier,
        cast(_reviews.areas, Text),
        _reviews.complete,
    )
    written = _settled.tokens_cache_write_5m + _settled.tokens_cache_write_1h
    sums = (
        func.count(),
        _count(_started.attempt > 1),
        func.count(_settled.tokens_input),
        func.sum(_settled.tokens_input),
        func.sum(_settled.tokens_output),
        func.sum(_settled.tokens_cache_read),
        func.sum(written),
        _count(_settled.tokens_cache_read > 0),
        _count(_settled.tokens_estimated),
        _count(_settled.scripted),
        _count(or_(_settled.unknown, _settled.id.is_(None))),
        _known(_settled.usd),
        func.sum(case((_settled.unknown, _settled.usd), else_=_ZERO)),
        func.sum(case((_settled.id.is_(None), _started.reserved_usd), else_=_ZERO)),
        func.sum(_settled.energy_usd),
        func.sum(_settled.amortisation_usd),
        func.sum(_settled.joules),
        func.sum(_settled.busy_seconds),
    )
    source = _calls.outerjoin(reviews, _reviews.id == _started.review_id)
    query = select(*alike, *sums).select_from(source).where(where.calls(), _PUT).group_by(*alike)
    return tuple(sorted(map(_call_sum, connection.execute(query)), key=repr))


def _call_sum(row: Sequence[Any]) -> CallSum:
    day, engine, provider, model, outcome, how, tier, areas, complete, *sums = row
    counts = [int(value or 0) for value in sums[:11]]
    usd, unknown, reserved, energy, amortisation = (value or _NOTHING for value in sums[11:16])
    used = [float(value or 0) for value in sums[16:]]
    alike = (day, engine, provider, model, outcome, how, tier, _areas(areas), complete)
    return CallSum._make((*alike, *counts, usd, unknown + reserved, energy, amortisation, *used))


def review_sums(connection: Connection, where: Where) -> tuple[ReviewSum, ...]:
    """All reviews, also those that only routed a change."""
    alike = (
        _reviews.tier,
        cast(_reviews.areas, Text),
        _reviews.complete,
        _reviews.overridden,
        _reviews.all_claude_usd.is_not(None),
    )
    sums = (func.count(), func.sum(_reviews.findings), func.sum(_reviews.all_claude_usd))
    query = select(*alike, *sums).where(where.reviews()).group_by(*alike)
    found = (
        ReviewSum(
            tier, _areas(areas), complete, overridden, bool(read), n, int(findings), usd or _NOTHING
        )
        for tier, areas, complete, overridden, read, n, findings, usd in connection.execute(query)
    )
    return tuple(sorted(found, key=repr))


def pull_sums(connection: Connection, where: Where) -> tuple[PullSum, ...]:
    """What each pull request cost, the dearest first."""
    spent = _known(_settled.usd), func.sum(_settled.energy_usd), func.sum(_settled.amortisation_usd)
    place = _started.repository, _started.number
    query = select(*place, func.count(), *spent).select_from(_calls)
    found = [
        PullSum(repository, number, calls, sum((each or _NOTHING for each in usd), _NOTHING))
        for repository, number, calls, *usd in connection.execute(
            query.where(where.calls(), _PUT).group_by(*place)
        )
    ]
    return tuple(sorted(found, key=lambda pull: (-pull.usd, pull.repository, pull.number or 0)))


class Pulls(NamedTuple):
    """Pull requests with a review, by the most that was made of them."""

    read: frozenset[tuple[str, int]]
    held: int
    """None of it was read: all waits for a person, since a budget is used up."""
    routed: int


def reviewed_pulls(connection: Connection, where: Where) -> Pulls:
    place = _reviews.repository, _reviews.number
    # only what read nothing is looked into: a result may be large
    why = case((_reviews.all_claude_usd.is_(None), _reviews.result["held"].as_string()))
    query = (
        select(*place, func.count(_reviews.all_claude_usd), func.max(why))
        .where(where.reviews(), _reviews.number.is_not(None))
        .group_by(*place)
    )
    rows = connection.execute(query).all()
    read = frozenset((repository, number) for repository, number, reviews_, _ in rows if reviews_)
    held = sum(bool(why_) for *_, reviews_, why_ in rows if not reviews_)
    return Pulls(read, held, len(rows) - len(read) - held)


def latencies(connection: Connection, where: Where) -> tuple[Latency, ...]:
    """Of answered calls, by engine and model: the 50th and 95th percentile by nearest rank.

    The one column is sorted here: that takes half the time of SQLite's own ranks.
    """
    query = (
        select(_started.engine, _model, _settled.latency_seconds)
        .select_from(call_started.join(call_settled, _settled.id == _started.id))
        .where(where.calls(), _settled.outcome.in_([each.value for each in ANSWERED]))
    )
    found: dict[tuple[str, str], list[float]] = {}
    for engine, model, seconds in connection.execute(query):
        found.setdefault((engine, model), []).append(seconds)
    return tuple(
        Latency(*whose, len(took), percentile(took, 50), percentile(took, 95))
        for whose, took in sorted((whose, sorted(took)) for whose, took in found.items())
    )


def refusals(connection: Connection, where: Where) -> Refusals:
    """Refused questions, and how many of them another model was asked afterwards."""
    later = call_started.alias()
    again = exists().where(
        later.c.review_id == _started.review_id,
        later.c.purpose == _started.purpose,
        later.c.unit == _started.unit,
        later.c.model != _started.model,
        later.c.started_at > _started.started_at,
    )
    question = _started.review_id, _started.purpose, _started.unit, _started.model
    # they are few: found first, so that SQLite does not join the whole window
    refusing = select(_settled.id).where(_settled.outcome == Outcome.REFUSED.value)
    refused = (
        select(*question, func.max(case((again, 1), else_=0)).label("again"))
        .where(where.calls(), _started.id.in_(refusing))
        .group_by(*question)
        .subquery()
        .c
    )
    query = select(func.count(), func.coalesce(func.sum(refused.again), 0)).select_from(
        refused.again.table
    )
    questions, taken_over = connection.execute(query).one()
    return Refusals(int(questions), int(taken_over))


def purpose_sums(connection: Connection, where: Where) -> tuple[PurposeSum, ...]:
    """What was asked besides plain reviews."""
    of_findings = _started.purpose == SECOND_OPINION
    alike = (
        _started.purpose,
        case((of_findings, func.coalesce(_settled.detail, "")), else_=literal("")),
    )
    query = (
        select(
            *alike,
            func.count(),
            _known(_settled.usd),
            func.sum(_settled.energy_usd),
            func.sum(_settled.amortisation_usd),
        )
        .select_from(_calls)
        .where(where.calls(), _started.purpose != "review", _PUT)
        .group_by(*alike)
    )
    sums: dict[tuple[str, str], PurposeSum] = {}
    for purpose, detail, calls, usd, energy, amortisation in connection.execute(query):
        key = (purpose, detail if detail in _WORDS else "")
        before = sums.get(key, PurposeSum(*key, 0, _NOTHING, _NOTHING))
        local = (energy or _NOTHING) + (amortisation or _NOTHING)
        sums[key] = PurposeSum(
            *key,
            before.calls + calls,
            before.usd + (usd or _NOTHING),
            before.local_usd + local,
        )
    return tuple(sums[key] for key in sorted(sums))


def strategies(connection: Connection, where: Where) -> tuple[StrategySum, ...]:
    """Reviews that read something, by their strategy, with all that their calls cost, whenever."""
    named = select(_reviews.strategy, _reviews.id).where(where.reviews(), _reviews.strategy != "")
    ids: dict[str, set[str]] = {}
    for name, review in connection.execute(named):
        ids.setdefault(name, set()).add(review)
    spent = _known(_settled.usd), func.sum(_settled.energy_usd), func.sum(_settled.amortisation_usd)
    query = (
        select(_reviews.strategy, *spent)
        .select_from(_calls.join(reviews, _reviews.id == _started.review_id))
        .where(where.reviews(), _reviews.strategy != "", _PUT)
        .group_by(_reviews.strategy)
    )
    found = {
        name: sum((each or _NOTHING for each in usd), _NOTHING)
        for name, *usd in connection.execute(query)
    }
    return tuple(
        StrategySum(name, frozenset(ids[name]), found.get(name, _NOTHING)) for name in sorted(ids)
    )


def titles(connection: Connection, places: Iterable[tuple[str, int]]) -> dict[tuple[str, int], str]:
    """The titles of a few pull requests, as their last review saw them."""
    found = {}
    for repository, number in places:
        query = (
            select(_reviews.result["change"]["title"].as_string())
            .where(_reviews.repository == repository, _reviews.number == number)
            .order_by(_reviews.created_at.desc())
            .limit(1)
        )
        found[repository, number] = connection.execute(query).scalar() or ""
    return found


def busy_seconds(connection: Connection, where: Where) -> float:
    """Of the hardware, for whichever repository."""
    query: Select[Any] = select(func.sum(_settled.busy_seconds)).select_from(_calls)
    everywhere = where._replace(repository=None)
    return float(connection.execute(query.where(everywhere.calls())).scalar() or 0)


def has_hardware(connection: Connection, where: Where) -> bool:
    """Whether any call before the end of that time went to hardware of our own."""
    own = _started.provider.is_(None), _started.started_at < where.until
    query = select(_started.id).where(*own).limit(1)
    return connection.execute(query).first() is not None


def repositories(connection: Connection) -> list[str]:
    """All that the ledger or a review names."""
    named = select(_started.repository).union(select(_reviews.repository))
    return sorted(name for name in connection.execute(named).scalars() if name)


def newest_call(connection: Connection) -> datetime | None:
    """When the last call of the ledger began."""
    return connection.execute(
        select(_started.started_at).order_by(_started.started_at.desc()).limit(1)
    ).scalar()


def _count(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return func.sum(case((condition, 1), else_=0))


def _known(usd: ColumnElement[Any]) -> ColumnElement[Any]:
    """The sum of what was billed for sure."""
    return func.sum(case((_settled.unknown, _ZERO), else_=usd))


def _day(connection: Connection) -> ColumnElement[str]:
    if connection.dialect.name == "sqlite":
        return func.substr(cast(_started.started_at, Text), 1, 10)
    return func.to_char(func.timezone("UTC", _started.started_at), "YYYY-MM-DD")


def _areas(text: str | None) -> tuple[str, ...]:
    return tuple(json.loads(text)) if text else ()
