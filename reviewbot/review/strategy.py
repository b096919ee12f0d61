"""What a way to review is called: who reads, then what is done besides, as in `reviewbot eval`."""

from collections.abc import Iterator

from reviewbot.config.policy import Policy
from reviewbot.review.engine import Lineup
from reviewbot.routing.model import Tier


def strategy_name(tier: Tier, policy: Policy, lineup: Lineup) -> str:
    """The strategy by which a change of this tier is read: `claude`, `local+passes3+verify`.

    What a policy wants and no engine can do is not in the name.
    """
    return "+".join([tier.value, *_besides(tier, policy, lineup)])


def _besides(tier: Tier, policy: Policy, lineup: Lineup) -> Iterator[str]:
    review = policy.review
    if tier is Tier.LOCAL and lineup.get("local"):
        if review.passes > 1:
            yield f"passes{review.passes}"
        if review.verify:
            yield "verify"
        if policy.escalate.max_per_pr and lineup.get("claude"):
            yield "escalate"
    if tier is Tier.CLAUDE and policy.strategy == "refine" and lineup.get("local"):
        yield "refine"
    if review.checklists:
        yield "checklists"
    if review.fixes:
        yield "fixes"
    if review.context == "diff":
        yield "diff"
