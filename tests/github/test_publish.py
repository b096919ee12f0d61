"""A review on a pull request: posted once, whole, on the head that it is about."""

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from github import Github
from github_simulator import records
from github_simulator.content import Content
from github_simulator.rates import kind_of
from github_simulator.server import GitHubSimulator
from github_simulator.state import Pull, Repository
from publishing.sample_reviews import shop_review

from reviewbot.change.model import Change
from reviewbot.change.parse import parse_diff
from reviewbot.config.policy import Policy, load_policy
from reviewbot.github.app import PERMISSIONS
from reviewbot.github.calls import Denied, Refused, Unclear
from reviewbot.github.checks import start_check
from reviewbot.github.client import connect
from reviewbot.github.reviews import ALONE, Attempt, Published, publish
from reviewbot.github.threads import (
    DONE,
    SEEN,
    CommentRef,
    permission,
    react,
    read_comment,
    reply,
    say,
)
from reviewbot.publishing.comments import Publication, publication
from reviewbot.publishing.fingerprint import with_fingerprint
from reviewbot.publishing.marker import Marks, Scope
from reviewbot.publishing.notice import Place, failure_notice, noticed
from reviewbot.publishing.result import Review

BOT = "reviewbot[bot]"
WHEN = "2026-01-01T00:00:00Z"


@pytest.fixture(scope="session")
def long_content(tmp_path_factory: pytest.TempPathFactory) -> Content:
    """200 lines; `work` changes all of the first 120 and removes the last."""
    content = Content(tmp_path_factory.mktemp("long") / "long")
    lines = [f"line {number}" for number in range(1, 201)]
    content.commit("main", {"a.py": "\n".join(lines) + "\n"})
    changed = [f"{line}!" for line in lines[:120]] + lines[120:199]
    content.commit("work", {"a.py": "\n".join(changed) + "\n"}, start="main")
    return content


@pytest.fixture
def repository(simulator: GitHubSimulator, long_content: Content) -> Repository:
    """`acme/long` with its pull request."""
    made = simulator.repository("acme/long", start=long_content)
    made.open_pull("work")
    return made


@pytest.fixture
def pull(repository: Repository) -> Pull:
    return repository.pulls[1]


@pytest.fixture
def bot(simulator: GitHubSimulator, repository: Repository) -> Iterator[Github]:
    """A client with a token as our App asks for; it does not wait long."""
    installation = simulator.install(simulator.app("reviewbot"), "acme")
    only = frozenset({"acme/long"})
    grant = simulator.apps.grant(installation, only, PERMISSIONS, simulator.now())
    with connect(simulator.url, grant.token, timeout=1) as client:
        yield client


Make = Callable[..., Publication]


@pytest.fixture(scope="session")
def change(long_content: Content) -> Change:
    """The pull request's change."""
    base, head = long_content.resolve("main"), long_content.resolve("work")
    files = parse_diff(long_content.diff(base, head).decode()).files
    return Change(files, base=base, head=head, repository="acme/long", number=1)


@pytest.fixture
def make(change: Change, repository: Repository) -> Make:
    """Publications of that change; 2 findings on lines and one without a place."""

    def made(
        publish: str = "{}", *, more: int = 0, body: str = "It breaks.", request: str = "auto"
    ) -> Publication:
        sample = shop_review().findings[0]
        first = replace(
            sample, path="a.py", line=3, end_line=5, quote="x", body=body, suggestion="a\nb\nc"
        )
        removed = replace(first, side="LEFT", line=200, end_line=200, suggestion=None)
        loose = replace(
            removed, line=None, end_line=None, anchored=False, unanchored_reason="it is lost"
        )
        many = [replace(first, line=n, end_line=n, title=f"No {n}") for n in range(6, 6 + more)]
        findings = tuple(map(with_fingerprint, (first, removed, loose, *many)))
        review: Review = replace(shop_review(), change=change, findings=findings)
        scope = Scope(9, str(repository.id), 1, str(change.head), str(change.base), request)
        policy: Policy = load_policy(f"version: 1\npublish: {publish}\n")
        return publication(review, policy, Marks(b"secret", scope))

    return made


def post(bot: Github, what: Publication, attempt: Attempt = ALONE) -> Published:
    return publish(bot, what, author=BOT, attempt=attempt)


def test_everything_is_posted_with_few_requests(
    simulator: GitHubSimulator, bot: Github, repository: Repository, pull: Pull, make: Make
) -> None:
    what = make("{fail_on: high}")
    before = len(simulator.requests)

    done = post(bot, what)

    kinds = [kind_of(request) for request in simulator.requests[before:]]
    assert kinds == [
        "GET /repos/{repository}/pulls/{n}",
        "GET /repos/{repository}/pulls/{n}/reviews",
        "POST /repos/{repository}/pulls/{n}/reviews",
        "GET /repos/{repository}/issues/{n}/comments",
        "POST /repos/{repository}/issues/{n}/comments",
        "POST /repos/{repository}/check-runs",
    ]
    assert done == Published(
        "posted",
        review_id=pull.reviews[0].id,
        summary_id=pull.comments[0].id,
        check_id=repository.checks[0].id,
        requests=6,
    )
    assert pull.reviews[0].state == "COMMENTED"
    places = [(one.start_line, one.line, one.side) for one in pull.threads]
    assert places == [(3, 5, "RIGHT"), (None, 200, "LEFT")]
    assert "```suggestion\na\nb\nc\n```" in pull.threads[0].body
    assert "it is lost" in pull.comments[0].body
    check = repository.checks[0]
    assert (check.status, check.conclusion, check.head) == ("completed", "failure", what.head)
    assert [one["start_line"] for one in check.annotations] == [3]


def test_a_second_time_changes_nothing(
    bot: Github, repository: Repository, pull: Pull, make: Make
) -> None:
    first = post(bot, make())

    again = post(bot, make())

    assert again == replace(first, outcome="already", requests=4)
    assert (len(pull.reviews), len(pull.comments), len(repository.checks)) == (1, 1, 1)
    assert len(repository.checks[0].annotations) == 1


def test_a_later_run_edits_the_summary_in_place(
    bot: Github, repository: Repository, pull: Pull, make: Make
) -> None:
    first = post(bot, make())
    summary = pull.comments[0].body

    second = post(bot, make("{inline: false}", request="comment:5"))

    assert second.outcome == "posted"
    assert second.summary_id == first.summary_id
    assert second.review_id is None
    assert pull.comments[0].body != summary
    assert (len(pull.reviews), len(pull.comments), len(repository.checks)) == (1, 1, 2)


def test_another_head_or_a_closed_pull_request_gets_nothing(
    bot: Github, repository: Repository, pull: Pull, make: Make
) -> None:
    what = make()
    repository.push(pull, {"b.py": "b\n"})
    pushed = post(bot, what)
    repository.close(pull)
    closed = post(bot, what)

    assert (pushed.outcome, closed.outcome) == ("superseded", "closed")
    assert pushed.requests == closed.requests == 1
    assert not pull.reviews
    assert not pull.comments
    assert not repository.checks


def test_comments_that_github_refuses_move_to_the_summary(
    simulator: GitHubSimulator, bot: Github, pull: Pull, make: Make
) -> None:
    what = make()
    lost = replace(what.comments[1], line=199)
    what = replace(what, comments=(what.comments[0], lost))

    done = post(bot, what)
    again = post(bot, what)

    assert (done.outcome, done.moved, done.requests) == ("posted", 2, 7)
    assert (again.outcome, again.moved) == ("already", 2)
    assert not pull.threads
    assert "2 findings stand in the summary instead" in pull.reviews[0].body
    assert pull.comments[0].body.count("It breaks.") == 3


@pytest.mark.parametrize("how", ["502", "hang-up", "silence"])
@pytest.mark.parametrize("where", ["/reviews$", "/issues/1/comments$", "/check-runs$"])
def test_a_lost_answer_posts_nothing_twice(
    simulator: GitHubSimulator,
    bot: Github,
    repository: Repository,
    pull: Pull,
    make: Make,
    where: str,
    how: str,
) -> None:
    simulator.ambiguous(f"POST .*{where}", how)  # type: ignore[arg-type]

    done = post(bot, make())

    assert done.outcome == "posted"
    assert (done.review_id, done.summary_id, done.check_id) == (
        pull.reviews[0].id,
        pull.comments[0].id,
        repository.checks[0].id,
    )
    assert (len(pull.reviews), len(pull.comments), len(repository.checks)) == (1, 1, 1)
    assert done.requests == 7


@pytest.mark.parametrize("where", ["GET .*/pulls/1$", "GET .*/reviews$", "POST .*/reviews$"])
@pytest.mark.parametrize("status", [500, 503])
def test_a_failure_is_tried_again_later(
    simulator: GitHubSimulator, bot: Github, pull: Pull, make: Make, where: str, status: int
) -> None:
    what = make()
    simulator.fail(where, status, times=1)

    waiting = post(bot, what)
    done = post(bot, what)

    assert waiting.outcome == "wait"
    assert waiting.wait_seconds == 5
    assert str(status) in waiting.problems[0]
    assert done.outcome == "posted"
    assert len(pull.reviews) == 1


@pytest.mark.parametrize(
    ("status", "retry_after", "seconds"), [(403, 17, 17), (429, 17, 17), (403, None, 60)]
)
def test_a_secondary_limit_says_how_long_to_wait(
    simulator: GitHubSimulator,
    bot: Github,
    pull: Pull,
    make: Make,
    status: int,
    retry_after: int | None,
    seconds: int,
) -> None:
    what = make()
    simulator.secondary_limit("POST .*/issues/1/comments", status=status, retry_after=retry_after)

    waiting = post(bot, what)
    done = post(bot, what)

    assert (waiting.outcome, waiting.wait_seconds) == ("wait", seconds)
    assert waiting.review_id == done.review_id == pull.reviews[0].id
    assert done.outcome == "posted"
    assert (len(pull.reviews), len(pull.comments)) == (1, 1)


def test_marks_of_others_are_nothing(bot: Github, pull: Pull, make: Make) -> None:
    what = make()
    texts = [what.texts.summary or "", Marks(b"guess", what.marks.scope).mark("summary")]
    for author, body in zip(["mallory", BOT], texts, strict=True):
        pull.comments.append(records.Comment(len(author), 1, author, body, WHEN))

    done = post(bot, what)

    assert done.summary_id == pull.comments[2].id
    assert pull.comments[0].body == texts[0]


def test_a_copied_review_is_not_ours(bot: Github, pull: Pull, make: Make) -> None:
    what = make()
    copied = records.Review(7, "mallory", what.texts.review, "COMMENTED", what.head, WHEN)
    pull.reviews.append(copied)

    done = post(bot, what)

    assert [review.author for review in pull.reviews] == ["mallory", BOT]
    assert done.review_id == pull.reviews[1].id


def test_a_check_of_another_app_is_not_ours(
    simulator: GitHubSimulator, bot: Github, repository: Repository, make: Make
) -> None:
    what = make("{inline: false}")
    post(bot, what)
    repository.checks[0].app = simulator.app("theirs")

    done = post(bot, what)

    assert done.check_id == repository.checks[1].id
    assert [check.app.slug for check in repository.checks] == ["theirs", "reviewbot"]


def test_many_annotations_go_in_batches(
    simulator: GitHubSimulator, bot: Github, repository: Repository, make: Make
) -> None:
    what = make("{inline: false}", more=110)
    simulator.fail("PATCH .*/check-runs", 502, times=1)

    waiting = post(bot, what)
    begun = len(repository.checks[0].annotations)
    done = post(bot, what)

    assert (waiting.outcome, begun, done.outcome) == ("wait", 50, "posted")
    lines = [one["start_line"] for one in repository.checks[0].annotations]
    assert lines == [3, *range(6, 116)]
    assert len(repository.checks) == 1


def test_a_check_that_was_started_is_finished(
    bot: Github, repository: Repository, make: Make
) -> None:
    what = make()
    started = [
        start_check(
            bot,
            "acme/long",
            what.head,
            external_id=what.marks.external_id(),
            title="Waiting",
            author=BOT,
        )
        for _ in range(2)
    ]
    assert repository.checks[0].status == "in_progress"

    done = post(bot, what, Attempt(check_id=started[0]))

    assert done.requests == 6
    assert started == [done.check_id] * 2
    (check,) = repository.checks
    assert (check.status, len(check.annotations)) == ("completed", 1)


def test_who_is_the_first_to_post_need_not_look(
    simulator: GitHubSimulator, bot: Github, repository: Repository, make: Make
) -> None:
    what = make()
    named = {"external_id": what.marks.external_id(), "title": "Reading", "author": BOT}
    check = start_check(bot, "acme/long", what.head, **named, first=True)
    before = len(simulator.requests)

    done = post(bot, what, Attempt(check, first=True))

    assert [kind_of(request) for request in simulator.requests[before:]] == [
        "GET /repos/{repository}/pulls/{n}",
        "POST /repos/{repository}/pulls/{n}/reviews",
        "POST /repos/{repository}/issues/{n}/comments",
        "PATCH /repos/{repository}/check-runs/{n}",
    ]
    assert (done.requests, done.check_id, len(repository.checks)) == (4, check, 1)


def test_who_slept_gives_way_to_whoever_went_on(bot: Github, pull: Pull, make: Make) -> None:
    awake = iter([True, False])  # after the review another worker began

    done = post(bot, make(), Attempt(ours=lambda: next(awake)))

    assert done.outcome == "taken over"
    assert (len(pull.reviews), len(pull.comments)) == (1, 0)


def test_a_notice_leaves_the_summary_of_an_earlier_head_below(
    bot: Github, repository: Repository, pull: Pull, make: Make
) -> None:
    what = make()
    post(bot, what)
    reviewed = pull.comments[0].body
    later = replace(what.marks, scope=what.marks.scope._replace(request="comment:1"))
    place = Place("acme/long", 1, what.head)

    for name in ("the first id", "the second id"):
        post(bot, failure_notice(place, later, name))
    failed = pull.comments[0].body
    post(bot, what)

    assert len(pull.comments) == 1
    assert "the second id" in failed
    assert "the first id" not in failed
    assert failed.count("It breaks.") == reviewed.count("It breaks.")
    assert pull.comments[0].body == reviewed


def test_a_notice_may_be_all_that_there_is(bot: Github, pull: Pull, make: Make) -> None:
    what = make()
    place = Place("acme/long", 1, what.head)

    for name in ("one", "two"):
        post(bot, failure_notice(place, what.marks, name))

    [comment] = pull.comments
    assert "`two`" in comment.body
    assert "`one`" not in comment.body
    assert pull.reviews == []


def test_what_the_app_may_not_post_keeps_nothing_else_back(
    simulator: GitHubSimulator, bot: Github, pull: Pull, make: Make
) -> None:
    what = make()
    simulator.fail("POST .*/check-runs", 403, "Resource not accessible by integration")
    simulator.fail("POST .*/reviews", 403, "Resource not accessible by integration")

    done = post(bot, what)

    assert done.outcome == "posted"
    assert len(done.problems) == 2
    assert "(403): a review" in done.problems[0]
    assert not pull.reviews
    assert pull.comments[0].body.count("It breaks.") == 3


def test_where_nothing_can_be_posted_the_first_reason_is_raised(
    simulator: GitHubSimulator, bot: Github, make: Make
) -> None:
    what = make()
    simulator.fail("POST ", 404, "Not Found ghs_secret")

    with pytest.raises(Denied, match=r"\(404\): a review") as caught:
        post(bot, what)

    assert "ghs_" not in str(caught.value)


def test_a_push_while_posting_ends_it(
    simulator: GitHubSimulator, bot: Github, repository: Repository, pull: Pull, make: Make
) -> None:
    what = make()
    pull.head = "pushed"
    repository.content.commit("pushed", {"a.py": "x\n"}, start="main")
    shown = {**repository.pull_json(simulator.url, pull)}
    shown["head"] = {**shown["head"], "sha": what.head}
    simulator.fail("GET .*/pulls/1$", 200, body=shown, times=1)

    done = post(bot, what)

    assert done.outcome == "superseded"
    assert not pull.comments


@pytest.mark.parametrize("body", ["<html>", [], {"message": "?"}, {"head": 7, "state": "open"}])
def test_answers_that_make_no_sense_post_nothing(
    simulator: GitHubSimulator, bot: Github, pull: Pull, make: Make, body: object
) -> None:
    what = make()
    simulator.fail("GET .*/pulls/1$", 200, body=body)

    done = post(bot, what)

    assert done.outcome in ("wait", "closed", "superseded")
    assert not pull.reviews


def test_a_redirect_to_elsewhere_is_not_followed(
    simulator: GitHubSimulator, bot: Github, make: Make
) -> None:
    what = make()
    simulator.fail("GET .*/pulls/1$", 301, headers={"Location": "http://evil.example/x"})

    with pytest.raises(Refused, match="redirects elsewhere"):
        post(bot, what)


def test_reactions_stand_once(bot: Github, pull: Pull, make: Make) -> None:
    post(bot, make())
    comment = CommentRef("acme/long", pull.comments[0].id, "issue_comment")
    on_line = CommentRef("acme/long", pull.threads[0].id, "review_comment")

    for one in (comment, on_line):
        react(bot, one, SEEN)
        react(bot, one, SEEN)
        react(bot, one, DONE)

    assert [one.content for one in pull.comments[0].reactions] == ["eyes", "rocket"]
    assert [one.content for one in pull.threads[0].reactions] == ["eyes", "rocket"]


@pytest.mark.parametrize(
    ("role", "may"),
    [("admin", True), ("maintain", True), ("write", True), ("triage", False), ("read", False)],
)
def test_orders_come_from_people_who_may_write(
    bot: Github, repository: Repository, role: str, may: bool
) -> None:
    repository.collaborators["ada"] = role

    assert permission(bot, "acme/long", "ada") is may


def test_strangers_and_bots_may_not_write(bot: Github) -> None:
    assert not permission(bot, "acme/long", "mallory")
    assert not permission(bot, "acme/long", "other[bot]")
    assert not permission(bot, "acme/long", "../x")


def test_an_answer_stands_in_the_thread_of_its_finding(bot: Github, pull: Pull, make: Make) -> None:
    what = make()
    post(bot, what)
    thread = CommentRef("acme/long", pull.threads[0].id, "review_comment")

    answer = reply(bot, "acme/long", 1, thread.id, "Dismissed.")
    said = say(bot, "acme/long", 1, "Done.")

    assert (pull.threads[-1].id, pull.threads[-1].reply_to) == (answer, thread.id)
    assert pull.comments[-1].id == said
    found = read_comment(bot, thread)
    assert found.author == BOT
    assert what.marks.fingerprint_in(found.body)


def test_an_outage_is_unclear(simulator: GitHubSimulator, bot: Github) -> None:
    with simulator.outage(None), pytest.raises(Unclear):
        permission(bot, "acme/long", "ada")


def test_a_summary_that_looks_like_a_notice_is_kept_whole() -> None:
    below = "\n\n---\n\nBelow is the summary of an earlier review.\n\n"
    earlier = f"## reviewbot: 1 high\n\nA finding.{below}nothing\n\n<!-- mark -->"

    whole = noticed(earlier, "## reviewbot: the review failed\n\nId: `x`\n\n<!-- mark -->")

    assert "A finding." in whole
    assert whole.endswith("<!-- mark -->")
