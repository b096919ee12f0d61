"""A review's figures in words, the same on a pull request and on a terminal."""

from collections import Counter
from collections.abc import Iterable
from decimal import ROUND_HALF_UP, Decimal
from typing import NamedTuple

from reviewbot.costs.calls import Call
from reviewbot.costs.local import JoulesHow
from reviewbot.costs.summary import CLAUDE, CostSummary
from reviewbot.publishing.result import Review
from reviewbot.publishing.rounds import LISTED
from reviewbot.review.answer import Severity
from reviewbot.review.engine import Outcome
from reviewbot.review.finding import Coverage, CoverageStatus
from reviewbot.review.plan import NO_MODEL
from reviewbot.review.prompt import ABOUT
from reviewbot.review.regret import PURPOSE
from reviewbot.routing.model import Route, Tier
from reviewbot.routing.wording import plural

_HOW: dict[JoulesHow, str] = {
    "measured": "measured",
    "watts × seconds": "configured watts × seconds",
    "mixed": "partly measured, partly watts × seconds",
    "none": "",
}


class CostRow(NamedTuple):
    """One line of the cost table."""

    what: str
    usd: str
    how: str


def verdict(review: Review) -> str:
    """What was found, in a few words; never a clean look where something was not read."""
    counts = Counter(finding.severity for finding in review.open)
    found = ", ".join(f"{counts[level]} {level}" for level in Severity if counts[level])
    if review.held:
        return f"HELD: budget used up{f'; so far {found}' if found else ''}"
    if not review.complete:
        read = any(entry.engine not in (NO_MODEL, "none") for entry in review.coverage)
        nothing = "nothing found in what was read" if read else "no model read it"
        return f"INCOMPLETE: {found or nothing}"
    if found:
        return found
    if review.route.tier is Tier.SKIP or not review.coverage:
        return "nothing to review"
    return "nothing found"


def usd(amount: Decimal) -> str:
    """`$12.30`, `$0.0412`, `$0.000012`: cents from a dollar on, else at least two digits that count."""
    if amount < 0:
        return "-" + usd(-amount)
    if not amount:
        return "$0"
    places = 2 if amount >= 1 else max(4, 1 - amount.adjusted())
    return f"${amount.quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP):,f}"


def energy(cost: CostSummary) -> str:
    """`1,234 J measured`; empty where nothing is known of it."""
    if cost.joules_how == "none":
        return ""
    return f"{joules_text(cost.joules)}, {_HOW[cost.joules_how]}"


def joules_text(joules: float) -> str:
    """`1,234 J`, `12.3 kJ`."""
    return f"{joules / 1000:,.1f} kJ" if joules >= 10_000 else f"{joules:,.0f} J"


def cost_rows(review: Review) -> list[CostRow]:
    """The cost table: who cost what, the total, and what Claude alone would have cost."""
    cost = review.cost
    made = [call for call in review.calls if call.outcome is not Outcome.OVER_BUDGET]
    claude = [call for call in made if call.engine == CLAUDE]
    local = [call for call in made if call.engine != CLAUDE and call.provider is None]
    other = [call for call in made if call.engine != CLAUDE and call.provider is not None]
    rows = [
        CostRow("Claude", _usd(cost.claude_usd, claude), _used(claude)),
        CostRow("Local", _usd(cost.local_usd, local), _joined(_used(local), energy(cost))),
    ]
    if other or cost.other_external_usd:
        rows.append(CostRow("Other services", _usd(cost.other_external_usd, other), _used(other)))
    calls = plural(cost.calls, "call") + (
        f", {cost.over_budget} not made: over budget" if cost.over_budget else ""
    )
    rows.append(CostRow("Total", _usd(cost.total_usd, made), calls))
    if cost.unknown_usd:
        how = "reserved for calls that may have been billed without an answer"
        rows.append(CostRow("At most more", usd(cost.unknown_usd), how))
    if cost.all_claude_usd is not None:
        amount = usd(cost.all_claude_usd) + ("" if _all_by_claude(review) else " est.")
        rows.append(CostRow("All Claude", amount, _saving(review, cost.all_claude_usd)))
    return rows


def _all_by_claude(review: Review) -> bool:
    """Nothing of the comparison is priced by another model's tokens or by none."""
    calls = all(call.engine == CLAUDE for call in review.calls) and not review.cost.estimated
    return calls and all(entry.engine != NO_MODEL for entry in review.coverage)


def _usd(amount: Decimal, calls: Iterable[Call]) -> str:
    estimated = any(call.usage is not None and call.usage.estimated for call in calls)
    return usd(amount) + (" est." if estimated and amount else "")


def _used(calls: list[Call]) -> str:
    """Models, calls and tokens."""
    if not calls:
        return "no call"
    models = ", ".join(dict.fromkeys(call.model for call in calls))
    usages = [call.usage for call in calls if call.usage is not None]
    if not usages:
        return f"{models}, {plural(len(calls), 'call')}"
    read = sum(u.input + u.cache_read + u.cache_write_5m + u.cache_write_1h for u in usages)
    tokens = f"{read:,} tokens in, {sum(u.output for u in usages):,} out"
    estimated = " (estimated)" if any(u.estimated for u in usages) else ""
    return f"{models}, {plural(len(calls), 'call')}, {tokens}{estimated}"


def _saving(review: Review, all_claude: Decimal) -> str:
    """The comparison in words: a review that some files did without saves nothing."""
    cost = review.cost
    same = "the same prompts on Claude alone"
    if not review.complete:
        return f"{same}; nothing is saved by what was not read as the route asks"
    sampled = sum(
        (c.usd for c in review.calls if c.start.purpose == PURPOSE and not c.unknown), Decimal(0)
    )
    if sampled:
        same += ", the sampled comparison apart"
    saved = all_claude - (cost.total_usd - sampled)
    would = "would be " if cost.scripted else ""
    if saved < 0:
        return f"{same}: {usd(-saved)} less than this route"
    if not saved:
        return f"{same}: nothing saved"
    share = int(saved / all_claude * 100)
    return f"{same}: {usd(saved)} ({share} %) {would}saved"


def _joined(*parts: str) -> str:
    return ", ".join(part for part in parts if part)


def scripted_line(review: Review) -> str:
    """What to know of a review with hand-written answers; empty for a real one."""
    if not review.scripted:
        return ""
    if all(call.scripted for call in review.calls):
        return "SCRIPTED: answers are written by hand for a demonstration. No model was asked."
    return "PARTLY SCRIPTED: some answers are written by hand for a demonstration."


def cost_title(review: Review) -> str:
    """The cost table's title: hand-written answers cost nothing."""
    if not review.scripted:
        return "Cost"
    if all(call.scripted for call in review.calls):
        return "Cost (SCRIPTED: what it would cost, nothing was paid)"
    return "Cost (PARTLY SCRIPTED: what it would cost)"


def why_line(route: Route) -> str:
    """The decision's reason, without the tier that is shown before it."""
    tier, colon, rest = route.why.partition(": ")
    return rest if colon and tier.lower() == route.tier else route.why


def engine_label(engine: str) -> str:
    """The engine in words: `openai` is an API's name here, not a company's."""
    return "openai-compatible" if engine == "openai" else engine


def egress_line(review: Review) -> str:
    """What left this machine."""
    if not review.egress:
        return "nothing left this machine"
    size = sum(entry.bytes for entry in review.egress)
    cut = sum(entry.redactions for entry in review.egress)
    files = sum(entry.path != ABOUT for entry in review.egress)
    verb = "would leave" if review.scripted else "left"
    sent = f"{size:,} bytes of {plural(files, 'file')} {verb} this machine"
    return f"{sent}; {plural(cut, 'secret') if cut else 'no secret'} cut out before"


def coverage_groups(
    coverage: Iterable[Coverage],
) -> dict[tuple[CoverageStatus, str, str], list[str]]:
    """(status, who read it, why) → paths; what was not read in full comes first."""
    order = [CoverageStatus.PARTIAL, CoverageStatus.SKIPPED, CoverageStatus.FULL]
    groups: dict[tuple[CoverageStatus, str, str], list[str]] = {}
    for entry in sorted(coverage, key=lambda entry: order.index(entry.status)):
        key = (entry.status, engine_label(entry.engine), entry.reason)
        groups.setdefault(key, []).append(entry.path)
    return groups


def coverage_line(coverage: Iterable[Coverage]) -> str:
    """`12 files: 10 full (claude), 2 skipped`."""
    counts: Counter[str] = Counter()
    for entry in coverage:
        label = "no model" if entry.engine == NO_MODEL else engine_label(entry.engine)
        reader = "" if entry.engine == "none" else f" ({label})"
        counts[f"{entry.status}{reader}"] += 1
    total = plural(counts.total(), "file")
    return (
        f"{total}: " + ", ".join(f"{n} {what}" for what, n in counts.most_common())
        if counts
        else total
    )


def dropped_line(review: Review) -> str:
    """`3 findings not shown: 2 merged, 1 below severity`; empty where all are."""
    dropped = {why: n for why, n in review.dropped.items() if n and why != LISTED}
    if not dropped:
        return ""
    parts = ", ".join(f"{count} {why}" for why, count in dropped.items())
    return f"{plural(sum(dropped.values()), 'finding')} not shown: {parts}"


def tiers_line(route: Route) -> str:
    """`3 files: 1 claude, 2 local`."""
    counts = Counter(file.tier for file in route.files)
    parts = ", ".join(
        f"{counts[tier]} {tier}" for tier in (Tier.CLAUDE, Tier.LOCAL, Tier.SKIP) if counts[tier]
    )
    return f"{plural(len(route.files), 'file')}: {parts}" if parts else "no files"


def scale(review: Review) -> str:
    """`5 files, +48 −12`."""
    files = review.change.files
    added, removed = sum(f.added_count for f in files), sum(f.removed_count for f in files)
    return f"{plural(len(files), 'file')}, +{added:,} −{removed:,}"


def place_of(review: Review) -> list[str]:
    """Repository, pull request and commits, as far as known."""
    change = review.change
    parts = []
    if change.repository:
        parts.append(change.repository + (f" #{change.number}" if change.number else ""))
    if change.base or change.head:
        parts.append(f"{_short(change.base)}..{_short(change.head)}")
    return parts


def _short(sha: str | None) -> str:
    return sha[:10] if sha else "?"
