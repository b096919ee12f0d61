"""What a way to review is called: who reads, then what is done besides, as in `reviewbot eval`."""

from collections.abc import Iterable, Iterator, Mapping

from reviewbot.config.policy import Policy
from reviewbot.review.engine import Lineup, Role, stands_for

#: Role that reads → the name's head; where several read, the first of them gives it.
_HEADS: Mapping[Role, str] = {
    "claude": "claude",
    "fallback": "claude",
    "low": "cheap",
    "local": "local",
}


def strategy_name(readers: Iterable[Role], policy: Policy, lineup: Lineup) -> str:
    """The strategy by which these roles have read a change: `claude`, `local+passes3+verify`; empty
    where nobody has.

    What a policy wants and no engine can do is not in the name.
    """
    roles = {stands_for(role) for role in readers}
    head = next((name for role, name in _HEADS.items() if role in roles), "")
    return "+".join([head, *_besides(head, policy, lineup)]) if head else ""


def _besides(head: str, policy: Policy, lineup: Lineup) -> Iterator[str]:
    review = policy.review
    if head == "local":
        if review.passes > 1:
            yield f"passes{review.passes}"
        if review.verify:
            yield "verify"
        if policy.escalate.max_per_pr and lineup.get("claude"):
            yield "escalate"
    if head == "claude" and policy.strategy == "refine" and lineup.get("local"):
        yield "refine"
    if review.checklists:
        yield "checklists"
    if review.fixes:
        yield "fixes"
    if review.context == "diff":
        yield "diff"
