"""What the ledger knows of answers: how long they are, and how fast our own hardware is."""

from collections.abc import Sequence
from decimal import Decimal
from typing import NamedTuple

from reviewbot.costs.calls import Call
from reviewbot.costs.comparison import ASSUMED_OUTPUT_TOKENS
from reviewbot.review.engine import Outcome, Usage
from reviewbot.review.regret import PURPOSE as REGRET
from reviewbot.review.verify import DRAFT, REFINED

#: Fewer answers than this say nothing reliable about the next ones.
ENOUGH_CALLS = 20
#: Assumed of a 32B model in 4 bits on a 24 GB card that answers one prompt at a time: tokens that
#: it reads and writes a second. Not measured by us; docs/costs.md says how to state your own.
ASSUMED_READING, ASSUMED_WRITING = Decimal(1_000), Decimal(30)

_ANSWERED = frozenset({Outcome.ANSWERED, Outcome.TRUNCATED})
#: Purposes of calls that read a part of a change, as the forecast's prompts do; answers about single
#: findings or about the route are far shorter.
_READING = frozenset({"review", DRAFT, REFINED, REGRET})


class Lengths(NamedTuple):
    """Mean tokens of an answer to one prompt."""

    claude: Decimal = Decimal(ASSUMED_OUTPUT_TOKENS)
    local: Decimal = Decimal(ASSUMED_OUTPUT_TOKENS)
    claude_calls: int = 0
    """How many calls of the ledger that is the mean of; 0: the default."""
    local_calls: int = 0


class Speed(NamedTuple):
    """Tokens a second of our own hardware."""

    reading: Decimal = ASSUMED_READING
    writing: Decimal = ASSUMED_WRITING
    source: str = "assumed"
    """`assumed`, `stated`, or `measured over … calls`."""

    def seconds(self, prompt_tokens: Decimal | int, output_tokens: Decimal | int) -> Decimal:
        """Busy seconds that so many tokens take."""
        return prompt_tokens / self.reading + output_tokens / self.writing


def measured_lengths(calls: Sequence[Call]) -> Lengths:
    """The means of answered calls that read a part of a change, where there are enough; else the
    documented default."""
    read = [(c, used.output) for c, used in _answered(calls) if c.start.purpose in _READING]
    claude = [output for call, output in read if call.provider == "anthropic"]
    local = [output for call, output in read if call.provider is None]
    lengths = Lengths()
    if len(claude) >= ENOUGH_CALLS:
        lengths = lengths._replace(claude=_mean(claude), claude_calls=len(claude))
    if len(local) >= ENOUGH_CALLS:
        lengths = lengths._replace(local=_mean(local), local_calls=len(local))
    return lengths


def measured_speed(calls: Sequence[Call]) -> Speed | None:
    """Tokens of all local calls by their busy seconds; None where there are too few.

    One figure for reading and writing: right as long as prompts and answers keep their lengths.
    """
    local = [(c, u) for c, u in _answered(calls) if c.provider is None and c.busy_seconds > 0]
    if len(local) < ENOUGH_CALLS:
        return None
    tokens = sum(_prompt(used) + used.output for _, used in local)
    rate = Decimal(tokens) / Decimal(str(sum(call.busy_seconds for call, _ in local)))
    return Speed(rate, rate, f"measured over {len(local)} calls") if rate else None


def _answered(calls: Sequence[Call]) -> list[tuple[Call, Usage]]:
    """Real answers with real counts."""
    return [
        (call, call.usage)
        for call in calls
        if call.outcome in _ANSWERED and call.usage and not call.scripted
    ]


def _prompt(used: Usage) -> int:
    return used.input + used.cache_read + used.cache_write_5m + used.cache_write_1h


def _mean(numbers: Sequence[int]) -> Decimal:
    return Decimal(sum(numbers)) / len(numbers)
