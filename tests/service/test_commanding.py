"""Commands in comments: who may give them, what they do, and that they do it once."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from shutil import copyfile
from typing import Any

import pytest
from github_simulator.apps import App, Installation
from github_simulator.content import Content
from github_simulator.records import Comment, LineComment, Review
from github_simulator.review_routes import answer_thread
from github_simulator.server import GitHubSimulator
from github_simulator.state import Pull, Repository
from publishing.sample_reviews import HOSTILE, hostile_review, scripted_review, shop_review

from reviewbot.errors import StoreError
from reviewbot.github.app import GitHubApp
from reviewbot.github.calls import Calls
from reviewbot.publishing.commands import help_text
from reviewbot.publishing.feedback import Feedback, FeedbackKind
from reviewbot.publishing.inline import MAX_COMMENT
from reviewbot.publishing.marker import Marks, Scope
from reviewbot.publishing.result import Review as FinishedReview
from reviewbot.service.commanding import Commands
from reviewbot.service.durable import HostBusy
from reviewbot.service.jobs import CommandJob, QueueDepth, QueueUnavailable, ReviewJob, job_id
from reviewbot.store.posted import Posting
from reviewbot.store.pulls import PullStore, open_pull_store

KEY = b"marker key"
FINGERPRINT = "0123456789abcdef"
NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


@dataclass
class MemoryQueue:
    """Jobs by id."""

    jobs: dict[str, ReviewJob] = field(default_factory=dict)
    broken: bool = False

    def enqueue_review(self, job: ReviewJob) -> str:
        if self.broken:
            raise QueueUnavailable("the disk is full")
        self.jobs.setdefault(job_id(job), job)
        return job_id(job)

    def enqueue_command(self, job: CommandJob) -> str:
        raise NotImplementedError

    def depth(self) -> QueueDepth:
        return QueueDepth(len(self.jobs), 0)


@pytest.fixture
def simulator(tmp_path: Path) -> Iterator[GitHubSimulator]:
    """The test fails if any request or answer is not as GitHub describes its API."""
    with GitHubSimulator(tmp_path) as running:
        yield running
    assert running.problems == []


@pytest.fixture(scope="session")
def small_content(tmp_path_factory: pytest.TempPathFactory) -> Content:
    content = Content(tmp_path_factory.mktemp("small") / "small")
    content.commit("main", {"a.py": "a\n"})
    content.commit("work", {"a.py": "b\n"}, start="main")
    return content


@pytest.fixture
def repository(simulator: GitHubSimulator, small_content: Content) -> Repository:
    """`acme/shop`, where ada may write and eve may not."""
    made = simulator.repository("acme/shop", start=small_content)
    made.private = True
    made.collaborators |= {"ada": "write", "max": "maintain", "eve": "triage", "ron": "read"}
    made.open_pull("work")
    return made


@pytest.fixture
def pull(repository: Repository) -> Pull:
    return repository.pulls[1]


@pytest.fixture
def registered(simulator: GitHubSimulator) -> App:
    return simulator.app("reviewbot")


@pytest.fixture
def installation(simulator: GitHubSimulator, registered: App) -> Installation:
    return simulator.install(registered, "acme")


@pytest.fixture
def app(simulator: GitHubSimulator, registered: App) -> GitHubApp:
    return GitHubApp(registered.id, registered.private_key, simulator.url, timeout=1)


@pytest.fixture(scope="session")
def empty_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with its tables: making them takes longer than a test."""
    file = tmp_path_factory.mktemp("store") / "empty.db"
    open_pull_store(f"sqlite:///{file}").close()
    return file


@pytest.fixture
def store(tmp_path: Path, empty_store: Path) -> Iterator[PullStore]:
    copyfile(empty_store, tmp_path / "reviewbot.db")
    with open_pull_store(f"sqlite:///{tmp_path}/reviewbot.db") as opened:
        yield opened


@pytest.fixture
def queue() -> MemoryQueue:
    return MemoryQueue()


@pytest.fixture
def commands(app: GitHubApp, store: PullStore, queue: MemoryQueue) -> Commands:
    return Commands(app, store, queue, KEY, now=lambda: NOW)


@dataclass
class Desk:
    """Where people write comments."""

    simulator: GitHubSimulator
    repository: Repository
    installation: Installation
    app: GitHubApp

    @property
    def pull(self) -> Pull:
        return self.repository.pulls[1]

    def asks(self, command: str, author: str = "ada") -> CommandJob:
        """The job of a new comment in the conversation."""
        number = self.simulator.next_id()
        text = f"/reviewbot {command}"
        self.pull.comments.append(Comment(number, 1, author, text, "2026-11-21T12:00:00Z"))
        return self._job(command, author, comment_id=number, kind="issue_comment")

    def replies(self, command: str, first: LineComment, author: str = "ada") -> CommandJob:
        """The job of a new answer in a thread."""
        number = self.simulator.next_id()
        when = "2026-11-21T12:00:00Z"
        review = Review(self.simulator.next_id(), author, "", "COMMENTED", first.commit, when)
        self.pull.reviews.append(review)
        self.pull.threads.append(answer_thread(first, number, review, f"/reviewbot {command}"))
        return self._job(
            command, author, comment_id=number, kind="review_comment", in_reply_to=first.id
        )

    def finding(self, body: str, *, token: str | None = None) -> LineComment:
        """A comment on a line by our App."""
        with self.app.client(self.installation.id, self.repository.id) as client:
            comment = {"path": "a.py", "line": 1, "side": "RIGHT", "body": body}
            review = {"event": "COMMENT", "body": "Findings", "comments": [comment]}
            Calls(client).post("/repos/acme/shop/pulls/1/reviews", "a review", review)
        return self.pull.threads[-1]

    def marks(self, number: int = 1) -> Marks:
        place = self.installation.id, str(self.repository.id), number
        return Marks(KEY, Scope(*place, "a" * 40, "b" * 40, "auto"))

    def reactions(self, job: CommandJob) -> list[str]:
        """Of our App, as people see them."""
        comments = [*self.pull.comments, *self.pull.threads]
        [found] = [one for one in comments if one.id == job.comment_id]
        assert {one.author for one in found.reactions} <= {"reviewbot[bot]"}
        return [one.content for one in found.reactions]

    def answers(self) -> list[str]:
        """Our App's comments in the conversation, without their marks."""
        ours = [one.body for one in self.pull.comments if one.author == "reviewbot[bot]"]
        assert all(body.rpartition("\n")[2].startswith("<!-- reviewbot:v1 ") for body in ours)
        return [body.rpartition("\n\n")[0] for body in ours]

    def _job(self, command: str, author: str, **facts: Any) -> CommandJob:
        return CommandJob(
            installation=self.installation.id,
            repository="acme/shop",
            repository_id=self.repository.id,
            number=1,
            author=author,
            command=command,
            **facts,
        )


@pytest.fixture
def desk(
    simulator: GitHubSimulator,
    repository: Repository,
    installation: Installation,
    app: GitHubApp,
) -> Desk:
    return Desk(simulator, repository, installation, app)


def save(store: PullStore, desk: Desk, review: FinishedReview) -> None:
    """Store the review, as one of the desk's pull request, with its calls."""
    change = replace(review.change, repository="acme/shop", number=1)
    here = {"repository": "acme/shop", "number": 1, "installation": desk.installation.id}
    here["repository_id"] = desk.repository.id
    store.save_review(
        replace(review, change=change),
        installation=desk.installation.id,
        repository_id=desk.repository.id,
    )
    for call in review.calls:
        start = replace(call.start, id=f"{review.id}-{call.start.id}", review_id=review.id, **here)
        store.start_call(start)
        store.settle_call(replace(call, start=start))


@pytest.mark.parametrize(
    ("command", "tier"), [("review", None), ("review claude", "claude"), ("review local", "local")]
)
def test_a_review_of_the_present_head_is_queued(
    commands: Commands,
    desk: Desk,
    repository: Repository,
    queue: MemoryQueue,
    command: str,
    tier: str | None,
) -> None:
    job = desk.asks(command)
    head = repository.push(desk.pull, {"a.py": "c\n"})

    done = commands.run(job)

    [wanted] = queue.jobs.values()
    assert (wanted.head, wanted.base) == (head, repository.ends(desk.pull)[0])
    assert (wanted.request, wanted.tier) == (f"comment:{job.comment_id}", tier)
    assert (wanted.repository_id, wanted.number, wanted.automatic) == (repository.id, 1, False)
    assert done == {"done": command, "job": job_id(wanted)}
    assert desk.reactions(job) == ["eyes", "rocket"]
    assert desk.answers() == []


def test_a_command_that_ended_is_not_done_again(
    commands: Commands, desk: Desk, repository: Repository, queue: MemoryQueue
) -> None:
    job = desk.asks("review")
    commands.run(job)
    repository.push(desk.pull, {"a.py": "d\n"})

    again = commands.run(job)

    assert again == {"already": "rocket"}
    assert len(queue.jobs) == 1


def test_a_closed_pull_request_is_not_reviewed(
    commands: Commands, desk: Desk, repository: Repository, queue: MemoryQueue
) -> None:
    repository.close(desk.pull)
    job = desk.asks("review")

    done = commands.run(job)

    assert done == {"failed": "review"}
    assert desk.reactions(job) == ["eyes", "confused"]
    assert desk.answers() == ["This pull request is closed: there is nothing to review."]
    assert queue.jobs == {}


def test_who_may_not_write_is_not_heard(
    commands: Commands, desk: Desk, store: PullStore, queue: MemoryQueue
) -> None:
    authors = ("eve", "ron", "stranger", "reviewbot[bot]", "other[bot]")
    jobs = [desk.asks(what, who) for what in ("review", "pause", "help") for who in authors]

    done = [commands.run(job) for job in jobs]

    assert done == [{"ignored": "no write permission"}] * 15
    assert [desk.reactions(job) for job in jobs] == [[]] * 15
    assert (len(desk.pull.comments), queue.jobs) == (15, {})
    assert not store.is_paused(desk.repository.id, 1)


def test_maintainers_and_owners_may(commands: Commands, desk: Desk) -> None:
    done = [commands.run(desk.asks("pause", author)) for author in ("max", "acme")]

    assert done == [{"done": "pause"}] * 2


def test_help_lists_the_commands(commands: Commands, desk: Desk) -> None:
    job = desk.asks("help")

    done = commands.run(job)

    assert done == {"done": "help"}
    assert desk.answers() == [help_text().rstrip()]
    assert desk.reactions(job) == ["eyes", "rocket"]


def test_a_question_before_any_review_says_so(commands: Commands, desk: Desk) -> None:
    commands.run(desk.asks("why"))
    commands.run(desk.asks("cost"))

    why, cost = desk.answers()
    assert "no review yet" in why
    assert cost == "This pull request has no review yet: it has cost nothing."


def test_why_names_the_rules_and_lines(commands: Commands, desk: Desk, store: PullStore) -> None:
    save(store, desk, shop_review())

    commands.run(desk.asks("why"))

    [answer] = desk.answers()
    assert answer.startswith("## Route: claude")
    assert "`shop/refund.py:41`" in answer
    assert "`float-money`" in answer
    assert "`89abcdef01`, begun 2026-05-04 12:00 UTC" in answer


def test_cost_tells_of_the_newest_review_and_of_all(
    commands: Commands, desk: Desk, store: PullStore
) -> None:
    first = shop_review()
    save(store, desk, first)
    save(store, desk, replace(first, id="second"))
    lost = replace(first.calls[0].start, id="lost", review_id="third", number=1)
    here = {"installation": desk.installation.id, "repository_id": desk.repository.id}
    store.start_call(replace(lost, **here))

    commands.run(desk.asks("cost"))

    [answer] = desk.answers()
    assert "| Claude | $0.0412 |" in answer
    assert "| Total | $0.0413 | 2 calls |" in answer
    assert "| All Claude | $0.0538 est. |" in answer
    assert "so far:** $0.0826 in 5 calls of 3 reviews" in answer
    assert "At most $0.0824 more" in answer


def test_answers_by_hand_are_never_shown_as_paid(
    commands: Commands, desk: Desk, store: PullStore
) -> None:
    save(store, desk, scripted_review())

    commands.run(desk.asks("cost"))

    [answer] = desk.answers()
    assert "| | Would cost | |" in answer
    assert "so far:** $0 in 0 calls" in answer
    assert "SCRIPTED: 2 answers written by hand would cost $0.0413; nothing was paid" in answer


def test_a_review_that_failed_has_its_cost(
    commands: Commands, desk: Desk, store: PullStore
) -> None:
    here = {"installation": desk.installation.id, "repository_id": desk.repository.id, "number": 1}
    store.start_call(replace(shop_review().calls[0].start, **here))

    commands.run(desk.asks("cost"))

    [answer] = desk.answers()
    assert answer.startswith("No review of this pull request has ended yet.")
    assert "At most $0.0824 more" in answer


@pytest.mark.parametrize("command", ["why", "cost"])
def test_what_others_wrote_does_nothing_in_an_answer(
    commands: Commands, desk: Desk, store: PullStore, command: str
) -> None:
    review = hostile_review()
    save(store, desk, replace(review, id="hostile"))
    many = tuple(
        file._replace(path=f"{n}{HOSTILE}") for file in review.route.files for n in range(300)
    )
    reasons = review.route.reasons * 300
    large = replace(review.route, files=many, reasons=reasons, why=HOSTILE * 300)
    later = review.created_at.replace(year=2027)
    save(store, desk, replace(review, id="large", route=large, created_at=later))

    done = commands.run(desk.asks(command))

    assert done == {"done": command}
    [body] = [one.body for one in desk.pull.comments if one.author == "reviewbot[bot]"]
    assert len(body) <= MAX_COMMENT
    prose = re.sub(r"(?s)(`+).*?\1", "", body)
    assert "octocat" in body
    assert "@octocat" not in prose
    assert "<img" not in prose
    assert "\u202e" not in body
    assert not any(line.startswith("/") for line in body.split("\n"))


@pytest.mark.parametrize("command", ["why", "cost"])
def test_a_review_of_another_version_is_said_to_be(
    commands: Commands,
    desk: Desk,
    store: PullStore,
    monkeypatch: pytest.MonkeyPatch,
    command: str,
) -> None:
    save(store, desk, shop_review())
    place = desk.installation.id, desk.repository.id, 1
    stored = store.newest_review(*place)
    assert stored
    odd: Any
    for odd in ({}, {"route": None}, {"route": {"tier": "moon"}}, {"cost": []}, {"cost": {}}):
        broken = replace(stored, result=odd)
        monkeypatch.setattr(store, "newest_review", lambda *_, found=broken: found)
        commands.run(desk.asks(command))

    assert len(desk.answers()) == 5
    assert all("in a form that I can't read any more" in answer for answer in desk.answers())


def test_a_finding_is_dismissed_in_its_thread(
    commands: Commands, desk: Desk, store: PullStore
) -> None:
    first = desk.finding(f"It breaks.\n\n{desk.marks().finding_mark(FINGERPRINT)}")
    job = desk.replies("dismiss", first)

    done = commands.run(job)

    assert done == {"done": "dismiss", "fingerprint": FINGERPRINT}
    assert store.dismissed(desk.repository.id, 1) == {FINGERPRINT}
    assert store.dismissed(desk.repository.id, 2) == frozenset()
    assert desk.reactions(job) == ["eyes", "rocket"]
    assert len(desk.pull.threads) == 2


def test_a_dismissal_counts_once_against_the_finding_that_it_answers(
    commands: Commands, desk: Desk, store: PullStore
) -> None:
    """The same finding was published on two heads."""
    place = desk.installation.id, desk.repository.id
    [finding, *_] = shop_review().findings
    body = f"It breaks.\n\n{desk.marks().finding_mark(finding.fingerprint)}"
    earlier, later = desk.finding(body), desk.finding(body)
    for name, thread in (("earlier", earlier), ("later", later)):
        save(store, desk, replace(shop_review(), id=name))
        store.add_posted(name, Posting(*place, NOW, inline=(0, 1), github_review=thread.review))
    job = desk.replies("dismiss", later)

    commands.run(job)
    desk.pull.threads[-1].reactions.clear()  # as if it had died before it could show the end
    commands.run(job)

    rows = store.posted_findings(since=NOW, until=NOW + timedelta(seconds=1))
    told = {(row.review_id, row.fingerprint): row.feedback for row in rows if row.feedback}
    dismissed = Feedback(FeedbackKind.DISMISSED, "ada", NOW)
    assert told == {("earlier", finding.fingerprint): (dismissed,)}, "both are one finding"


def test_what_is_no_finding_of_ours_is_not_dismissed(
    commands: Commands, desk: Desk, store: PullStore
) -> None:
    ours = desk.marks().finding_mark(FINGERPRINT)
    stolen = desk.finding(ours)
    stolen.author = "mallory"
    forged = desk.finding(Marks(b"guess", desk.marks().scope).finding_mark(FINGERPRINT))
    firsts = [
        stolen,
        forged,
        desk.finding(desk.marks(2).finding_mark(FINGERPRINT)),  # of another pull request
        desk.finding(f"{ours}\nand more"),
        desk.finding(desk.marks().finding_mark("")),
        desk.finding(desk.marks().mark("review")),
    ]
    jobs = [desk.replies("dismiss", first) for first in firsts]

    done = [commands.run(job) for job in jobs]

    assert done == [{"failed": "dismiss"}] * len(jobs)
    assert [desk.reactions(job) for job in jobs] == [["eyes", "confused"]] * len(jobs)
    assert store.dismissed(desk.repository.id, 1) == frozenset()
    hints = [one for one in desk.pull.threads if "works as a reply" in one.body]
    assert [one.reply_to for one in hints] == [first.id for first in firsts]


def test_dismiss_in_the_conversation_is_told_where_to_go(commands: Commands, desk: Desk) -> None:
    job = desk.asks("dismiss")

    assert commands.run(job) == {"failed": "dismiss"}
    assert "works as a reply" in desk.answers()[0]
    assert desk.reactions(job) == ["eyes", "confused"]


def test_a_thread_that_was_deleted_ends_with_a_reaction(commands: Commands, desk: Desk) -> None:
    first = desk.finding("gone soon")
    job = desk.replies("dismiss", first)
    desk.pull.threads.remove(first)

    done = commands.run(job)

    assert done["failed"] == "dismiss"
    assert desk.reactions(job) == ["eyes", "confused"]


def test_pause_and_resume(commands: Commands, desk: Desk, store: PullStore) -> None:
    pause, resume = desk.asks("pause"), desk.asks("resume")

    commands.run(pause)
    paused = store.is_paused(desk.repository.id, 1)
    commands.run(resume)
    commands.run(pause)  # again, as after a crash

    assert paused
    assert not store.is_paused(desk.repository.id, 1)
    assert desk.reactions(pause) == desk.reactions(resume) == ["eyes", "rocket"]
    assert desk.answers() == []


def test_a_review_does_not_lift_a_pause(commands: Commands, desk: Desk, store: PullStore) -> None:
    commands.run(desk.asks("pause"))
    commands.run(desk.asks("review"))

    assert store.is_paused(desk.repository.id, 1)


@pytest.mark.parametrize(
    ("pattern", "how"),
    [
        ("POST .*/reactions", "hang-up"),
        ("POST .*/issues/1/comments", "502"),
        ("POST .*/issues/1/comments", "hang-up"),
    ],
)
def test_a_lost_answer_leaves_nothing_twice(
    commands: Commands, desk: Desk, simulator: GitHubSimulator, pattern: str, how: Any
) -> None:
    job = desk.asks("help")
    simulator.ambiguous(pattern, how)

    with pytest.raises(HostBusy):
        commands.run(job)
    done = commands.run(job)

    assert done == {"done": "help"}
    assert len(desk.answers()) == 1
    assert desk.reactions(job) == ["eyes", "rocket"]


def test_a_crash_before_the_last_reaction_repeats_no_answer(
    commands: Commands, desk: Desk, simulator: GitHubSimulator
) -> None:
    first = desk.finding("no mark")
    jobs = [desk.asks("cost"), desk.replies("why", first)]
    for job in jobs:
        commands.run(job)
        comments = [*desk.pull.comments, *desk.pull.threads]
        [comment] = [one for one in comments if one.id == job.comment_id]
        comment.reactions.pop()

    again = [commands.run(job) for job in jobs]

    assert again == [{"done": "cost"}, {"done": "why"}]
    assert len(desk.answers()) == 1
    assert len([one for one in desk.pull.threads if one.reply_to == first.id]) == 2


def test_the_mark_of_an_answer_in_anothers_comment_is_nothing(
    commands: Commands, desk: Desk
) -> None:
    job = desk.asks("help")
    scope = desk.marks().scope._replace(head="", base="", request=job.request)
    copy = Marks(KEY, scope).mark("review")
    desk.pull.comments.append(Comment(1, 1, "mallory", copy, "2026-11-21T12:00:00Z"))

    commands.run(job)

    assert len(desk.answers()) == 1


@pytest.mark.parametrize(
    "pattern",
    ["/access_tokens", "/permission", "GET .*/reactions", "POST .*/reactions", "GET .*/pulls/1$"],
)
def test_what_may_work_later_is_tried_later(
    commands: Commands, desk: Desk, simulator: GitHubSimulator, queue: MemoryQueue, pattern: str
) -> None:
    job = desk.asks("review")
    waits = []
    for status in (500, 502, 503, 429):
        simulator.fail(pattern, status, headers={"Retry-After": "17"}, times=1)
        with pytest.raises(HostBusy) as busy:
            commands.run(job)
        waits.append(busy.value.seconds)

    done = commands.run(job)

    assert waits == [5, 5, 5, 17]
    assert done["done"] == "review"
    assert len(queue.jobs) == 1
    assert desk.reactions(job) == ["eyes", "rocket"]


def test_an_outage_and_a_limit_are_waited_out(
    commands: Commands, desk: Desk, simulator: GitHubSimulator
) -> None:
    job = desk.asks("pause")
    with simulator.outage(None), pytest.raises(HostBusy):
        commands.run(job)
    simulator.secondary_limit("/permission", retry_after=None)
    with pytest.raises(HostBusy) as busy:
        commands.run(job)

    assert busy.value.seconds == 60
    assert commands.run(job) == {"done": "pause"}


def test_a_queue_that_is_down_is_tried_later(
    commands: Commands, desk: Desk, queue: MemoryQueue
) -> None:
    job = desk.asks("review")
    queue.broken = True
    with pytest.raises(HostBusy, match="disk is full"):
        commands.run(job)
    queue.broken = False

    assert commands.run(job)["done"] == "review"


@pytest.mark.parametrize("pattern", ["/access_tokens", "/permission", "GET .*/reactions"])
def test_what_github_denies_is_left_alone(
    commands: Commands, desk: Desk, simulator: GitHubSimulator, queue: MemoryQueue, pattern: str
) -> None:
    job = desk.asks("review")
    for status in (403, 404, 410, 422):
        simulator.fail(pattern, status, "secret words of GitHub", times=1)

        done = commands.run(job)

        assert list(done) == ["ignored"]
        assert "secret words" not in done["ignored"]
    assert (queue.jobs, desk.answers(), desk.reactions(job)) == ({}, [], [])


def test_a_token_that_was_revoked_is_replaced_and_the_command_done(
    commands: Commands, desk: Desk, simulator: GitHubSimulator
) -> None:
    commands.run(desk.asks("help"))
    simulator.expire_tokens()
    job = desk.asks("why")

    with pytest.raises(HostBusy):
        commands.run(job)

    assert commands.run(job)["done"] == "why"


@pytest.mark.parametrize("status", [403, 422])
def test_an_answer_that_github_denies_ends_with_a_reaction(
    commands: Commands, desk: Desk, simulator: GitHubSimulator, status: int
) -> None:
    job = desk.asks("help")
    simulator.fail("POST .*/issues/1/comments", status)

    done = commands.run(job)

    assert done["failed"] == "help"
    assert str(status) in done["reason"]
    assert desk.reactions(job) == ["eyes", "confused"]


def test_a_comment_that_was_deleted_asks_for_nothing(
    commands: Commands, desk: Desk, store: PullStore, queue: MemoryQueue
) -> None:
    jobs = [desk.asks(command) for command in ("review", "pause", "why", "dismiss")]
    desk.pull.comments.clear()

    done = [commands.run(job) for job in jobs]

    assert done == [{"ignored": "the comment is gone"}] * 4
    assert (queue.jobs, desk.answers()) == ({}, [])
    assert not store.is_paused(desk.repository.id, 1)


def test_a_comment_deleted_at_the_last_moment_was_obeyed(
    commands: Commands, desk: Desk, simulator: GitHubSimulator, store: PullStore
) -> None:
    job = desk.asks("pause")
    commands.run(job)
    desk.pull.comments[0].reactions.pop()
    simulator.fail("POST .*/reactions", 200, body={"id": 1}, times=1)
    simulator.fail("POST .*/reactions", 404, times=1)

    assert commands.run(job) == {"done": "pause"}


def test_a_renamed_repository_is_found(
    commands: Commands, desk: Desk, simulator: GitHubSimulator
) -> None:
    job = replace(desk.asks("help"), repository="acme/before")
    simulator.moved["acme/before"] = "acme/shop"

    assert commands.run(job) == {"done": "help"}
    assert desk.reactions(job) == ["eyes", "rocket"]


ODD: list[dict[str, Any]] = [
    {"installation": 1},
    {"installation": 2**63 - 1},
    {"repository": "acme/other"},
    {"repository": "other/shop"},
    {"repository_id": 1},
    {"repository_id": 2**63 - 1},
    {"number": 2},
    {"number": 10**10 - 1},
    {"comment_id": 1},
    {"comment_id": 2**63 - 1},
    {"kind": "review_comment"},
    {"kind": "review_comment", "in_reply_to": 1},
    {"author": "nobody"},
    {"author": "x" * 100},
    {"author": "--"},
    {"command": "merge"},
    {"command": "review everything"},
    {"command": "review  claude"},
    {"command": "REVIEW"},
    {"author": "../../user"},
    {"author": "ada\n"},
    {"command": "help; rm"},
    {"repository": "acme/.."},
    {"number": -1},
    {"comment_id": True},
    {"in_reply_to": "5"},
    {"kind": "commit_comment"},
]


@pytest.mark.parametrize("command", ["review", "why"])
def test_odd_jobs_do_no_harm(
    commands: Commands, desk: Desk, store: PullStore, queue: MemoryQueue, command: str
) -> None:
    for odd in ODD:
        data = desk.asks(command).as_dict()
        try:
            done = commands.run(CommandJob.from_dict({**data, **odd}))
        except StoreError:
            continue
        assert not {"done", "already"} & done.keys(), odd

    assert queue.jobs == {}
    assert desk.answers() == []
