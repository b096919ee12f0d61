"""What was read before is not read again, and is declared."""

from dataclasses import replace

import pytest

from reviewbot.change.identity import edits_in
from reviewbot.change.model import Change
from reviewbot.change.parse import parse_diff
from reviewbot.review.already import (
    FileRead,
    ReadBefore,
    left_to_read,
    read_now,
    with_before,
)
from reviewbot.review.assemble import Read, coverage_of
from reviewbot.review.engine import EngineFacts, Lineup, Outcome, Reply
from reviewbot.review.finding import Coverage, CoverageStatus
from reviewbot.review.plan import Assignment, Plan
from reviewbot.review.prompt import Briefing
from reviewbot.review.work import prepare
from reviewbot.routing.model import Tier

FIRST = "@@ -1,3 +1,3 @@\n a\n-b\n+B\n c\n"
SECOND = "@@ -40,3 +40,3 @@\n x\n-y\n+Y\n z\n"
HEAD = "c" * 40
GOOD = '{"walkthrough": "Fine.", "findings": []}'
LINEUP = Lineup(
    {
        "claude": EngineFacts("claude", "claude-opus-5-5", True, "anthropic", 200_000),
        "local": EngineFacts("openai", "qwen", False, None, 16_000),
    }
)


def change(*hunks: str, path: str = "a.py") -> Change:
    text = f"diff --git a/{path} b/{path}\n--- a/{path}\n+++ b/{path}\n" + "".join(hunks)
    return replace(parse_diff(text), head=HEAD)


def planned(of: Change, role: str = "claude") -> Plan:
    return Plan((Assignment(role, of.files),), (), {}, ())  # type: ignore[arg-type]


def known(of: Change, tier: Tier = Tier.CLAUDE, *, path: str = "a.py", times: int = 1) -> FileRead:
    edits = dict.fromkeys(edits_in(of.files[0]), times)
    engine = "claude" if tier is Tier.CLAUDE else "openai"
    return FileRead(path, tier, engine, "b" * 40, edits)


def reads(of: Change, left: Plan, outcome: Outcome = Outcome.ANSWERED, text: str = GOOD):
    prepared = prepare(left, Briefing(of), LINEUP, sources={}, notes={})
    return [Read.of(job, Reply(outcome, "m", 0.1, text=text)) for job in prepared.jobs]


def test_a_new_hunk_is_read_and_the_known_one_is_not() -> None:
    both = change(FIRST, SECOND)
    left = left_to_read(both, planned(both), ReadBefore((known(change(FIRST)),)))
    [assignment] = left.plan.assignments
    mine = reads(both, left.plan)
    coverage = with_before(coverage_of(both, left.plan, mine, (), LINEUP), left.before)

    [file] = assignment.files
    assert [hunk.added for hunk in file.hunks] == [("Y",)]
    assert "B" not in mine[0].job.unit.sections[0].text
    assert coverage == (
        Coverage("a.py", CoverageStatus.FULL, "claude", "the rest read at bbbbbbb"),
    )
    [now] = read_now(both, left, coverage, mine, ReadBefore())
    assert (now.head, now.tier, set(now.edits)) == (HEAD, Tier.CLAUDE, set(edits_in(file)))


def test_nothing_new_is_declared_and_asks_nobody() -> None:
    one = change(FIRST)
    left = left_to_read(one, planned(one), ReadBefore((known(one),)))

    assert left.nothing
    assert coverage_of(one, left.plan, [], (), LINEUP) == (
        Coverage("a.py", CoverageStatus.FULL, "claude", "read at bbbbbbb"),
    )


@pytest.mark.parametrize(
    ("was", "role", "again"),
    [
        (Tier.LOCAL, "claude", True),
        (Tier.LOCAL, "local", False),
        (Tier.CLAUDE, "local", False),
        (Tier.CLAUDE, "claude", False),
        (Tier.LOCAL, "low", False),
    ],
)
def test_only_a_more_careful_tier_reads_again(was: Tier, role: str, again: bool) -> None:
    one = change(FIRST)

    left = left_to_read(one, planned(one, role), ReadBefore((known(one, was),)))

    assert left.nothing is not again


def test_of_more_equal_hunks_than_were_read_all_are_read() -> None:
    same = FIRST.replace("-1,3 +1,3", "-90,3 +90,3")
    both = change(FIRST, same)
    before = known(change(FIRST))

    [assignment] = left_to_read(both, planned(both), ReadBefore((before,))).plan.assignments
    twice = ReadBefore((before, known(change(FIRST), times=2)))

    assert len(assignment.files[0].hunks) == 2
    assert left_to_read(both, planned(both), twice).nothing


def test_a_renamed_file_is_known_and_can_be_renamed_again() -> None:
    first, second, third = (change(FIRST, path=path) for path in ("a.py", "b.py", "c.py"))
    before = ReadBefore((known(first),))
    left = left_to_read(second, planned(second), before)
    carried = ReadBefore((*before.files, *read_now(second, left, (), [], before)))

    assert left.nothing
    assert [(file.path, file.head) for file in carried.files][1:] == [("b.py", "b" * 40)]
    assert left_to_read(third, planned(third), carried).nothing


@pytest.mark.parametrize(
    ("outcome", "text"),
    [
        (Outcome.TIMED_OUT, ""),
        (Outcome.OVER_BUDGET, ""),
        (Outcome.REFUSED, ""),
        (Outcome.MALFORMED, "no"),
        (Outcome.TRUNCATED, '{"walkthrough": "Fi'),
    ],
)
def test_what_got_no_good_answer_is_not_read(outcome: Outcome, text: str) -> None:
    both = change(FIRST, SECOND)
    left = left_to_read(both, planned(both), ReadBefore((known(change(FIRST)),)))
    mine = reads(both, left.plan, outcome, text)
    coverage = with_before(coverage_of(both, left.plan, mine, (), LINEUP), left.before)

    [entry] = coverage
    assert read_now(both, left, coverage, mine, ReadBefore()) == ()
    assert entry.status is CoverageStatus.PARTIAL
    assert entry.reason.endswith("the rest read at bbbbbbb")


def test_a_hunk_with_a_secret_cut_out_is_not_read() -> None:
    key = "AKIAIOSFODNN7EXAMPLQ"
    secret = change(f"@@ -1,2 +1,2 @@\n a\n-b\n+aws_access_key_id = '{key}'\n")
    left = left_to_read(secret, planned(secret), ReadBefore())
    mine = reads(secret, left.plan)
    coverage = coverage_of(secret, left.plan, mine, (), LINEUP)

    assert key not in mine[0].job.composed.prompt.text
    assert coverage[0].status is CoverageStatus.FULL
    assert read_now(secret, left, coverage, mine, ReadBefore()) == ()


def test_what_was_read_survives_being_written_down() -> None:
    one = known(change(FIRST, SECOND))

    assert FileRead.from_json(one.to_json()) == one
