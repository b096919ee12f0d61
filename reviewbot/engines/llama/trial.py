"""A short review by a model, to see that it works here and how fast."""

import resource
import sys
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass

from reviewbot.change.parse import parse_diff
from reviewbot.engines.energy import energy_meter
from reviewbot.engines.llama.machine import read_machine
from reviewbot.engines.llama.plan import LoadPlan
from reviewbot.errors import EngineError
from reviewbot.review.engine import Outcome, Prompt
from reviewbot.review.prompt import Briefing, compose
from reviewbot.review.units import pack

#: Longest answer of the trial, tokens; and most tokens of its change.
ANSWER_TOKENS, _CHANGE_TOKENS = 256, 2_000

_CHANGE = """\
diff --git a/shop/refunds.py b/shop/refunds.py
--- a/shop/refunds.py
+++ b/shop/refunds.py
@@ -8,4 +8,6 @@ from shop.orders import Order
 def refund(order: Order, share: float) -> int:
     '''Cents to give back for a share of an order.'''
-    return round(order.cents * share)
+    cents = order.cents * share
+    log.info("refund %s for card %s", cents, order.card_number)
+    return int(cents)
 # end of refunds
"""


@dataclass(frozen=True)
class Trial:
    """What a short review took. Bytes, seconds, joules; tokens per second of one request alone."""

    description: str
    """Architecture, size class and quantisation."""
    outcome: Outcome
    detail: str
    load_seconds: float
    prompt_tokens: int
    prompt_tokens_per_second: float
    answer_tokens: int
    answer_tokens_per_second: float
    ram_bytes: int
    """The most that the model's process held, files in memory included."""
    vram_bytes: int
    joules: float | None
    """Of all cards while it answered; None where no card counts them."""


def trial_prompt() -> Prompt:
    """A change of one file with two mistakes in it."""
    change = parse_diff(_CHANGE, title="Log refunds")
    unit = pack(change.files, _CHANGE_TOKENS).units[0]
    return compose(
        Briefing(change), unit, 1, external=False, max_output_tokens=ANSWER_TOKENS
    ).prompt


def run_trial(plan: LoadPlan, *, timeout: float, say: Callable[[str], None]) -> Trial:
    """Load the model, ask it once, and measure. Raises EngineError if it does not answer."""
    # only this takes the process that holds the model
    from reviewbot.engines.llama.engine import LlamaEngine
    from reviewbot.engines.llama.process import Died, NoAnswerInTime

    prompt = trial_prompt()
    free = read_machine().vram_free
    meter = energy_meter()
    with closing(LlamaEngine(plan)) as engine:
        say(f"loading {plan.model.name}")
        try:
            loaded = engine.start(timeout=timeout)
        except (Died, NoAnswerInTime) as error:
            raise EngineError(f"{plan.model.name} can't be loaded: {error}") from None
        say("reviewing a short change")
        before = meter() if meter else 0.0
        reply = engine.ask(prompt, timeout=timeout)
        joules = meter() - before if meter else None
        vram = max(free - read_machine().vram_free, 0)
    usage = reply.usage
    if usage is None:
        raise EngineError(f"{plan.model.name} did not answer ({reply.outcome}): {reply.detail}")
    return Trial(
        description=loaded.description,
        outcome=reply.outcome,
        detail=reply.detail,
        load_seconds=loaded.seconds,
        prompt_tokens=usage.input,
        prompt_tokens_per_second=usage.input / max(float(reply.raw["prompt_s"]), 1e-3),
        answer_tokens=usage.output,
        answer_tokens_per_second=usage.output / max(float(reply.raw["answer_s"]), 1e-3),
        ram_bytes=_largest_child(),
        vram_bytes=vram,
        joules=joules,
    )


def _largest_child() -> int:
    """The most memory that an ended process of ours held, bytes."""
    held = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    return held if sys.platform == "darwin" else held * 1024
