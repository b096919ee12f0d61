"""A plain model of the accounts: the whole ledger, added up."""

from collections import defaultdict
from collections.abc import Iterable
from decimal import Decimal

from reviewbot.costs.calls import Call, CallStart

Key = tuple[str, str, str]
Sums = dict[str, Decimal | int]


def ledger_sums(entries: Iterable[Call | CallStart]) -> dict[Key, Sums]:
    """(kind, name, month) → what its calls come to."""
    sums: dict[Key, Sums] = defaultdict(
        lambda: {"reserved": Decimal(0), "unknown": Decimal(0), "external": Decimal(0),
                 "claude": Decimal(0), "local": Decimal(0), "calls": 0}
    )  # fmt: skip
    for entry in entries:
        start = entry.start if isinstance(entry, Call) else entry
        repository = start.repository if start.repository_id is None else str(start.repository_id)
        month = f"{start.started_at:%Y-%m}"
        keys = [("repository", repository, month), ("operator", "", month)]
        if start.number is not None:
            keys.append(("pull", f"{repository}#{start.number}", ""))
        for key in keys:
            _book(sums[key], entry)
    return {key: each for key, each in sums.items() if any(each.values())}


def _book(sums: Sums, entry: Call | CallStart) -> None:
    if isinstance(entry, CallStart):
        sums["reserved"] += entry.reserved_usd
    elif entry.scripted:
        return
    elif entry.unknown:
        sums["unknown"] += entry.usd
        sums["calls"] += 1
    else:
        sums["external"] += entry.usd
        sums["claude"] += entry.usd if entry.engine == "claude" else 0
        sums["local"] += entry.energy_usd + entry.amortisation_usd
        sums["calls"] += entry.outcome != "over_budget"
