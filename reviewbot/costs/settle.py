"""From a reply to its row in the ledger."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from decimal import Decimal

from reviewbot.costs.calls import Call, CallStart
from reviewbot.costs.local import LocalRates, local_cost
from reviewbot.costs.prices import PriceBook
from reviewbot.errors import PriceError
from reviewbot.review.engine import Outcome, Reply

#: Replies that a service does not bill where they name no usage: it answered with an error, or was
#: not asked.
#: A timeout or a broken connection is not among them: an answer may be on its way.
UNBILLED = frozenset(
    {
        Outcome.RATE_LIMITED,
        Outcome.OVERLOADED,
        Outcome.TOO_LONG,
        Outcome.DENIED,
        Outcome.REJECTED,
        Outcome.OVER_BUDGET,
    }
)


def settle_call(
    start: CallStart,
    reply: Reply,
    *,
    prices: PriceBook,
    rates: LocalRates,
    at: datetime,
    busy_seconds: float | None = None,
) -> Call:
    """The settled call; never raises for what a service said.

    Where nothing tells what was billed, the call stays at its reserve, marked unknown.
    `busy_seconds` is the call's share of our own hardware's time where calls overlap; without
    it, all of the call's time counts.
    """
    call = Call(
        start=start,
        outcome=reply.outcome,
        model=reply.model or start.model,
        settled_at=at,
        latency_seconds=reply.seconds,
        usage=reply.usage,
        raw=dict(reply.raw),
        service_tier=_service_tier(reply),
        detail=reply.detail,
        scripted=reply.scripted,
    )
    if start.provider is None:
        busy = reply.seconds if busy_seconds is None else busy_seconds
        return _local(call, reply, rates, max(busy, 0.0))
    return _external(call, start.provider, reply, prices)


def _local(call: Call, reply: Reply, rates: LocalRates, busy_seconds: float) -> Call:
    cost = local_cost(rates, busy_seconds, reply.joules)
    return replace(
        call,
        energy_usd=cost.energy_usd,
        amortisation_usd=cost.amortisation_usd,
        joules=cost.joules,
        joules_how=cost.how,
        busy_seconds=busy_seconds,
    )


def _external(call: Call, provider: str, reply: Reply, prices: PriceBook) -> Call:
    told = reply.usage is not None or bool(reply.raw.get("usage"))
    if not told and reply.outcome in UNBILLED:
        return replace(call, usd=Decimal(0))
    if not told:
        return _unknown(call, "the reply does not say what it used")
    try:
        # the moment the call began decides which price is in force
        cost = prices.settle(
            provider, call.model_asked, reply.raw, reply.usage, call.start.started_at
        )
    except PriceError as error:
        return _unknown(call, str(error))
    priced = replace(call, usage=cost.usage, price=cost.price, usd=cost.usd, warnings=cost.warnings)
    if cost.estimated and not call.scripted:
        return _unknown(priced, "the provider gave no token count")
    return priced


def _unknown(call: Call, why: str) -> Call:
    return replace(call, usd=call.start.reserved_usd, unknown=True, warnings=(*call.warnings, why))


def _service_tier(reply: Reply) -> str:
    used = reply.raw.get("usage")
    tier = reply.raw.get("service_tier") or (
        used.get("service_tier") if isinstance(used, Mapping) else ""
    )
    return tier[:60] if isinstance(tier, str) else ""
