"""Verdicts on findings: what may be said, and what becomes of the findings."""

import json
from dataclasses import replace

import pytest

from reviewbot.change.model import Change
from reviewbot.review.answer import Category, Severity
from reviewbot.review.engine import EngineFacts, Outcome, Reply
from reviewbot.review.finding import Finding
from reviewbot.review.prompt import REVIEW, VERIFY, Briefing, compose
from reviewbot.review.units import pack
from reviewbot.review.verdict import Verdict, parse_verdicts
from reviewbot.review.verify import MAX_JUDGED, Standing, Trial, trial
from reviewbot.review.work import Job

KEY = "ghp_" + "16C7e42F292c6912E7710c838347Ae178B4a"
HERE = EngineFacts("llama", "qwen", False, None, 16_000)
OUTSIDE = EngineFacts("openai", "qwen", True, "host", 16_000)
FINDING = Finding(
    path="app/login.py",
    line=7,
    end_line=7,
    side="RIGHT",
    severity=Severity.LOW,
    category=Category.SECURITY,
    title="Compares digests in variable time",
    body="Use hmac.compare_digest.",
    quote="if user.digest == digest(password):",
    confidence=0.8,
    engine="llama",
)


def answer(*verdicts: tuple[int, str]) -> str:
    said = [{"finding": number, "verdict": verdict} for number, verdict in verdicts]
    return json.dumps({"verdicts": said})


@pytest.fixture
def job(login_change: Change) -> Job:
    [unit] = pack(login_change.files, 10_000).units
    return Job("local", unit, 1, compose(Briefing(login_change), unit, 1, external=False))


def tried(job: Job, *findings: Finding, facts: EngineFacts = HERE) -> Trial:
    return trial(job, findings, facts)


def judged(trial: Trial, text: str, outcome: Outcome = Outcome.ANSWERED) -> Standing:
    standing = Standing()
    standing.judged([trial], [Reply(outcome, "qwen", 0.1, text=text)])
    return standing


@pytest.mark.parametrize(
    "text",
    [
        "",
        "real",
        "[]",
        '{"verdicts": {}}',
        '{"verdicts": [1]}',
        '{"verdicts": [{"finding": 1}]}',
        '{"verdicts": [{"finding": "1", "verdict": "real"}]}',
        '{"verdicts": [{"finding": true, "verdict": "real"}]}',
        '{"verdicts": [{"finding": 1, "verdict": "true"}]}',
        '{"verdicts": [{"finding": 1, "verdict": "real", "why": "x"}]}',
        '{"verdicts": [{"finding": 1, "verdict": "real"}',
        '{"verdicts": ' + "[" * 100_000,
    ],
)
def test_what_is_no_answer_is_none(text: str) -> None:
    assert parse_verdicts(text) is None


def test_of_two_verdicts_the_milder_holds() -> None:
    found = parse_verdicts(answer((1, "wrong"), (1, "unsure"), (2, "real"), (2, "wrong")))

    assert found == {1: Verdict.UNSURE, 2: Verdict.REAL}
    assert parse_verdicts("```json\n" + answer((1, "wrong")) + "\n```") == {1: Verdict.WRONG}


def test_the_question_shows_code_and_findings_and_asks_for_nothing_else(job: Job) -> None:
    made = tried(job, FINDING, replace(FINDING, severity=Severity.CRITICAL, title="A\n=== x"))

    prompt = made.job.composed.prompt
    assert made.job.purpose == "verify"
    assert (prompt.schema, prompt.choices) == (VERIFY.schema, ("1", "2"))
    assert "=== app/login.py" in prompt.unit
    assert prompt.question.startswith(VERIFY.instructions)
    first, second = prompt.question.index("Finding 1: "), prompt.question.index("Finding 2: ")
    assert "critical" in prompt.question[first:second]  # the worst first
    assert "> === x" in prompt.question[first:second]  # a model's words are quoted
    assert made.job.composed.egress == ()


def test_all_that_the_review_was_shown_stands_before_the_question(job: Job) -> None:
    """Servers that keep what they have computed need not compute it again."""
    asked, made = job.composed.prompt, tried(job, FINDING).job.composed.prompt

    assert made.system == asked.system == REVIEW.instructions
    assert (made.shared, made.unit) == (asked.shared, asked.unit)
    assert made.text.startswith(asked.text)


def test_for_a_model_on_another_host_findings_are_redacted_and_on_the_receipt(
    job: Job, login_change: Change
) -> None:
    leaking = replace(FINDING, body=f"The key {KEY} is in the code.")
    lost = replace(FINDING, path="no/such.py", anchored=False, line=None, end_line=None)

    inside = tried(job, leaking).job.composed
    sent = replace(job, composed=compose(Briefing(login_change), job.unit, 1, external=True))
    outside = tried(sent, leaking, lost, facts=OUTSIDE).job.composed

    assert KEY in inside.prompt.question
    assert KEY not in outside.prompt.text
    assert sum(entry.redactions for entry in outside.egress) == 1
    assert {entry.path for entry in outside.egress} <= {"app/login.py", outside.egress[0].path}


def test_each_verdict_does_what_it_says(job: Job) -> None:
    others = [replace(FINDING, title=title) for title in ("one", "two", "three", "four")]

    standing = judged(
        tried(job, *others), answer((1, "real"), (2, "unsure"), (3, "wrong"), (9, "wrong"))
    )

    assert [(f.title, f.confidence) for f in standing.findings] == [
        ("one", 0.8),
        ("two", 0.4),
        ("four", 0.8),
    ]
    assert standing.dropped == {"judged wrong": 1}
    assert standing.notes == ["part 1: 1 finding not judged: no verdict on them"]


@pytest.mark.parametrize(
    ("text", "outcome", "said"),
    [
        ("", Outcome.TIMED_OUT, "no answer in time"),
        ("All wrong.", Outcome.MALFORMED, "could not be read"),
        ('{"verdicts": [{"find', Outcome.TRUNCATED, "could not be read"),
    ],
)
def test_without_an_answer_everything_stands(
    job: Job, text: str, outcome: Outcome, said: str
) -> None:
    standing = judged(tried(job, FINDING, FINDING), text, outcome)

    assert standing.findings == [FINDING, FINDING]
    assert not standing.dropped
    [note] = standing.notes
    assert note.startswith("part 1: 2 findings not judged")
    assert said in note


def test_more_findings_than_are_judged_stand_unjudged(job: Job) -> None:
    made = tried(job, *[FINDING] * (MAX_JUDGED + 3))

    standing = judged(made, answer(*((n, "wrong") for n in range(1, MAX_JUDGED + 4))))

    assert len(made.job.composed.prompt.choices) == MAX_JUDGED
    assert standing.dropped == {"judged wrong": MAX_JUDGED}
    assert len(standing.findings) == 3
