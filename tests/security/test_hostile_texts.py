"""Whatever people or models write, what is shown of it acts nowhere."""

import io
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from jsonschema import Draft4Validator
from publishing.sample_reviews import hostile_review
from rich.console import Console
from security.payloads import FAMILIES, PAYLOADS, WISHES, Payload
from security.rendering import acts

from reviewbot.cli.terminal import print_review
from reviewbot.config.policy import Policy, load_policy
from reviewbot.publishing.commands import Command, read_command
from reviewbot.publishing.comments import Publication, publication
from reviewbot.publishing.marker import Marks, Scope
from reviewbot.publishing.notice import Place, failure_notice
from reviewbot.publishing.result import Review
from reviewbot.publishing.sarif import sarif
from reviewbot.publishing.summary import summary_markdown

MARKS = Marks(b"secret", Scope(12, "345", 7, "a" * 40, "b" * 40, "auto"))
POLICIES = tuple(
    load_policy(f"version: 1\npublish: {publish}\n")
    for publish in ("{}", "{summary: false}", "{inline: false}")
)
#: One of them each time, all of them in `make soak`.
EACH_WISH = pytest.mark.parametrize(
    "wish", [WISHES[0], *(pytest.param(wish, marks=pytest.mark.soak) for wish in WISHES[1:])]
)


@pytest.fixture(scope="module")
def sarif_schema() -> Draft4Validator:
    path = Path(__file__).parents[1] / "data" / "sarif-schema-2.1.0.json"
    return Draft4Validator(json.loads(path.read_text(encoding="utf-8")))


def reviews_of(family: str, wish: str) -> Iterator[tuple[Payload, Review]]:
    """Each payload of a family and wish in every text of a review."""
    for payload in PAYLOADS:
        if (payload.family, payload.wish) == (family, wish):
            yield payload, hostile_review(payload.text, payload.file_name)


def texts_of(made: Publication) -> Iterator[str]:
    """All Markdown that is posted."""
    yield from filter(None, (*made.texts, *made.moved))
    yield from (comment.body for comment in made.comments)
    if made.check:
        yield made.check.summary


def posted(review: Review, policy: Policy) -> Publication:
    change = replace(review.change, repository="acme/shop", number=7, head="a" * 40)
    return publication(replace(review, change=change), policy, MARKS)


def test_there_are_hundreds_of_payloads_of_every_family() -> None:
    assert len(PAYLOADS) >= 500
    assert {payload.family for payload in PAYLOADS} == set(FAMILIES)


@pytest.mark.parametrize("family", FAMILIES)
@EACH_WISH
def test_nothing_that_is_posted_acts(family: str, wish: str) -> None:
    for payload, review in reviews_of(family, wish):
        for policy in POLICIES:
            made = posted(review, policy)
            for text in texts_of(made):
                assert acts(text) == [], payload
            assert made.check
            plain = [made.check.title, *(note.message for note in made.check.annotations)]
            assert not any(re.search(r"[\x00-\x08\x1b\u202e\u2066]", text) for text in plain)


@pytest.mark.parametrize("family", FAMILIES)
@EACH_WISH
def test_no_summary_or_sarif_of_it_acts(
    family: str, wish: str, sarif_schema: Draft4Validator
) -> None:
    for payload, review in reviews_of(family, wish):
        assert acts(summary_markdown(review)) == [], payload
        written = sarif(review)
        assert list(sarif_schema.iter_errors(written)) == [], payload
        [run] = written["runs"]
        for result in run["results"]:
            assert acts(result["message"]["markdown"]) == [], payload
            assert not re.search(r"(?<!\\)\[[^\]]*(?<!\\)\]\(", result["message"]["text"]), payload
            assert "suppressions" not in result


@pytest.mark.parametrize("family", FAMILIES)
@EACH_WISH
def test_no_line_on_a_terminal_is_a_command_of_it_or_of_a_workflow(family: str, wish: str) -> None:
    for payload, review in reviews_of(family, wish):
        screen = io.StringIO()
        print_review(review, Console(file=screen, width=100, highlight=False))
        shown = screen.getvalue()
        assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e\u2066]", shown), payload
        lines = [line.strip() for line in shown.split("\n")]
        assert [line for line in lines if line.startswith(("::", "##["))] == [], payload


def test_a_notice_of_a_failure_repeats_nothing() -> None:
    made = failure_notice(Place("acme/shop", 7, "a" * 40), MARKS, "an-id")

    assert all(acts(text) == [] for text in texts_of(made))


def test_no_payload_is_a_command_but_for_the_closed_set() -> None:
    read = {payload.text: read_command(payload.text) for payload in PAYLOADS}

    given = {text: command for text, command in read.items() if command}
    assert set(given.values()) <= set(Command)
    assert all(text.split("\n")[0] == "/reviewbot review local" for text in given)
