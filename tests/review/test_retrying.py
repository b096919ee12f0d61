"""Waiting is worth it for some failures, and never for ever."""

import pytest

from reviewbot.review.engine import Outcome, Reply
from reviewbot.review.prompt import REVIEW, ROUTE, VERIFY, Task
from reviewbot.review.retrying import MAX_ATTEMPTS, MAX_WAIT, checked, retry_delay


@pytest.mark.parametrize(
    ("outcome", "asked", "attempt", "delay"),
    [
        (Outcome.RATE_LIMITED, 7.0, 1, 7.0),
        (Outcome.RATE_LIMITED, None, 1, None),
        (Outcome.RATE_LIMITED, MAX_WAIT + 1, 1, None),
        (Outcome.OVERLOADED, None, 1, 2.0),
        (Outcome.OVERLOADED, None, 3, 8.0),
        (Outcome.OVERLOADED, 1.0, 2, 1.0),
        (Outcome.MALFORMED, None, 1, 0.0),
        (Outcome.MALFORMED, None, 2, None),
        (Outcome.TIMED_OUT, None, 1, 0.0),
        (Outcome.ANSWERED, None, 1, None),
        (Outcome.REFUSED, None, 1, None),
        (Outcome.DENIED, None, 1, None),
        (Outcome.OVER_BUDGET, 5.0, 1, 5.0),
        (Outcome.OVER_BUDGET, None, 1, None),
    ],
)
def test_delays(outcome: Outcome, asked: float | None, attempt: int, delay: float | None) -> None:
    reply = Reply(outcome, "model", 0.1, retry_after=asked)

    assert retry_delay(reply, attempt) == delay


@pytest.mark.parametrize("outcome", list(Outcome))
def test_nothing_is_tried_for_ever(outcome: Outcome) -> None:
    assert retry_delay(Reply(outcome, "model", 0.1, retry_after=1.0), MAX_ATTEMPTS) is None


VERDICTS = '{"verdicts": [{"finding": 1, "verdict": "real"}]}'
NO = '{"risky": false, "area": "none", "why": "A typing error."}'


@pytest.mark.parametrize(
    ("task", "text", "outcome"),
    [
        (REVIEW, '{"walkthrough": "", "findings": []}', Outcome.ANSWERED),
        (REVIEW, "I approve this change.", Outcome.MALFORMED),
        (REVIEW, '{"walkthrough": "x", "findings": [{"path": "a", "line": 1, "quote": "q", "severity":'
         ' "low", "category": "api", "title": "t", "body": "b", "confidence": 1}, {"pa',
         Outcome.TRUNCATED),
        (VERIFY, VERDICTS, Outcome.ANSWERED),
        (VERIFY, VERDICTS[:-4], Outcome.MALFORMED),
        (VERIFY, NO, Outcome.MALFORMED),
        (ROUTE, NO, Outcome.ANSWERED),
        (ROUTE, "no", Outcome.MALFORMED),
    ],
)  # fmt: skip
def test_an_answer_is_what_its_text_makes_it(task: Task, text: str, outcome: Outcome) -> None:
    reply = Reply(Outcome.ANSWERED, "model", 0.1, text=text)

    assert checked(reply, task.schema).outcome is outcome


def test_other_outcomes_stay() -> None:
    reply = Reply(Outcome.REFUSED, "model", 0.1, text="no")

    assert checked(reply, REVIEW.schema) is reply
