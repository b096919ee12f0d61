"""What service, Action and terminal share of posting: all parts, only the check, and once."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial

import pytest
from github import Github
from github_simulator.content import Content
from github_simulator.server import GitHubSimulator
from github_simulator.state import Pull, Repository
from publishing.sample_reviews import shop_review

from reviewbot.change.parse import parse_diff
from reviewbot.config.policy import Policy, load_policy
from reviewbot.errors import SourceError
from reviewbot.github.app import PERMISSIONS
from reviewbot.github.client import connect
from reviewbot.github.posting import login_of, post, post_once
from reviewbot.github.reviews import Attempt, Published
from reviewbot.publishing.fingerprint import with_fingerprint
from reviewbot.publishing.marker import Marks, Scope
from reviewbot.publishing.result import Review

BOT = "reviewbot[bot]"
Post = Callable[..., Published]


@pytest.fixture
def pull(shop: Repository) -> Pull:
    return shop.open_pull("ready")


@pytest.fixture
def bot(simulator: GitHubSimulator, shop: Repository) -> Iterator[Github]:
    """A client with a token as our App asks for; it does not wait long."""
    installation = simulator.install(simulator.app("reviewbot"), "acme")
    only = frozenset({"acme/shop"})
    grant = simulator.apps.grant(installation, only, PERMISSIONS, simulator.now())
    with connect(simulator.url, grant.token, timeout=1) as client:
        yield client


@pytest.fixture
def review(shop_content: Content, pull: Pull) -> Review:
    """One finding, on the line that the pull request changes."""
    base, head = shop_content.resolve("main"), shop_content.resolve("ready")
    sample = shop_review()
    files = parse_diff(shop_content.diff(base, head).decode()).files
    change = replace(
        sample.change, files=files, base=base, head=head, repository="acme/shop", number=1
    )
    finding = replace(sample.findings[0], path="pay.py", line=1, end_line=1, suggestion=None)
    return replace(sample, change=change, findings=(with_fingerprint(finding),))


@pytest.fixture
def marks(review: Review, shop: Repository) -> Marks:
    change = review.change
    scope = Scope(9, str(shop.id), 1, str(change.head), str(change.base), "auto")
    return Marks(b"secret", scope)


@pytest.fixture
def waits() -> list[tuple[float, str]]:
    """What was waited for."""
    return []


@pytest.fixture
def once(bot: Github, marks: Marks, waits: list[tuple[float, str]]) -> Post:
    def noted(seconds: float, why: str) -> None:
        waits.append((seconds, why))

    return partial(
        post_once, bot, policy=Policy(), marks=marks, author=BOT, pause=noted, patience=120
    )


def test_all_parts_are_posted_and_found_again(
    bot: Github, review: Review, marks: Marks, shop: Repository, pull: Pull
) -> None:
    first = post(bot, review, Policy(), marks, author=BOT)
    again = post(bot, review, Policy(), marks, author=BOT)

    assert (first.outcome, again.outcome) == ("posted", "already")
    assert first.review_id == pull.reviews[0].id
    assert first.summary_id == pull.comments[0].id
    assert first.check_id == shop.checks[0].id


class TestLeftAlone:
    """A draft, or what the policy ignores, has its check only."""

    @pytest.fixture
    def left(self, review: Review) -> Review:
        return replace(review, left_alone="a draft: ask for it")

    def test_only_the_check_says_why(
        self, bot: Github, left: Review, marks: Marks, shop: Repository, pull: Pull
    ) -> None:
        done = post(bot, left, Policy(), marks, author=BOT)
        again = post(bot, left, Policy(), marks, author=BOT)

        [check] = shop.checks
        assert (check.conclusion, check.output["title"]) == (
            "neutral",
            "Not reviewed: a draft: ask for it",
        )
        assert (done.outcome, again.outcome) == ("posted", "already")
        assert (done.check_id, again.check_id) == (check.id, check.id)
        assert not pull.reviews
        assert not pull.comments

    def test_a_check_that_was_begun_is_ended(
        self, bot: Github, left: Review, marks: Marks, shop: Repository
    ) -> None:
        begun = post(bot, left, Policy(), marks, author=BOT).check_id
        shop.checks[0].status, shop.checks[0].external_id = "in_progress", "of another kind"

        done = post(bot, left, Policy(), marks, author=BOT, attempt=Attempt(check_id=begun))

        assert (done.check_id, len(shop.checks)) == (begun, 1)
        assert shop.checks[0].status == "completed"

    def test_without_a_check_nothing_is_asked(
        self, simulator: GitHubSimulator, bot: Github, left: Review, marks: Marks
    ) -> None:
        policy = load_policy("version: 1\npublish: {check: false}\n")

        assert post(bot, left, policy, marks, author=BOT) == Published("already")
        assert not simulator.requests

    @pytest.mark.parametrize(("status", "seconds"), [(403, 7), (502, 5)])
    def test_a_limit_or_an_outage_is_a_wait(
        self,
        simulator: GitHubSimulator,
        bot: Github,
        left: Review,
        marks: Marks,
        status: int,
        seconds: float,
    ) -> None:
        headers = {"Retry-After": "7"} if status == 403 else {}
        simulator.fail("GET .*/check-runs", status, headers=headers)

        done = post(bot, left, Policy(), marks, author=BOT)

        assert (done.outcome, done.wait_seconds) == ("wait", seconds)
        assert str(status) in done.problems[0]


class TestOnce:
    """For whoever has no queue that comes back."""

    def test_what_another_run_said_of_this_head_stays(
        self, once: Post, review: Review, pull: Pull
    ) -> None:
        finding = replace(review.findings[0], title="Quite another thing", fingerprint="")
        other = replace(review, findings=(with_fingerprint(finding),))
        first = once(review=replace(review, findings=()))
        text = pull.comments[0].body

        again = once(review=other)

        assert (first.outcome, again.outcome) == ("posted", "already")
        assert again.summary_id == first.summary_id
        assert pull.comments[0].body == text
        assert not pull.reviews

    def test_it_waits_as_it_is_told_and_goes_on_where_it_was(
        self,
        simulator: GitHubSimulator,
        once: Post,
        review: Review,
        waits: list[tuple[float, str]],
        shop: Repository,
        pull: Pull,
    ) -> None:
        simulator.secondary_limit("GET .*/issues/1/comments", retry_after=9)
        simulator.ambiguous("POST .*/issues/1/comments")
        simulator.fail("GET .*/issues/1/comments", 502, times=1)
        simulator.secondary_limit("POST .*/check-runs", retry_after=30)

        done = once(review=review)

        assert done.outcome == "posted"
        assert (len(pull.reviews), len(pull.comments), len(shop.checks)) == (1, 1, 1)
        assert [seconds for seconds, _ in waits] == [9, 5, 30]
        assert waits[-1][1] == "GitHub's rate limit (403): a check run"

    def test_it_gives_up_what_takes_too_long(
        self,
        simulator: GitHubSimulator,
        once: Post,
        review: Review,
        waits: list[tuple[float, str]],
        pull: Pull,
    ) -> None:
        simulator.secondary_limit("POST .*/issues/1/comments", retry_after=121, times=9)

        done = once(review=review)

        assert (done.outcome, done.review_id) == ("wait", pull.reviews[0].id)
        assert not waits


class TestWhoseToken:
    """The author of what is posted, by whom our own texts are known."""

    def test_a_persons(self, client: Github) -> None:
        assert login_of(client) == "operator"

    def test_an_apps(self, bot: Github) -> None:
        assert login_of(bot) == BOT

    def test_nobodys(self, make_client: Callable[..., Github]) -> None:
        with pytest.raises(SourceError, match=r"refuses the token \(401\)"):
            login_of(make_client("ghp_old"))

    @pytest.mark.parametrize("body", [{}, {"data": {"viewer": None}}, {"data": None}, []])
    def test_an_answer_without_a_name(
        self, simulator: GitHubSimulator, client: Github, body: object
    ) -> None:
        simulator.fail("POST /graphql", 200, body=body)

        with pytest.raises(SourceError, match="does not answer as GitHub's API does"):
            login_of(client)
