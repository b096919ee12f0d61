"""Threads and thumbs of a pull request, read in one request; answers that make no sense are none."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from github import Github
from github_simulator.apps import App
from github_simulator.content import Content
from github_simulator.records import LineComment
from github_simulator.server import GitHubSimulator
from github_simulator.state import Pull, Repository

from reviewbot.github.app import PERMISSIONS
from reviewbot.github.calls import Denied, RateLimited, Refused, Unclear
from reviewbot.github.conversations import Thumb, read_conversation, renamed_files

BOT = "reviewbot[bot]"
LINES = "".join(f"line {number}\n" for number in range(1, 9))


@pytest.fixture(scope="session")
def thread_content(tmp_path_factory: pytest.TempPathFactory) -> Content:
    content = Content(tmp_path_factory.mktemp("threads") / "shop")
    content.commit("main", {"a.py": "", "keep.py": "k\n"})
    content.commit("work", {"a.py": LINES}, start="main")
    return content


@pytest.fixture
def shop(simulator: GitHubSimulator, thread_content: Content) -> Repository:
    made = simulator.repository("acme/shop", start=thread_content)
    made.private = True
    return made


@pytest.fixture
def pull(shop: Repository) -> Pull:
    return shop.open_pull("work")


@pytest.fixture
def bot(simulator: GitHubSimulator, shop: Repository, make_client: Callable[..., Github]) -> Github:
    """With a token as the service asks for it."""
    app: App = simulator.app("reviewbot")
    installation = simulator.install(app, "acme")
    only = frozenset({shop.full_name})
    return make_client(simulator.apps.grant(installation, only, PERMISSIONS, simulator.now()).token)


def comment(
    simulator: GitHubSimulator, shop: Repository, pull: Pull, who: str = BOT
) -> LineComment:
    line = len(pull.threads) % 8 + 1
    place = {"path": "a.py", "line": line}
    return simulator.person(who).comment_at(shop, pull, f"Hm, line {line}.", **place)


def test_our_threads_are_read_with_what_people_did(
    simulator: GitHubSimulator, shop: Repository, pull: Pull, bot: Github
) -> None:
    first, second = (comment(simulator, shop, pull) for _ in range(2))
    theirs = comment(simulator, shop, pull, "eve")
    other_app = comment(simulator, shop, pull, "linter[bot]")
    ada, bob = simulator.person("ada"), simulator.person("bob")
    for one in (first, theirs, other_app):
        ada.react(one, "-1")
    bob.react(first, "+1")
    bob.react(first, "rocket")
    simulator.person("linter[bot]").react(first, "+1")
    simulator.person(BOT).react(first, "-1")
    ada.resolve(second)
    before = len(simulator.requests)

    seen = read_conversation(bot, "acme/shop", pull.number, author="ReviewBot[bot]")

    assert len(simulator.requests) == before + 1
    assert (seen.state, seen.ended_at, seen.head) == ("open", None, shop.ends(pull)[1])
    one, two = seen.threads
    assert (one.comment_id, one.review_id, one.line) == (first.id, first.review, 1)
    assert (one.commit, one.body) == (first.commit, "Hm, line 1.")
    assert [thumb[:2] for thumb in one.thumbs] == [(True, "bob"), (False, "ada")]
    assert all(isinstance(thumb, Thumb) and thumb.at.tzinfo for thumb in one.thumbs)
    assert (one.resolved, two.resolved, two.resolved_by) == (False, True, "ada")


def test_a_bot_that_resolves_a_thread_is_nobody(
    simulator: GitHubSimulator, shop: Repository, pull: Pull, bot: Github
) -> None:
    simulator.person("linter[bot]").resolve(comment(simulator, shop, pull))

    [thread] = read_conversation(bot, "acme/shop", 1, author=BOT).threads

    assert (thread.resolved, thread.resolved_by) == (True, "")


def test_all_pages_of_threads_are_read(
    simulator: GitHubSimulator, shop: Repository, pull: Pull, bot: Github
) -> None:
    made = [comment(simulator, shop, pull) for _ in range(120)]

    seen = read_conversation(bot, "acme/shop", 1, author=BOT)

    assert [thread.comment_id for thread in seen.threads] == [one.id for one in made]
    assert len(simulator.requests) == 3


def test_how_and_when_it_ended_is_told(shop: Repository, pull: Pull, bot: Github) -> None:
    shop.close(pull, when="2030-02-03T04:05:06Z")
    closed = read_conversation(bot, "acme/shop", 1, author=BOT)
    shop.merge(pull, when="2030-02-03T05:05:06Z")
    merged = read_conversation(bot, "acme/shop", 1, author=BOT)

    assert (closed.state, merged.state) == ("closed", "merged")
    assert merged.ended_at
    assert closed.ended_at
    assert merged.ended_at - closed.ended_at == timedelta(hours=1)
    assert closed.ended_at == datetime.fromisoformat("2030-02-03T04:05:06Z")


def test_what_is_not_there_is_denied(shop: Repository, pull: Pull, bot: Github) -> None:
    for repository, number in (("acme/shop", 9), ("acme/elsewhere", 1)):
        with pytest.raises(Denied):
            read_conversation(bot, repository, number, author=BOT)


THREAD: dict[str, Any] = {
    "isResolved": False,
    "resolvedBy": None,
    "comments": {
        "nodes": [
            {
                "fullDatabaseId": "7",
                "body": "x",
                "createdAt": "2030-01-01T00:00:00Z",
                "originalLine": None,
                "originalCommit": None,
                "author": {"__typename": "Bot", "login": "reviewbot"},
                "pullRequestReview": {"fullDatabaseId": "8"},
                "reactionGroups": None,
            }
        ]
    },
}


def told(*nodes: Any, **facts: Any) -> dict[str, Any]:
    threads = {"pageInfo": {"hasNextPage": False, "endCursor": None}, "nodes": list(nodes)}
    usual = {"state": "OPEN", "closedAt": None, "headRefOid": "a" * 40, "reviewThreads": threads}
    return {"data": {"repository": {"pullRequest": {**usual, **facts}}}}


def without(thread: dict[str, Any], **changes: Any) -> dict[str, Any]:
    [only] = thread["comments"]["nodes"]
    return {**thread, "comments": {"nodes": [{**only, **changes}]}}


def test_what_github_leaves_out_is_no_obstacle(
    simulator: GitHubSimulator, shop: Repository, pull: Pull, bot: Github
) -> None:
    gone = without(THREAD, author=None)
    empty = {**THREAD, "comments": {"nodes": []}}
    simulator.fail("POST /graphql", 200, body=told(THREAD, gone, empty))

    [thread] = read_conversation(bot, "acme/shop", 1, author=BOT).threads

    assert (thread.comment_id, thread.line, thread.thumbs) == (7, None, ())


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ({"data": None, "errors": [{"type": "RATE_LIMITED"}]}, RateLimited),
        ({"errors": [{"type": "FORBIDDEN"}]}, Denied),
        ({"errors": [{"extensions": {"code": "undefinedField"}}]}, Refused),
        ({"data": None, "errors": [{"message": "Something went wrong"}]}, Unclear),
        ({"data": {"repository": {}}}, Unclear),
        ({"data": {"repository": None}, "errors": [{"type": "NOT_FOUND"}]}, Denied),
        ([], Unclear),
        ({"data": [], "errors": "no"}, Unclear),
        (told(state="LOCKED"), Unclear),
        (told(headRefOid="main"), Unclear),
        (told(headRefOid=None), Unclear),
        (told(state="CLOSED"), Unclear),
        (told(state="CLOSED", closedAt="yesterday"), Unclear),
        (told(reviewThreads=None), Unclear),
        (told(None), Unclear),
        (told({**THREAD, "comments": None}), Unclear),
        (told(without(THREAD, fullDatabaseId=None)), Unclear),
        (told(without(THREAD, fullDatabaseId="seven")), Unclear),
        (told(without(THREAD, author="reviewbot")), Unclear),
        (told(without(THREAD, reactionGroups=[{"content": "THUMBS_UP"}])), Unclear),
    ],
)
def test_answers_that_make_no_sense_are_failures(
    simulator: GitHubSimulator,
    shop: Repository,
    pull: Pull,
    bot: Github,
    body: Any,
    error: type[Exception],
) -> None:
    simulator.fail("POST /graphql", 200, body=body)

    with pytest.raises(error):
        read_conversation(bot, "acme/shop", 1, author=BOT)


def test_renamed_files_are_told_by_both_names(
    simulator: GitHubSimulator, shop: Repository, pull: Pull, bot: Github
) -> None:
    before = shop.ends(pull)[1]
    after = shop.push(pull, {"a.py": None, "lib/a.py": LINES + "# more\n", "keep.py": "K\n"})

    assert renamed_files(bot, "acme/shop", before, after) == {"a.py": "lib/a.py"}
    with pytest.raises(Denied):
        renamed_files(bot, "acme/shop", "0" * 40, after)
