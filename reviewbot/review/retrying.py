"""When the same question is put to the same engine again, and after how long."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from reviewbot.review.answer import parse_answer
from reviewbot.review.engine import Outcome, Reply
from reviewbot.review.fix import parse_fixes
from reviewbot.review.prompt import FIX, ROUTE, SECOND, VERIFY, Task
from reviewbot.review.risk import parse_risk
from reviewbot.review.second import parse_second
from reviewbot.review.verdict import parse_verdicts

#: What reads the answer to a question that is no review.
_PARSERS: Sequence[tuple[Task, Callable[[str], object]]] = (
    (VERIFY, parse_verdicts),
    (ROUTE, parse_risk),
    (SECOND, parse_second),
    (FIX, parse_fixes),
)
#: Tries of one question to one engine, the first included.
MAX_ATTEMPTS = 4
#: Longest wait that is worth it while somebody waits for the review, seconds.
MAX_WAIT = 120.0


def retry_delay(reply: Reply, attempt: int) -> float | None:
    """Seconds to wait before the next try after try number `attempt` (from 1); None for no more.

    A 429 that names no time is a spending limit: trying again only costs time; a question over
    the budget is tried again where other calls' reserves stand in its way. A malformed
    answer and a timeout are worth one more try, an unreachable or overloaded service a few.
    """
    if attempt >= MAX_ATTEMPTS:
        return None
    backoff = float(2**attempt)
    if reply.outcome in (Outcome.RATE_LIMITED, Outcome.OVER_BUDGET):
        wait = reply.retry_after
    elif reply.outcome in (Outcome.OVERLOADED, Outcome.UNREACHABLE):
        wait = backoff if reply.retry_after is None else reply.retry_after
    elif reply.outcome in (Outcome.MALFORMED, Outcome.TIMED_OUT) and attempt == 1:
        wait = 0.0
    else:
        wait = None
    return wait if wait is not None and wait <= MAX_WAIT else None


def checked(reply: Reply, schema: Mapping[str, Any]) -> Reply:
    """The reply with the outcome that its text deserves: an engine only knows that one came.

    Text that is no answer of the asked form is `malformed`; a review that breaks off after whole
    remarks is `truncated`.
    """
    if reply.outcome is not Outcome.ANSWERED:
        return reply
    if schema == SECOND.schema and (opinion := parse_second(reply.text)):
        return replace(reply, detail=opinion.verdict.value)  # for the ledger
    for task, parse in _PARSERS:
        if schema == task.schema:
            if parse(reply.text) is not None:
                return reply
            detail = reply.detail or "the answer is not of the asked form"
            return replace(reply, outcome=Outcome.MALFORMED, detail=detail)
    answer = parse_answer(reply.text)
    if answer.whole:
        return reply
    outcome = Outcome.TRUNCATED if answer.remarks else Outcome.MALFORMED
    return replace(reply, outcome=outcome, detail=reply.detail or answer.problems[0])
