"""What is posted of a review, and where."""

from dataclasses import replace

import pytest
from markdown_it import MarkdownIt
from publishing.sample_reviews import (
    HOSTILE,
    hostile_review,
    large_review,
    scripted_review,
    shop_review,
)

from reviewbot.config.policy import Policy, load_policy
from reviewbot.publishing.check_run import annotations, conclusion
from reviewbot.publishing.comments import Carried, Publication, publication
from reviewbot.publishing.inline import MAX_COMMENT, inline_comment, place
from reviewbot.publishing.marker import Marks, Scope
from reviewbot.publishing.record import MAX_LINE
from reviewbot.publishing.result import Review
from reviewbot.review.finding import Coverage, CoverageStatus

MARKS = Marks(b"secret", Scope(12, "345", 7, "a" * 40, "b" * 40, "auto"))


def policy(publish: str = "{}") -> Policy:
    return load_policy(f"version: 1\npublish: {publish}\n")


def posted(review: Review, publish: str = "{}") -> Publication:
    change = replace(review.change, repository="acme/shop", number=7, head="a" * 40)
    return publication(replace(review, change=change), policy(publish), MARKS)


def first_body(review: Review, **changes: object) -> str:
    """The comment of the first finding, changed."""
    finding = replace(review.findings[0], **changes)  # type: ignore[arg-type]
    return inline_comment(finding, review.change, MARKS).body


def test_findings_on_lines_of_the_diff_are_comments() -> None:
    first, second = posted(shop_review()).comments

    assert first.to_json() == {
        "path": "shop/refund.py",
        "start_line": 41,
        "start_side": "RIGHT",
        "line": 43,
        "side": "RIGHT",
        "body": first.body,
    }
    assert (second.side, second.start_line, second.line) == ("LEFT", 11, 12)
    assert first.body.startswith(
        "**critical** · correctness · claude, confidence 0.93, also openai\n\n"
        "**Refunds are cut down to whole cents**\n\n`int(due)` drops the fraction"
    )
    assert MARKS.fingerprint_in(first.body) == shop_review().findings[0].fingerprint


def test_one_line_has_no_start() -> None:
    review = shop_review()

    comment = inline_comment(replace(review.findings[0], end_line=41), review.change, MARKS)

    assert comment.to_json().keys() == {"path", "line", "side", "body"}
    assert comment.line == 41


def test_the_summary_names_them_and_shows_the_others_in_full() -> None:
    texts = posted(shop_review()).texts

    assert texts.summary is not None
    assert texts.summary.startswith("## reviewbot: 1 critical, 1 medium, 1 low\n\n")
    assert "**In comments on their lines**\n\n- **critical** · `shop/refund.py:41-43`" in (
        texts.summary
    )
    assert "drops the fraction" not in texts.summary
    assert "No place in the diff: the quoted code is not in the diff." in texts.summary
    assert "def test_remove_twice" in texts.summary
    assert MARKS.is_own(texts.summary, "summary")
    assert texts.review.startswith("**reviewbot: 1 critical, 1 medium, 1 low**\n\n")
    assert MARKS.is_own(texts.review, "review")


def test_if_the_comments_are_refused_all_stand_in_the_summary() -> None:
    moved = posted(shop_review()).moved
    said = "GitHub refused the comments on lines: 2 findings stand in the summary instead."

    assert moved.summary is not None
    assert said in moved.summary
    assert said in moved.review
    assert "drops the fraction" in moved.summary
    assert MARKS.is_own(moved.review, "moved")
    assert MARKS.is_own(moved.summary, "summary")


@pytest.mark.parametrize(("inline", "said"), [(True, "moved"), (False, "texts")])
def test_without_a_summary_the_review_says_all(inline: bool, said: str) -> None:
    made = posted(shop_review(), f"{{summary: false, inline: {str(inline).lower()}}}")
    texts = getattr(made, said)

    assert texts.summary is None
    assert made.has_review
    for finding in shop_review().findings:
        assert finding.title in texts.review


def test_without_a_summary_an_incomplete_review_says_so() -> None:
    text = posted(scripted_review(), "{summary: false}").texts.review

    assert text.startswith("**reviewbot: INCOMPLETE")
    assert "RISKY, NOT REVIEWED BY CLAUDE" in text
    assert "SCRIPTED" in text


def test_a_review_without_comments_is_left_to_the_summary() -> None:
    clean = replace(shop_review(), findings=())

    assert not posted(clean).has_review
    assert posted(clean, "{summary: false}").has_review
    assert not posted(shop_review(), "{inline: false}").comments


@pytest.mark.parametrize(
    ("path", "line", "end", "side", "reason"),
    [
        ("nowhere.py", 1, 1, "RIGHT", "the line is not in the diff"),
        ("shop/refund.py", 99, 99, "RIGHT", "the line is not in the diff"),
        ("shop/refund.py", 41, 99, "RIGHT", "the line is not in the diff"),
        ("shop/refund.py", 43, 41, "RIGHT", "the line is not in the diff"),
        ("shop/refund.py", 44, 44, "LEFT", "the line is not in the diff"),
    ],
)
def test_a_place_that_github_would_refuse(path, line, end, side, reason) -> None:
    review = shop_review()
    astray = replace(review.findings[0], path=path, line=line, end_line=end, side=side)

    placed = place([astray], review.change, lambda _: True)

    assert not placed.inline
    assert not placed.rest[0].anchored
    assert placed.rest[0].unanchored_reason == reason


def test_a_suggestion_can_be_applied_as_it_is() -> None:
    review = shop_review()
    finding = review.findings[0]

    assert f"\n```suggestion\n{finding.suggestion}\n```\n" in first_body(review)
    assert "\n`````suggestion\na ```` b\n`````\n" in first_body(review, suggestion="a ```` b")
    assert "```suggestion" not in first_body(review, suggestion=None)


@pytest.mark.parametrize(
    "changes",
    [
        {"suggestion": "if a\u202e == b:"},
        {"suggestion": "a\rb"},
        {"suggestion": "x = 1\n/approve"},
        {"side": "LEFT"},
    ],
)
def test_a_suggestion_that_hides_something_is_only_shown(changes: dict[str, str]) -> None:
    body = first_body(shop_review(), **changes)

    assert "suggestion\n" not in body
    assert "Suggested change:\n\n```diff\n-" in body
    assert "\n/approve" not in body
    assert "\u202e" not in body


def test_too_long_texts_are_cut_and_say_so() -> None:
    body = first_body(shop_review(), body="a <b " * 12_000, suggestion="`\n" * 60_000)

    assert len(body) <= MAX_COMMENT
    assert "… cut here: too long for a comment." in body
    assert "The suggested change is left out" in body
    assert MARKS.fingerprint_in(body)


@pytest.mark.parametrize("publish", ["{}", "{summary: false}", "{inline: false}"])
def test_a_huge_review_stays_within_the_limits(publish: str) -> None:
    made = posted(large_review(300, 120), publish)

    texts = [*made.texts, *made.moved, *(comment.body for comment in made.comments)]
    assert all(len(text) <= MAX_COMMENT for text in texts if text)
    assert made.check is not None
    assert len(made.check.summary) <= 65_535
    assert MARKS.is_own(
        made.texts.summary or made.texts.review, "summary" if made.texts.summary else "review"
    )


@pytest.mark.parametrize("publish", ["{}", "{summary: false}"])
def test_hostile_texts_act_nowhere(publish: str) -> None:
    made = posted(hostile_review(), publish)
    reader = MarkdownIt("gfm-like", {"html": True, "linkify": False}).disable("linkify")
    texts = [*made.texts, *made.moved, *(comment.body for comment in made.comments)]

    for text in filter(None, texts):
        tokens = reader.parse(text)
        html = [token.content for token in tokens if token.type == "html_block"]
        ours = ("<!-- reviewbot:v1 ", "<details>", "</details>")
        assert all(content.startswith(ours) for content in html)
        inline = [child for token in tokens for child in token.children or []]
        assert not {child.type for child in inline} & {"image", "link_open", "html_inline"}
        words = " ".join(child.content for child in inline if child.type == "text")
        assert "@octocat" not in words
        assert "#1" not in words
        assert not [line for line in text.split("\n") if line.startswith(("/approve", "/merge"))]
        assert "\x1b" not in text
        assert "```suggestion" not in text
    assert made.check is not None
    assert "\u202e" not in made.check.annotations[0].message
    assert HOSTILE not in str(made.check)


@pytest.mark.parametrize(
    ("fail_on", "expected"),
    [("", "success"), ("fail_on: critical", "failure"), ("fail_on: low", "failure")],
)
def test_a_check_fails_where_the_policy_says_so(fail_on: str, expected: str) -> None:
    assert conclusion(shop_review(), policy(f"{{{fail_on}}}")) == expected


def test_a_check_fails_only_from_the_severity_on() -> None:
    mild = replace(shop_review(), findings=shop_review().findings[1:])

    assert conclusion(mild, policy("{fail_on: high}")) == "success"
    assert conclusion(mild, policy("{fail_on: medium}")) == "failure"


def test_a_check_of_an_incomplete_review_is_never_a_success() -> None:
    review = shop_review()
    partly = replace(review, coverage=(Coverage("a", CoverageStatus.PARTIAL, "claude", "cut"),))
    nothing = replace(review, coverage=(Coverage("a", CoverageStatus.SKIPPED, "none", "binary"),))

    for each in (partly, nothing, replace(review, coverage=()), scripted_review()):
        assert conclusion(replace(each, findings=()), policy("{fail_on: low}")) == "neutral"
        assert conclusion(each, policy("{fail_on: low}")) == "failure"


def test_annotations_stand_on_lines_of_the_new_text() -> None:
    (only,) = annotations(shop_review().findings)

    assert only.to_json() == {
        "path": "shop/refund.py",
        "start_line": 41,
        "end_line": 43,
        "annotation_level": "failure",
        "title": "critical: Refunds are cut down to whole cents",
        "message": only.message,
    }
    assert only.message.endswith("(claude, confidence 0.93, also openai)")


def test_only_a_pull_request_is_posted_on() -> None:
    review = shop_review()

    with pytest.raises(ValueError, match="pull request"):
        publication(replace(review, change=replace(review.change, number=None)), policy(), MARKS)


class TestWhatIsCarried:
    """From push to push, where there is no database."""

    def test_the_longest_record_fits_beside_the_longest_review(self) -> None:
        change = replace(
            large_review(400, 300).change, repository="acme/shop", number=7, head="c" * 40
        )
        review = replace(large_review(400, 300), change=change)
        line = "<!-- reviewbot-record:" + "x" * (MAX_LINE - 30) + " -->"

        made = publication(review, Policy(), MARKS, Carried(record=lambda inline: line))

        for texts in (made.texts, made.moved):
            assert texts.summary
            assert len(texts.summary) <= MAX_COMMENT
            assert line in texts.summary
            assert MARKS.is_of_run(texts.summary)

    def test_what_stands_on_its_line_gets_no_second_comment_and_is_named(self) -> None:
        review = shop_review()
        first, *others = [finding for finding in review.findings if finding.anchored]

        made = publication(review, Policy(), MARKS, Carried(frozenset({first.fingerprint})))

        assert len(made.comments) == len(others)
        assert first.title not in " ".join(comment.body for comment in made.comments)
        assert made.texts.summary
        assert made.texts.summary.count(first.title) == 1
        assert [review.findings[i].fingerprint for i in made.inline] == [
            finding.fingerprint for finding in others
        ]
