"""Records of the queue and the ids that make work happen once."""

import json
from dataclasses import replace
from typing import Any

import pytest

from reviewbot.errors import StoreError
from reviewbot.service.jobs import (
    CommandJob,
    FeedbackJob,
    ReviewJob,
    command_id,
    feedback_id,
    job_id,
    partition,
)

HEAD, BASE = "a" * 40, "b" * 64
REVIEW = ReviewJob(
    installation=7,
    repository="octo/pay.me",
    repository_id=42,
    number=3,
    head=HEAD,
    base=BASE,
    request="auto",
)
COMMAND = CommandJob(
    installation=7,
    repository="octo/pay.me",
    repository_id=42,
    number=3,
    comment_id=99,
    kind="issue_comment",
    author="alice",
    command="review claude",
)
FEEDBACK = FeedbackJob(
    installation=7,
    repository="octo/pay.me",
    repository_id=42,
    number=3,
    event="resolved",
    key="ab12",
    comment_id=98,
    by="alice",
    at="2026-11-21T13:14:15+00:00",
)


def test_ids_and_partition():
    assert job_id(REVIEW) == f"rv:7:42#3:{HEAD}:{BASE}:auto"
    assert command_id(COMMAND) == "cmd:7:99"
    assert REVIEW.partition == COMMAND.partition == partition(42, 3) == "42#3"


@pytest.mark.parametrize(
    "change",
    [
        {"installation": 8},
        {"repository_id": 43},
        {"number": 4},
        {"head": "c" * 40},
        {"base": "c" * 40},
        {"request": "comment:99"},
    ],
)
def test_whatever_makes_a_review_another_one_is_in_its_id(change: dict[str, Any]):
    assert job_id(replace(REVIEW, **change)) != job_id(REVIEW)


def test_a_renamed_repository_and_a_wanted_tier_are_the_same_review():
    assert job_id(replace(REVIEW, repository="octo/new", tier="claude")) == job_id(REVIEW)


def test_comments_on_the_page_and_on_lines_are_numbered_apart():
    on_a_line = replace(COMMAND, kind="review_comment", in_reply_to=98)
    assert command_id(on_a_line) != command_id(COMMAND)
    assert {COMMAND.request, on_a_line.request} == {"comment:99", "comment:r99"}
    replace(REVIEW, request=on_a_line.request)


@pytest.mark.parametrize("job", [REVIEW, replace(REVIEW, tier="local"), COMMAND, FEEDBACK])
def test_jobs_survive_json(job: ReviewJob | CommandJob | FeedbackJob):
    stored = json.loads(json.dumps(job.as_dict()))
    assert type(job).from_dict(stored) == job


def test_keys_of_a_later_version_are_left_out():
    assert ReviewJob.from_dict({**REVIEW.as_dict(), "priority": 3}) == REVIEW


@pytest.mark.parametrize(
    "change",
    [
        {"installation": 0},
        {"installation": True},
        {"installation": "7"},
        {"repository_id": 2**63},
        {"number": -1},
        {"repository": "octo"},
        {"repository": "octo/.."},
        {"repository": "octo/pay/../.."},
        {"repository": "octo/pay\n"},
        {"head": "a" * 41},
        {"head": "A" * 40},
        {"base": "main"},
        {"base": None},
        {"request": "auto\n"},
        {"request": "label:a:b:c"},
        {"request": ""},
        {"tier": "gpu"},
    ],
)
def test_a_job_that_no_delivery_can_make_is_refused(change: dict[str, Any]):
    with pytest.raises(StoreError, match="not a ReviewJob in the queue"):
        ReviewJob.from_dict({**REVIEW.as_dict(), **change})


@pytest.mark.parametrize(
    "change",
    [
        {"comment_id": 0},
        {"in_reply_to": 0},
        {"kind": "commit_comment"},
        {"author": "a b"},
        {"author": ""},
        {"command": "review --all"},
    ],
)
def test_a_command_that_no_delivery_can_make_is_refused(change: dict[str, Any]):
    with pytest.raises(StoreError, match="not a CommandJob in the queue"):
        CommandJob.from_dict({**COMMAND.as_dict(), **change})


@pytest.mark.parametrize(
    "change",
    [
        {"event": "starred"},
        {"event": None},
        {"key": ""},
        {"key": "a" * 33},
        {"key": "../x"},
        {"comment_id": None},
        {"comment_id": 2**63},
        {"comment_id": True},
        {"by": ""},
        {"by": "a b"},
        {"at": "yesterday"},
        {"at": "2026-11-21T13:14:15"},
        {"number": 0},
    ],
)
def test_feedback_that_no_delivery_can_make_is_refused(change: dict[str, Any]):
    with pytest.raises(StoreError, match="not a FeedbackJob in the queue"):
        FeedbackJob.from_dict({**FEEDBACK.as_dict(), **change})


def test_what_happened_in_a_thread_has_an_id_of_its_pull_request():
    assert feedback_id(FEEDBACK) == "fb:7:42#3:resolved:ab12"
    other = (replace(FEEDBACK, event="reopened"), replace(FEEDBACK, key="cd"))
    assert len({feedback_id(job) for job in (FEEDBACK, *other)}) == 3


def test_the_kind_of_a_request_is_told_in_the_stores_words():
    requests = ("auto", "draft", "check:5:0123abcd", f"label:{HEAD}", "comment:r99", "sweep:1")
    assert [replace(REVIEW, request=r).asked_by for r in requests] == [
        *("auto", "draft", "check", "label", "command", "sweep")
    ]


def test_a_missing_value_is_named():
    with pytest.raises(StoreError, match="'head'"):
        ReviewJob.from_dict({k: v for k, v in REVIEW.as_dict().items() if k != "head"})


def test_what_was_swept_is_what_its_delivery_would_have_asked_for():
    swept = replace(REVIEW, request="sweep:auto")
    assert job_id(swept) == job_id(REVIEW)
    assert swept.automatic
    assert swept.asked_by == "sweep"


def test_only_unasked_reviews_are_automatic():
    requests = ("auto", "draft", "check:5:0123abcd", f"label:{HEAD}", "comment:99", "sweep:1")
    assert [r for r in requests if replace(REVIEW, request=r).automatic] == ["auto", "draft"]
