"""What was spent before and with a review, and what is left, in words."""

from decimal import Decimal

from reviewbot.costs.budget import Account, Spending, cap_text, noted, whose
from reviewbot.publishing.figures import CostRow, cost_rows, joules_text, usd
from reviewbot.publishing.result import Review
from reviewbot.review.engine import Outcome
from reviewbot.routing.wording import plural


def cost_table(review: Review) -> list[CostRow]:
    """The whole cost table: this review, its pull request, the month, and what is left."""
    rows = cost_rows(review)
    if (pull := review.spending and review.spending.of("pull")) and not _unreal(review):
        how = _spent(pull, _all_claude_here(review))
        rows.append(CostRow("This pull request", usd(pull.total_usd), how))
    return [*rows, *month_rows(review)]


def month_rows(review: Review) -> list[CostRow]:
    """The month, and what is left of the tightest budget."""
    spending = review.spending
    if spending is None or _unreal(review):
        return []
    rows, here = [], _all_claude_here(review)
    if month := month_of(spending, review.change.repository):
        scope = "this repository" if month.scope.kind == "repository" else "all repositories"
        how = f"{scope} in {month.scope.period}: {_spent(month, here)}"
        rows.append(CostRow("This month", usd(month.total_usd), how))
    if left := left_row(spending):
        short = review.held or any(c.outcome is Outcome.OVER_BUDGET for c in review.calls)
        more = "; too little for the next question" if short else ""
        rows.append(left._replace(how=left.how + more))
    return rows


def month_of(spending: Spending, repository: str | None) -> Account | None:
    """The month of the repository; of all of them, for a change that is of none."""
    return spending.of("repository" if repository else "operator")


def left_row(spending: Spending) -> CostRow | None:
    """What is left of the tightest budget; None where nothing is capped."""
    tightest = spending.tightest
    if tightest is None or tightest.cap_usd is None or tightest.left_usd is None:
        return None
    rate = "" if tightest.scope.kind == "pull" else " a month"
    of = f"of {cap_text(tightest.cap_usd)}{rate} for {whose(tightest.scope.kind, '')}"
    return CostRow("Budget left", usd(tightest.left_usd), f"{of}: {_percent(tightest)} % used")


def budget_notes(spending: Spending, repository: str) -> list[str]:
    """What people should know of budgets that are nearly used up."""
    notes = []
    for account in noted(spending.accounts):
        kind = account.scope.kind
        rate = "" if kind == "pull" else f" for {account.scope.period}"
        notes.append(
            f"budget: {whose(kind, repository)} used {_percent(account)} %"
            f" of {cap_text(account.cap_usd or Decimal(0))}{rate}"
        )
    return notes


def _unreal(review: Review) -> bool:
    """Hand-written answers cost nothing: sums of real money do not belong beside theirs."""
    return bool(review.calls) and all(call.scripted for call in review.calls)


def _all_claude_here(review: Review) -> Decimal:
    """The review's own comparison, as long as the sums do not have it."""
    counted = review.spending is not None and review.spending.counted
    return Decimal(0) if counted else review.cost.all_claude_usd or Decimal(0)


def _spent(account: Account, all_claude_here: Decimal) -> str:
    joules = f" ({joules_text(account.joules)})" if account.joules else ""
    parts = [
        plural(account.calls, "call"),
        f"Claude {usd(account.claude_usd)}, local {usd(account.local_usd)}{joules}",
    ]
    if other := account.external_usd - account.claude_usd:
        parts[1] += f", other services {usd(other)}"
    if all_claude := account.all_claude_usd + all_claude_here:
        parts.append(f"all Claude {usd(all_claude)}")
    if waiting := account.reserved_usd + account.unknown_usd:
        parts.append(f"at most {usd(waiting)} more in calls without a bill")
    return "; ".join(parts)


def _percent(account: Account) -> int:
    """Of the cap that is used, rounded down; a bill above its reserve may pass 100."""
    return int(account.share * 100)
