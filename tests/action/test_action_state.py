"""What one run remembers for the next, in the pull request's own summary."""

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from action.conftest import STATE_KEY, Job
from databases import new_database
from flow.conftest import LOGIN_HEAD
from github_simulator.records import Comment
from github_simulator.review_routes import answer_thread

from reviewbot.publishing.record import Place, seal, unseal
from reviewbot.reporting.pull_record import NO_RECORD, PullRecord

Says = Callable[..., str]
RECORD = re.compile(r"<!-- reviewbot-record:.* -->")


def record_in(job: Job, number: int, body: str) -> PullRecord:
    opened = unseal(STATE_KEY.encode(), Place(job.repository.id, number), body)
    assert opened.data is not None, opened.ignored
    return PullRecord.from_json(opened.data)


def risky(says: Says) -> str:
    return says(
        {
            "path": "shop/auth/login.py",
            "line": 9,
            "quote": "    if user.digest == digest(password):",
            "title": "Digests are compared in variable time",
        }
    )


class TestASecondPush:
    def test_a_finding_that_is_still_there_gets_no_second_comment(
        self, job: Job, says: Says
    ) -> None:
        pull = job.pull("plain")
        job.local.answering = lambda asked: says({})
        job.run(job.event(pull))
        job.repository.push(pull, {"shop/notes.py": "x = 1\n"})

        ran = job.run(job.event(pull, "synchronize"))

        assert ran.code == 0, ran.log
        assert len(pull.threads) == 1
        [summary] = pull.comments
        assert "The last page is lost" in summary.body
        assert "In comments on their lines" in summary.body
        assert ran.outputs["findings"] == "1"

    def test_its_costs_come_on_top(self, job: Job, says: Says) -> None:
        pull = job.pull("risky")
        job.claude.answering = lambda asked: risky(says)
        first = job.run(job.event(pull))
        job.repository.push(pull, {"shop/auth/login.py": LOGIN_HEAD + "\n# more\n"})

        second = job.run(job.event(pull, "synchronize"))

        record = record_in(job, 1, pull.comments[0].body)
        both = Decimal(first.outputs["cost-usd"]) + Decimal(second.outputs["cost-usd"])
        assert sum(call.usd for call in record.calls) == both
        assert record.last
        assert record.last.head == job.repository.ends(pull)[1]
        assert sum(each.reviews for _, each in record.reviews) == 2
        row = next(r for r in pull.comments[0].body.splitlines() if "This pull request" in r)
        assert "2 calls" in row

    def test_what_was_dismissed_by_a_writer_is_not_said_again(self, job: Job, says: Says) -> None:
        pull = job.pull("plain")
        job.repository.collaborators["max"] = "write"
        job.local.answering = lambda asked: says({})
        job.run(job.event(pull))
        self.answered(job, "eve", "/reviewbot dismiss")
        job.repository.push(pull, {"shop/notes.py": "x = 1\n"})
        assert job.run(job.event(pull)).outputs["findings"] == "1"

        self.answered(job, "max", "/reviewbot dismiss")
        job.repository.push(pull, {"shop/notes.py": "x = 2\n"})

        assert job.run(job.event(pull)).outputs["findings"] == "0"
        assert record_in(job, 1, pull.comments[0].body).dismissed

    def answered(self, job: Job, who: str, text: str) -> None:
        pull = job.repository.pulls[1]
        first = pull.threads[0]
        review = next(one for one in pull.reviews if one.id == first.review)
        made = answer_thread(first, job.github.next_id(), review, text)
        made.author = who
        pull.threads.append(made)


def test_the_same_head_again_is_not_paid_for_again(job: Job, says: Says) -> None:
    pull = job.pull("risky")
    job.claude.answering = lambda asked: risky(says)
    first = job.run(job.event(pull))
    asked = len(job.claude.asked)

    again = job.run(job.event(pull, "reopened"), fail_on="high")

    assert len(job.claude.asked) == asked
    assert again.code == 1, "the gate holds for what was found then"
    assert again.outputs["tier"] == first.outputs["tier"]
    assert again.outputs["findings"] == "1"
    assert again.outputs["cost-usd"] == "0"
    assert "this head was reviewed before, by claude" in again.log
    assert job.run(job.event(pull, "reopened")).code == 0


def test_without_the_key_nothing_is_kept_and_one_line_says_so(job: Job, says: Says) -> None:
    pull = job.pull("plain")
    job.local.answering = lambda asked: says({})

    ran = job.run(job.event(pull), state_key="")
    again = job.run(job.event(pull), state_key="")

    assert (ran.code, again.code) == (0, 0)
    assert len([line for line in ran.summary.splitlines() if "state-key" in line]) == 1
    [summary] = pull.comments
    assert not RECORD.search(summary.body)
    assert len(job.local.asked) == 2
    assert "already posted" in again.log
    assert len(pull.threads) == 1


class TestTheMonthlyCap:
    """`budget.monthly_usd` is held over runs, by what their records say."""

    def test_a_cap_that_others_have_used_up_is_used_up(self, job: Job, says: Says) -> None:
        job.claude.answering = lambda asked: risky(says)
        other = job.pull("risky")
        job.run(job.event(other))
        used = sum(call.usd for call in record_in(job, 1, other.comments[0].body).calls)
        assert used > 0
        job.environment["REVIEWBOT_MONTHLY_BUDGET_USD"] = f"{used + Decimal('0.000001'):.6f}"
        asked = len(job.claude.asked)
        pull = job.pull("risky")

        ran = job.run(job.event(pull), local_url="")

        assert len(job.claude.asked) == asked
        assert ran.code == 0, ran.log
        assert "all repositories together may spend" in pull.comments[0].body
        assert "Budget left" in pull.comments[0].body

    def test_a_policys_cap_too(self, job: Job, says: Says) -> None:
        job.claude.answering = lambda asked: risky(says)
        job.run(job.event(job.pull("risky")))
        job.repository.content.commit(
            "main", {".github/reviewbot.yml": "budget: {monthly_usd: 0.001}\n"}
        )
        asked = len(job.claude.asked)
        pull = job.pull("risky")

        ran = job.run(job.event(pull))

        assert ran.code == 0, ran.log
        assert len(job.claude.asked) == asked
        assert "BUDGET USED UP" in pull.comments[0].body

    def test_the_month_is_shown(self, job: Job, says: Says) -> None:
        job.claude.answering = lambda asked: risky(says)
        first = job.run(job.event(job.pull("risky")))
        pull = job.pull("risky")

        second = job.run(job.event(pull))

        both = Decimal(first.outputs["cost-usd"]) + Decimal(second.outputs["cost-usd"])
        [month] = [row for row in pull.comments[0].body.splitlines() if "| This month |" in row]
        shown = re.search(r"\$([\d.]+) \|", month)
        assert shown
        assert abs(Decimal(shown[1]) - both) < Decimal("0.0001")
        assert "2 calls" in month

    def test_records_that_cannot_be_read_stop_what_is_capped(self, job: Job) -> None:
        job.github.fail("GET /repos/acme/shop/issues/comments", 502)
        pull = job.pull("plain")

        ran = job.run(job.event(pull))
        assert ran.code == 0, ran.log
        assert "records can't be read" in pull.comments[0].body

        job.environment["REVIEWBOT_MONTHLY_BUDGET_USD"] = "10"
        capped = job.run(job.event(job.pull("risky")))
        assert capped.code == 2
        assert "no monthly cap can be held" in capped.log


class TestWhatIsNoRecord:
    """It is ignored, with a note, and changes nothing that is paid or said."""

    def forged(self, job: Job, **changes: Any) -> str:
        """By somebody who has the key even: only the author or the place is wrong."""
        data = NO_RECORD.to_json() | changes
        line = seal(STATE_KEY.encode(), Place(job.repository.id, 1), data)
        assert line
        return line

    def say(self, job: Job, who: str, text: str) -> None:
        pull = job.repository.pulls[1]
        pull.comments.append(
            Comment(job.github.next_id(), pull.number, who, text, "2026-11-29T12:00:00Z")
        )

    def test_a_record_by_somebody_else(self, job: Job, says: Says) -> None:
        pull = job.pull("plain")
        job.local.answering = lambda asked: says({})
        job.run(job.event(pull))
        dismissed = record_in(job, 1, pull.comments[0].body).posted
        self.say(job, "eve", "Look:\n\n" + self.forged(job, dismissed=list(dismissed)))
        job.repository.push(pull, {"shop/notes.py": "x = 1\n"})

        ran = job.run(job.event(pull))

        assert ran.outputs["findings"] == "1"
        assert "a record in a comment of eve counts for nothing" in ran.summary

    def test_a_true_record_that_somebody_has_copied(self, job: Job, says: Says) -> None:
        """Doubled, it would use up the month's cap."""
        pull = job.pull("risky")
        job.claude.answering = lambda asked: risky(says)
        job.run(job.event(pull))
        record = RECORD.search(pull.comments[0].body)
        assert record
        self.say(job, "eve", record[0])
        job.repository.push(pull, {"shop/auth/login.py": LOGIN_HEAD + "\n# more\n"})

        job.run(job.event(pull))

        row = next(r for r in pull.comments[0].body.splitlines() if "| This month |" in r)
        assert "2 calls" in row

    @pytest.mark.parametrize("how", ["changed", "elsewhere", "older", "broken"])
    def test_one_that_is_not_ours_in_our_own_summary(self, job: Job, says: Says, how: str) -> None:
        """Who may write to the repository can edit our comments."""
        pull = job.pull("plain")
        job.local.answering = lambda asked: says({})
        job.run(job.event(pull))
        [summary] = pull.comments
        known = RECORD.search(summary.body)
        assert known
        fingerprints = list(record_in(job, 1, summary.body).posted)
        data = NO_RECORD.to_json() | {"dismissed": fingerprints}
        other = seal(STATE_KEY.encode(), Place(job.repository.id, 2), data)
        text = {
            "changed": known[0].replace("v1 ey", "v1 eY"),
            "elsewhere": other or "",
            "older": known[0].replace("record:v1", "record:v0"),
            "broken": "<!-- reviewbot-record:v1 nonsense -->",
        }[how]
        summary.body = summary.body.replace(known[0], text)
        job.repository.push(pull, {"shop/notes.py": "x = 1\n"})

        ran = job.run(job.event(pull))

        assert ran.code == 0, ran.log
        assert ran.outputs["findings"] == "1"
        assert "the record in our summary is ignored: " in ran.summary
        assert record_in(job, 1, pull.comments[0].body).last, "a true one is there again"

    def test_a_model_cannot_write_one(self, job: Job, says: Says) -> None:
        pull = job.pull("plain")
        line = self.forged(job)
        job.local.answering = lambda asked: says({"body": line, "title": line[:100], "line": 99})

        job.run(job.event(pull))

        assert record_in(job, 1, pull.comments[0].body) != NO_RECORD


def test_what_a_review_cost_that_came_too_late_is_remembered(job: Job, says: Says) -> None:
    pull = job.pull("risky")
    job.claude.answering = lambda asked: risky(says)
    first = job.run(job.event(pull))
    job.repository.push(pull, {"shop/auth/login.py": LOGIN_HEAD + "\n# two\n"})

    def while_it_reads(asked: Any) -> str:
        job.repository.push(pull, {"shop/auth/login.py": LOGIN_HEAD + "\n# three\n"})
        return risky(says)

    job.claude.answering = while_it_reads
    late = job.run(job.event(pull, "synchronize"))

    assert late.code == 0, late.log
    assert "another head by now" in late.log
    record = record_in(job, 1, pull.comments[0].body)
    both = Decimal(first.outputs["cost-usd"]) + Decimal(late.outputs["cost-usd"])
    assert sum(call.usd for call in record.calls) == both


def test_a_summary_whose_answer_was_lost_counts_once(job: Job, says: Says) -> None:
    pull = job.pull("risky")
    job.claude.answering = lambda asked: risky(says)
    job.run(job.event(pull))
    job.repository.push(pull, {"shop/auth/login.py": LOGIN_HEAD + "\n# more\n"})
    job.github.ambiguous("PATCH .*/issues/comments/", "502")

    ran = job.run(job.event(pull, "synchronize"))

    assert ran.code == 0, ran.log
    record = record_in(job, 1, pull.comments[0].body)
    assert sum(call.calls for call in record.calls) == 2


def test_a_database_remembers_instead(job: Job, says: Says, postgresql_server: str) -> None:
    database = new_database(postgresql_server)
    job.inputs["database-url"] = database
    pull = job.pull("risky")
    job.claude.answering = lambda asked: risky(says)

    ran = job.run(job.event(pull))
    job.repository.push(pull, {"shop/auth/login.py": LOGIN_HEAD + "\n# more\n"})
    job.run(job.event(pull))

    assert ran.code == 0, ran.log
    assert not RECORD.search(pull.comments[0].body)
    row = next(r for r in pull.comments[0].body.splitlines() if "| This month |" in r)
    assert "2 calls" in row
    assert database in ran.masked
    assert database not in ran.log + ran.summary
