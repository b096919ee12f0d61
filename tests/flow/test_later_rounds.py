"""The flow on a pull request that was reviewed before: who is asked what, and what is said."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from flow.test_left_alone import DIFF, FETCHED, SETUP, Steps

from reviewbot.change.parse import parse_diff
from reviewbot.change.source import Fetched
from reviewbot.config.policy import load_policy
from reviewbot.pipeline import Setup, review_change
from reviewbot.publishing.check_run import conclusion
from reviewbot.publishing.figures import verdict
from reviewbot.publishing.result import Review, round_of
from reviewbot.publishing.rounds import Earlier
from reviewbot.publishing.summary import summary_markdown
from reviewbot.reading import Asked
from reviewbot.review.already import ReadBefore
from reviewbot.review.answer import Severity
from reviewbot.review.engine import Ask, Outcome, Reply
from reviewbot.review.finding import CoverageStatus

NOW = datetime(2026, 11, 21, tzinfo=UTC)
NO = '{"risky": false, "area": "none", "why": "It counts."}'
LOCAL = load_policy("route: {uncertain: local}\n")
OTHER = DIFF.replace("pages", "lists").replace("total", "count")


def says(*severities: str) -> str:
    """Findings of these severities, each about a line of its own text."""
    findings = [
        {
            "path": "shop/pages.py", "line": 2, "end_line": None, "quote": f"not there {number}",
            "severity": severity, "category": "correctness", "title": f"Wrong {number} {severity}",
            "body": "It is wrong.", "suggestion": None, "confidence": 0.9,
        }
        for number, severity in enumerate(severities)
    ]  # fmt: skip
    findings[:1] = [{**one, "quote": "    return total // size"} for one in findings[:1]]
    return json.dumps({"walkthrough": "It changes.", "findings": findings})


@dataclass
class Later(Steps):
    """A world in which there were reviews before."""

    before: Earlier = field(default_factory=Earlier)
    also: list[str] = field(default_factory=list)

    def earlier(self) -> Earlier:
        return self.before

    def fetch(self, also: object) -> Fetched:
        self.also = list(also)  # type: ignore[call-overload]
        return self.fetched

    def ask(self, asks: Sequence[Ask]) -> list[Asked]:
        self.asked += [ask.purpose for ask in asks]
        texts = [NO if ask.purpose == "route" else self.says for ask in asks]
        return [Asked(Reply(Outcome.ANSWERED, "qwen", 0.1, text=text), (), 1) for text in texts]


def reviewed(
    says: str = "", before: Earlier | None = None, setup: Setup = SETUP, diff: str = DIFF
) -> tuple[Review, Later]:
    fetched = replace(FETCHED, change=replace(parse_diff(diff), head=f"{len(diff):040x}"))
    steps = Later(fetched, says, before=before or Earlier())
    return review_change(steps, setup, review_id=f"r{len(diff)}", now=NOW), steps


def after(*reviews: Review) -> Earlier:
    """What these leave behind once they are posted."""
    last = reviews[-1].progress
    return Earlier(
        ReadBefore(tuple(file for each in reviews for file in each.progress.read)),
        (*last.lives, *last.born),
        tuple(map(round_of, reviews)),
    )


def test_a_change_in_doubt_is_asked_about_once_for_what_is_in_it() -> None:
    first, asked = reviewed(says())
    second, nobody = reviewed(says(), after(first))
    third, again = reviewed(says(), after(first, second), diff=DIFF + OTHER)

    assert asked.asked == ["route", "review"]
    assert nobody.asked == []
    assert second.route.tier == first.route.tier == "local"
    assert "has been read before" in second.route.notes[-1]
    assert second.complete
    assert again.asked == ["route", "review"]
    assert third.complete


def test_a_policy_that_changed_has_nothing_read_again_but_a_person_has() -> None:
    first, _ = reviewed(says(), setup=replace(SETUP, policy=LOCAL))
    other = replace(
        SETUP, policy=load_policy("route: {uncertain: local}\nreview: {instructions: Be kind.}\n")
    )

    _, nobody = reviewed(says(), after(first), other)
    _, asked = reviewed(says(), after(first), replace(other, automatic=False))

    assert (nobody.asked, asked.asked) == ([], ["review"])


def test_a_sampled_comparison_needs_something_new() -> None:
    policy = load_policy("route: {uncertain: local}\nreview: {regret_percent: 100}\n")
    setup = replace(SETUP, policy=policy)
    first, both = reviewed(says(), setup=setup)

    second, nobody = reviewed(says(), after(first), setup)

    assert both.asked == ["review", "regret"]
    assert (nobody.asked, second.regret) == ([], None)


def test_what_is_open_counts_in_title_check_and_fail_on() -> None:
    setup = replace(
        SETUP, policy=load_policy("route: {uncertain: local}\npublish: {fail_on: high}\n")
    )
    first, _ = reviewed(says("high"), setup=setup)

    second, steps = reviewed(says(), after(first), setup)

    assert steps.also == ["shop/pages.py"]
    assert (verdict(second), second.findings) == ("1 high", ())
    assert conclusion(second, setup.policy) == "failure"
    summary = summary_markdown(second)
    assert f"open since `{first.change.head[:7]}`" in summary  # type: ignore[index]
    assert "History: 2 reviews" in summary
    assert "| nothing new | 0 | 0 | 1 | $0 |" in summary


@pytest.mark.parametrize(("rounds", "listed"), [(1, 0), (2, 1), (5, 1)])
def test_from_the_third_round_on_only_what_is_bad_gets_a_comment(rounds: int, listed: int) -> None:
    setup = replace(SETUP, policy=LOCAL)
    line = replace(round_of(reviewed(says(), setup=setup)[0]), usd=Decimal(0))
    unread = replace(line, files=0)

    review, _ = reviewed(says("medium"), Earlier(rounds=(line,) * rounds + (unread,) * 3), setup)

    [finding] = review.findings
    assert finding.anchored
    assert review.progress.is_loud(finding) is not bool(listed)
    assert review.progress.is_loud(replace(finding, severity=Severity.HIGH))
    assert review.dropped.get("only listed", 0) == listed
    assert ("only listed, not on lines" in summary_markdown(review)) is bool(listed)
    assert verdict(review) == "1 medium", "what is listed counts all the same"


def test_a_held_review_still_shows_what_is_open() -> None:
    setup = replace(SETUP, policy=LOCAL)
    first, _ = reviewed(says("high"), setup=setup)
    policy = load_policy("route: {always_claude: ['**']}\nbudget: {when_exhausted: hold}\n")

    class Broke(Later):
        def too_dear(self, asks: Sequence[Ask]) -> str:
            return "acme/shop may spend $1.00 a month"

    steps = Broke(FETCHED, says(), before=after(first))
    review = review_change(steps, replace(SETUP, policy=policy), review_id="r", now=NOW)

    assert steps.asked == []
    assert verdict(review) == "HELD: budget used up; so far 1 high"
    assert "Wrong 0 high" in summary_markdown(review)


def test_a_file_that_is_read_in_two_parts_is_read_in_full() -> None:
    setup = replace(SETUP, policy=LOCAL)
    first, _ = reviewed(says(), setup=setup)
    more = DIFF + "@@ -50,2 +50,2 @@\n def last(total):\n-    return 1\n+    return 2\n"

    second, steps = reviewed(says(), after(first), setup, diff=more)

    assert steps.asked == ["review"]
    [entry] = second.coverage
    assert (entry.status, entry.engine) == (CoverageStatus.FULL, "llama")
    assert entry.reason == f"the rest read at {first.change.head[:7]}"  # type: ignore[index]


def test_a_long_history_of_many_findings_stays_within_a_comment() -> None:
    setup = replace(SETUP, policy=LOCAL)
    first, _ = reviewed(says("high"), setup=setup)
    [life] = first.progress.born
    long = replace(life.finding, title="`" + "|" * 300)
    lives = tuple(replace(life, id=f"r:{n}", finding=long) for n in range(900))
    before = after(first)

    review, _ = reviewed(
        says("high"), replace(before, lives=lives, rounds=before.rounds * 400), setup
    )
    summary = summary_markdown(review)

    assert len(summary) <= 65_000
    assert "… and 371 before" in summary
    assert "- … and" in summary
