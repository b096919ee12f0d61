"""`review --pr URL --post`: what a person's own token may do, once for each head, over HTTP."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from flow.conftest import LOGIN_BASE, PAGES_BASE, PAGES_HEAD, Terminal
from github_simulator.content import Content
from github_simulator.server import TOKEN, GitHubSimulator
from github_simulator.state import Pull, Repository
from model_servers.openai import OpenAIServer

from reviewbot.config.settings import load_settings
from reviewbot.github.app import PERMISSIONS
from reviewbot.publishing.feedback import PostedFinding
from reviewbot.store.feedback import open_feedback_store

Says = Callable[..., str]


@dataclass
class Shop:
    """A pull request that loses the last page, and somebody who has it reviewed."""

    github: GitHubSimulator
    repository: Repository
    pull: Pull
    terminal: Terminal
    model: OpenAIServer

    @property
    def url(self) -> str:
        return f"{self.github.url}/acme/shop/pull/1"

    def post(self, *more: str) -> tuple[int, str, str]:
        return self.terminal.run("review", "--pr", self.url, "--post", *more)

    @property
    def database(self) -> str:
        return load_settings().database

    def rows(self) -> list[PostedFinding]:
        """What is written down as posted."""
        with open_feedback_store(self.database) as store:
            return store.posted_findings(
                since=datetime(2020, 1, 1, tzinfo=UTC), until=datetime(2100, 1, 1, tzinfo=UTC)
            )

    def writes(self) -> int:
        return sum(
            request.method != "GET" and request.path != "/graphql"
            for request in self.github.requests
        )


@pytest.fixture
def shop(
    terminal: Terminal,
    with_local: OpenAIServer,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    says: Says,
) -> Iterator[Shop]:
    content = Content(tmp_path / "content")
    content.commit("main", {"shop/pages.py": PAGES_BASE, "shop/login.py": LOGIN_BASE})
    content.commit("head", {"shop/pages.py": PAGES_HEAD}, start="main")
    with GitHubSimulator(tmp_path) as github:
        repository = github.repository("acme/shop", start=content)
        pull = repository.open_pull("head", title="Simplify")
        terminal.set(github_api_url=github.url)
        monkeypatch.setenv("GITHUB_TOKEN", TOKEN)
        with_local.answering = lambda asked: says({})
        yield Shop(github, repository, pull, terminal, with_local)
        assert github.problems == []


def test_the_review_is_posted_with_the_users_own_token(shop: Shop) -> None:
    code, out, err = shop.post("--format", "json")

    assert code == 0, err
    assert [finding["line"] for finding in json.loads(out)["findings"]] == [2]
    [review], [summary], [comment] = shop.pull.reviews, shop.pull.comments, shop.pull.threads
    assert {review.author, summary.author} == {"operator"}
    assert (comment.path, comment.line) == ("shop/pages.py", 2)
    assert err.splitlines()[:3] == [
        f"reviewbot: posted on {shop.url}",
        f"  review   {shop.url}#pullrequestreview-{review.id}",
        f"  summary  {shop.url}#issuecomment-{summary.id}",
    ]
    assert not shop.repository.checks
    assert "not posted: GitHub does not let us, or it is not there (403): a check run" in err


def test_a_second_time_posts_nothing_though_the_model_says_something_else(
    shop: Shop, says: Says
) -> None:
    shop.post()
    before = (shop.writes(), shop.pull.comments[0].body)
    shop.model.answering = lambda asked: says({"line": 1, "quote": PAGES_HEAD[:22], "title": "No"})

    code, out, err = shop.post()

    assert (shop.writes(), shop.pull.comments[0].body) == before
    assert code == 0
    assert "No" in out
    assert err.startswith(
        f"reviewbot: already posted on {shop.url}: what is there stays as it is\n"
    )


def test_a_new_commit_is_reviewed_anew_under_the_same_summary(shop: Shop) -> None:
    shop.post()
    shop.repository.push(shop.pull, {"shop/pages.py": "# sizes\n" + PAGES_HEAD})

    code, _, err = shop.post()

    assert (code, err.splitlines()[0]) == (0, f"reviewbot: posted on {shop.url}")
    assert (len(shop.pull.reviews), len(shop.pull.comments)) == (2, 1)


def test_a_token_of_an_app_posts_as_its_bot_and_makes_a_check(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    installation = shop.github.install(shop.github.app("helper"), "acme")
    only = frozenset({"acme/shop"})
    grant = shop.github.apps.grant(installation, only, PERMISSIONS, shop.github.now())
    monkeypatch.setenv("GITHUB_TOKEN", grant.token)

    code, _, err = shop.post()
    again, _, told = shop.post()

    assert (code, again) == (0, 0)
    assert [review.author for review in shop.pull.reviews] == ["helper[bot]"]
    [check] = shop.repository.checks
    assert f"  check    {shop.url}/checks?check_run_id={check.id}" in err
    assert told.startswith("reviewbot: already posted")


def test_a_push_during_the_review_is_said_and_nothing_is_posted(shop: Shop, says: Says) -> None:
    def slow(asked: Any) -> str:
        shop.repository.push(shop.pull, {"b.py": "b = 1\n"})
        return says({})

    shop.model.answering = slow

    code, out, err = shop.post("--format", "json")

    assert code == 1
    assert json.loads(out)["findings"]
    assert (
        err == "reviewbot: not posted: the pull request has another head by now; review it again\n"
    )
    assert shop.writes() == 0


def test_a_token_that_may_not_write_costs_nobody_the_review(shop: Shop) -> None:
    shop.github.fail("POST /repos", 403, "Resource not accessible by personal access token")

    code, out, err = shop.post()

    assert code == 1
    assert "The last page is lost" in out
    assert "not posted: GitHub does not let us, or it is not there (403): a review" in err
    assert "GITHUB_TOKEN needs write access" in err


def test_what_github_asks_to_wait_is_waited_for(shop: Shop) -> None:
    shop.github.secondary_limit("POST .*/reviews", retry_after=1)
    shop.github.secondary_limit("GET .*/issues/1/comments", retry_after=1)

    code, _, err = shop.post()

    assert code == 0, err
    assert len(shop.pull.reviews) == len(shop.pull.comments) == 1


def test_a_wait_that_is_too_long_ends_with_what_is_posted_already(shop: Shop) -> None:
    shop.github.secondary_limit("POST .*/issues/1/comments", retry_after=3_000, times=9)

    code, _, err = shop.post()

    assert code == 1
    assert err.splitlines() == [
        "reviewbot: posted in part only: GitHub's rate limit (403): the summary",
        f"  review   {shop.url}#pullrequestreview-{shop.pull.reviews[0].id}",
    ]


def test_what_was_posted_is_written_down_once(shop: Shop) -> None:
    shop.github.secondary_limit("POST .*/issues/1/comments", retry_after=3_000)
    shop.post()
    in_part = shop.rows()
    shop.post()
    shop.post()

    [row] = shop.rows()
    assert in_part == []
    assert (row.installation, row.repository_id, row.number) == (0, shop.repository.id, 1)
    assert (row.repository, row.path, row.line) == ("acme/shop", "shop/pages.py", 2)
    assert (row.engine, row.tier) == ("openai", "local")
    assert row.model in shop.model.models
    assert row.inline


def test_only_what_was_posted_is_written_down(shop: Shop) -> None:
    _, out, _ = shop.terminal.run("review", "--pr", shop.url, "--format", "json")
    shop.github.fail("POST /repos", 403, "Resource not accessible by personal access token")
    shop.post()

    assert shop.rows() == []
    with open_feedback_store(shop.database) as store:
        stored = store.review(json.loads(out)["id"])
    assert stored
    assert stored.request == "cli"


class TestBeforeAnythingIsPaidFor:
    """Exit code 2, one clear line, and no question to a model."""

    def check(self, shop: Shop, *words: str) -> None:
        code, out, err = shop.post()
        assert (code, out) == (2, "")
        for word in words:
            assert word in err
        assert not shop.model.asked

    def test_without_a_pull_request(self, shop: Shop) -> None:
        code, _, err = shop.terminal.run("review", "main...head", "--post")

        assert code == 2
        assert "--post needs --pr URL" in err
        assert not shop.model.asked

    def test_without_a_token(self, shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("GITHUB_TOKEN")

        self.check(shop, "GITHUB_TOKEN must hold a token that may write pull requests")

    def test_with_a_token_that_is_over(self, shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("GITHUB_TOKEN", "ghp_old")

        self.check(shop, "GitHub refuses the token (401)")

    def test_on_a_closed_pull_request(self, shop: Shop) -> None:
        shop.repository.close(shop.pull)

        self.check(shop, "closed", "without --post")

    def test_on_another_host(self, shop: Shop) -> None:
        shop.terminal.set(github_api_url="https://api.github.com")

        self.check(shop, "is not github.com")

    def test_without_a_place_for_the_key(self, shop: Shop, tmp_path: Path) -> None:
        (tmp_path / "file").touch()
        shop.terminal.set(data_dir=tmp_path / "file")

        self.check(shop, "marker.key can't be used", "REVIEWBOT_MARKER_KEY")
