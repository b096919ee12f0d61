"""What several passes over one unit agree on."""

from dataclasses import replace

import pytest

from reviewbot.change.model import Change
from reviewbot.review.answer import Category, Severity
from reviewbot.review.assemble import Read
from reviewbot.review.engine import EngineFacts, Lineup, Outcome, Reply
from reviewbot.review.finding import Finding
from reviewbot.review.passes import Part, agreed, needed, parts_of
from reviewbot.review.plan import Assignment, Plan
from reviewbot.review.prompt import Briefing
from reviewbot.review.work import READ_HERE, Job, follow_ups, halves_after, prepare, read_here
from reviewbot.store.prompts import prompt_hash

CLAUDE = EngineFacts("claude", "claude-opus-5-5", True, "anthropic", 200_000)
OUTSIDE = EngineFacts("openai", "qwen", True, "host", 16_000)
LINEUP = Lineup({"claude": CLAUDE, "fallback": CLAUDE, "local": OUTSIDE})
USUAL = Finding(
    path="shop/pages.py",
    line=2,
    end_line=2,
    side="RIGHT",
    severity=Severity.HIGH,
    category=Category.CORRECTNESS,
    title="The last page is lost",
    body="Rounds down.",
    quote="return total // size",
    confidence=0.9,
    engine="llama",
    fingerprint="a",
)
#: The same remark as another pass puts it: more lines, other words, and so another fingerprint.
ALIKE = replace(
    USUAL, line=1, end_line=3, title="Rounding", confidence=0.7, fingerprint="b", body="It floors."
)
#: The same lines, but about something else.
OTHER = replace(USUAL, category=Category.PERFORMANCE, title="Slow", fingerprint="c")
NOWHERE = replace(USUAL, line=None, end_line=None, anchored=False, fingerprint="d")


@pytest.mark.parametrize(
    ("passes", "enough"), [(0, 0), (1, 1), (2, 2), (3, 2), (4, 2), (5, 3), (6, 3)]
)
def test_half_of_the_passes_and_never_one_alone(passes: int, enough: int) -> None:
    assert needed(passes) == enough


def test_one_pass_is_taken_as_it_is() -> None:
    assert agreed([[USUAL, OTHER]]) == ((USUAL, OTHER), 0)
    assert agreed([]) == ((), 0)


def test_what_two_of_three_say_is_kept_as_the_first_of_them_put_it() -> None:
    kept, alone = agreed([[OTHER], [USUAL], [ALIKE]])

    [finding] = kept
    assert (finding.title, finding.passes) == (USUAL.title, (2, 3))
    assert finding.confidence == pytest.approx(0.8 * 2 / 3, abs=0.001)
    assert alone == 1


def test_with_two_passes_both_must_say_it() -> None:
    assert agreed([[USUAL], []]) == ((), 1)
    assert [f.passes for f in agreed([[USUAL], [USUAL]]).findings] == [(2, 2)]


@pytest.mark.parametrize(
    ("other", "same"),
    [
        (ALIKE, True),
        (replace(USUAL, path="shop/new.py", line=40, end_line=40), True),  # the same fingerprint
        (replace(ALIKE, line=3), False),
        (replace(ALIKE, path="shop/other.py"), False),
        (replace(ALIKE, side="LEFT"), False),
        (replace(ALIKE, category=Category.API), False),
        (NOWHERE, False),
    ],
)
def test_the_same_is_the_same_place_and_category_or_fingerprint(other: Finding, same: bool) -> None:
    assert len(agreed([[USUAL], [other]]).findings) == same


def test_remarks_without_a_place_agree_by_their_fingerprint() -> None:
    assert [f.passes for f in agreed([[NOWHERE], [NOWHERE]]).findings] == [(2, 2)]
    assert agreed([[NOWHERE], [replace(NOWHERE, fingerprint="e")]]).alone == 2


def test_one_pass_that_says_a_thing_twice_has_one_voice() -> None:
    assert agreed([[USUAL, ALIKE], [], []]).findings == ()
    twice = agreed([[USUAL, ALIKE], [USUAL], []])
    assert [(f.title, f.passes) for f in twice.findings] == [
        (USUAL.title, (2, 3)),
        (ALIKE.title, (2, 3)),
    ]  # both are borne out; whether they are twins is settled with all other findings


@pytest.fixture
def jobs(login_change: Change) -> tuple[Job, ...]:
    """The change once for Claude, and in three passes for a local model on another host."""
    assignments = tuple(Assignment(role, login_change.files) for role in ("claude", "local"))
    return prepare(
        Plan(assignments, (), {}, ()),
        Briefing(login_change),
        LINEUP,
        sources={},
        notes={},
        passes=3,
    ).jobs


def test_only_the_local_tier_is_asked_several_times(jobs: tuple[Job, ...]) -> None:
    assert [(job.role, job.composed.prompt.sample) for job in jobs] == [
        ("claude", 0),
        ("local", 0),
        ("local", 1),
        ("local", 2),
    ]
    assert len({prompt_hash(job.composed.prompt) for job in jobs[1:]}) == 3  # each a job of its own


def test_what_every_pass_is_refused_is_put_to_claude_once(
    jobs: tuple[Job, ...], login_change: Change
) -> None:
    refused, briefing = Reply(Outcome.REFUSED, "qwen", 0.1), Briefing(login_change)

    more = [follow_ups(job, refused, briefing, LINEUP) for job in jobs[1:]]

    assert [[job.role for job in each] for each in more] == [["fallback"], [], []]


def test_a_pass_that_is_too_long_goes_on_in_halves_of_its_own(
    jobs: tuple[Job, ...], login_change: Change
) -> None:
    too_long, briefing = Reply(Outcome.TOO_LONG, "qwen", 0.1), Briefing(login_change)

    halves = [half for job in jobs[1:] for half in follow_ups(job, too_long, briefing, LINEUP)]
    parts = parts_of(Read.of(half, Reply(Outcome.TIMED_OUT, "qwen", 1)) for half in halves)

    assert [half.composed.prompt.sample for half in halves] == [0, 0, 1, 1, 2, 2]
    assert [len(part.reads) for part in parts] == [3, 3]
    assert [part.shortfall for part in parts] == ["", ""]  # the table says that nothing was read


def test_what_claude_cant_be_paid_for_is_read_by_the_local_model_in_as_many_passes(
    jobs: tuple[Job, ...], login_change: Change
) -> None:
    unpaid = Reply(Outcome.OVER_BUDGET, "opus", 0.0, detail="all of it may spend $1.00 a month")
    claude, local, *_ = jobs
    briefing = Briefing(login_change)

    more = read_here(claude, unpaid, briefing, LINEUP, passes=2, again=False)

    assert [(job.role, job.composed.prompt.sample, job.after) for job in more] == [
        ("local", 0, READ_HERE),
        ("local", 1, READ_HERE),
    ]
    assert {job.over_budget for job in more} == {unpaid.detail}
    assert read_here(local, unpaid, briefing, LINEUP, passes=2, again=False) == ()
    assert (
        read_here(claude, unpaid, briefing, Lineup({"claude": CLAUDE}), passes=2, again=False) == ()
    )
    assert (
        read_here(
            claude, Reply(Outcome.REFUSED, "opus", 0.1), briefing, LINEUP, passes=2, again=False
        )
        == ()
    )


def test_a_purpose_stays_with_the_halves_of_a_question(
    jobs: tuple[Job, ...], login_change: Change
) -> None:
    asked = replace(jobs[0], purpose="regret")
    too_long = Reply(Outcome.TOO_LONG, "opus", 0.1)

    halves = halves_after(asked, too_long, Briefing(login_change), LINEUP)

    assert [half.purpose for half in halves] == ["regret", "regret"]


def test_the_part_is_what_its_best_pass_read(jobs: tuple[Job, ...]) -> None:
    _, first, second, third = jobs
    whole = '{"walkthrough": "", "findings": []}'
    part = Part(
        (
            Read.of(first, Reply(Outcome.TIMED_OUT, "qwen", 1)),
            Read.of(second, Reply(Outcome.TRUNCATED, "qwen", 1, text=whole)),
            Read.of(third, Reply(Outcome.ANSWERED, "qwen", 1, text=whole)),
        )
    )

    assert part.best.job is third
    assert len(part.answers) == 2
    assert part.shortfall == "part 1 was read in 2 of 3 passes: no answer in time"
