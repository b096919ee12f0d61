"""What the same prompts would have cost on Claude alone."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from reviewbot.change.tokens import estimate_tokens
from reviewbot.costs.calls import Call
from reviewbot.costs.prices import PriceBook
from reviewbot.review.assemble import Read
from reviewbot.review.engine import Outcome
from reviewbot.review.finding import Coverage
from reviewbot.review.plan import NO_MODEL
from reviewbot.review.prompt import FRAME_TOKENS, Briefing
from reviewbot.review.work import planned_prompt_tokens

#: Length of an answer that was never made, tokens: a walkthrough and two findings. Replaced by
#: measured lengths wherever a model answered.
ASSUMED_OUTPUT_TOKENS = 600
#: Outcomes that a model has worked for.
_ANSWERED = frozenset({Outcome.ANSWERED, Outcome.TRUNCATED})


def all_claude_usd(
    reads: Sequence[tuple[Read, Sequence[Call]]],
    coverage: Sequence[Coverage],
    briefing: Briefing,
    prices: PriceBook,
    *,
    model: str,
    context_tokens: int,
    at: datetime,
) -> Decimal:
    """Every prompt once, at `model`'s price: its own answers at what they cost, other models' with
    the measured lengths, failed ones and files that no model read with assumed ones.

    `reads` are what stands for each part and the questions how to mend what was found: Claude alone
    would be asked those, too, but for no judgement of its findings, drafts or second opinions.
    Retries and refusals do not count: the comparison is with a Claude that answers at once.
    """

    def price(prompt_tokens: int, output_tokens: int) -> Decimal:
        return prices.estimate("anthropic", model, prompt_tokens, output_tokens, at=at)

    total = Decimal(0)
    for read, calls in reads:
        last = calls[-1] if calls else None
        used = read.reply.usage if read.reply.outcome in _ANSWERED else None
        if last and used and last.provider == "anthropic" and last.model_asked == model:
            total += last.usd
        elif used:
            prompt = used.input + used.cache_read + used.cache_write_5m + used.cache_write_1h
            total += price(prompt, used.output)
        else:
            tokens = FRAME_TOKENS + estimate_tokens(read.job.composed.prompt.text)
            total += price(tokens, ASSUMED_OUTPUT_TOKENS)
    unread = {entry.path for entry in coverage if entry.engine == NO_MODEL}
    files = [file for file in briefing.change.files if file.path in unread]
    if files:
        tokens, units = planned_prompt_tokens(files, briefing, context_tokens=context_tokens)
        total += price(tokens, units * ASSUMED_OUTPUT_TOKENS)
    return total
