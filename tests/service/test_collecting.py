"""What people made of findings is collected from a strict GitHub, once, and from nobody else's."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from shutil import copyfile
from typing import Any

import pytest
from github_simulator.apps import Installation
from github_simulator.content import Content
from github_simulator.rates import kind_of
from github_simulator.records import LineComment
from github_simulator.server import GitHubSimulator
from github_simulator.state import Pull, Repository
from publishing.sample_reviews import shop_review

from reviewbot.config.policy import Policy
from reviewbot.github.app import GitHubApp
from reviewbot.github.calls import Denied
from reviewbot.github.reviews import Attempt
from reviewbot.publishing.feedback import FeedbackKind, PostedFinding
from reviewbot.publishing.fingerprint import with_fingerprint
from reviewbot.publishing.result import Review
from reviewbot.review.answer import Category, Severity
from reviewbot.review.finding import Finding
from reviewbot.service.collecting import Collector
from reviewbot.service.durable import HostBusy
from reviewbot.service.github_host import GitHubHost
from reviewbot.service.jobs import FeedbackJob, ReviewJob
from reviewbot.service.webhook import FeedbackIntent, read_delivery
from reviewbot.store.feedback import FeedbackStore, PullPlace, open_feedback_store
from reviewbot.store.posted import Posting

KEY = b"k" * 32
NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
TEXT = "".join(f"value_{number} = compute({number})\n" for number in range(1, 13))
_names = count(1)


@pytest.fixture
def simulator(tmp_path: Path) -> Iterator[GitHubSimulator]:
    (tmp_path / "github").mkdir()
    with GitHubSimulator(tmp_path / "github") as running:
        yield running
    assert running.problems == []


@pytest.fixture(scope="session")
def shop_text(tmp_path_factory: pytest.TempPathFactory) -> Content:
    content = Content(tmp_path_factory.mktemp("content") / "shop")
    content.commit("main", {"pay.py": "", "old.py": TEXT})
    content.commit("work", {"pay.py": TEXT, "old.py": None}, start="main")
    return content


@pytest.fixture(scope="session")
def empty_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("store") / "empty.db"
    open_feedback_store(f"sqlite:///{file}").close()
    return file


@pytest.fixture
def store(tmp_path: Path, empty_store: Path) -> Iterator[FeedbackStore]:
    copyfile(empty_store, tmp_path / "reviewbot.db")
    with open_feedback_store(f"sqlite:///{tmp_path}/reviewbot.db") as opened:
        yield opened


def finding(line: int | None, **changes: Any) -> Finding:
    """About `value_{line}` in pay.py; without a line one for the summary."""
    made = Finding(
        path="pay.py",
        line=line,
        end_line=line,
        side="RIGHT",
        severity=Severity.HIGH,
        category=Category.CORRECTNESS,
        title=f"Wrong value {line}",
        body="Compute it otherwise.",
        quote=f"value_{line} = compute({line})",
        confidence=0.9,
        engine="claude",
        model="claude-opus-5-5",
        anchored=line is not None,
        unanchored_reason="" if line else "no line is known",
    )
    return with_fingerprint(replace(made, **changes))


@dataclass
class Desk:
    """A pull request with our App on it, and what is written down of it."""

    simulator: GitHubSimulator
    repository: Repository
    pull: Pull
    installation: Installation
    host: GitHubHost
    store: FeedbackStore

    def review(self, *findings: Finding, write: bool = True) -> Review:
        """A review of the present head, posted; written down unless the worker died before."""
        base, head = self.repository.ends(self.pull)
        job = ReviewJob(**self.place, head=head, base=base, request=f"check:{next(_names)}:ab")
        change = self.host.fetch(job).change
        made = replace(
            shop_review(), id=f"r{next(_names)}", change=change, findings=findings, created_at=NOW
        )
        self.store.save_review(made, installation=self.installation.id, repository_id=self.id)
        done = self.host.publish(job, made, Attempt())
        assert done["outcome"] == "posted", done
        if write:
            inline, number = tuple(done["inline"]), done["review_id"]
            posting = Posting(self.installation.id, self.id, NOW, inline, number)
            self.store.add_posted(made.id, posting)
        return made

    @property
    def id(self) -> int:
        return self.repository.id

    @property
    def place(self) -> dict[str, Any]:
        return {
            "installation": self.installation.id,
            "repository": self.repository.full_name,
            "repository_id": self.id,
            "number": self.pull.number,
        }

    def closed(self, action: str = "closed") -> dict[str, Any]:
        """What the delivery of the end comes to."""
        payload = self.simulator.payloads.pull_request(self.repository, self.pull, action)
        return self._done("pull_request", payload)

    def resolved(self, comment: LineComment, by: str = "ada", action: str = "resolved") -> Any:
        payload = self.simulator.payloads.review_thread(
            self.repository, self.pull, comment, action, sender=by
        )
        return self._done("pull_request_review_thread", payload)

    def replied(self, comment: LineComment, by: str = "ada") -> Any:
        reply = self.simulator.person(by).reply(self.repository, self.pull, comment, "No.")
        payload = self.simulator.payloads.review_comment(self.repository, self.pull, reply)
        return self._done("pull_request_review_comment", payload)

    def _done(self, event: str, payload: dict[str, Any]) -> dict[str, Any]:
        found = read_delivery(event, json.dumps(payload).encode())
        job = getattr(found, "feedback", found)
        assert isinstance(job, FeedbackIntent), found
        return dict(self.host.feedback(job.job()))

    def rows(self) -> list[PostedFinding]:
        return self.store.posted_findings(
            since=datetime(2020, 1, 1, tzinfo=UTC), until=datetime(2040, 1, 1, tzinfo=UTC)
        )

    def said(self) -> list[list[tuple[str, str]]]:
        """What was made of each finding, and by whom."""
        return [sorted((each.kind.value, each.by) for each in row.feedback) for row in self.rows()]

    def requests(self) -> list[str]:
        """Requests to GitHub since it was asked last, but for tokens and who we are."""
        found = [kind_of(one) for one in self.simulator.requests if "/app" not in one.path]
        self.simulator.requests.clear()
        return found


@pytest.fixture
def desk(
    simulator: GitHubSimulator, shop_text: Content, store: FeedbackStore, make_host: Any
) -> Desk:
    repository = simulator.repository("acme/shop", start=shop_text)
    repository.private = True
    installation = simulator.install(simulator.app("reviewbot"), "acme")
    host = make_host(installation)
    return Desk(simulator, repository, repository.open_pull("work"), installation, host, store)


@pytest.fixture
def make_host(
    simulator: GitHubSimulator, store: FeedbackStore
) -> Callable[[Installation], GitHubHost]:
    def make(installation: Installation) -> GitHubHost:
        app = installation.app
        client = GitHubApp(app.id, app.private_key, simulator.url, timeout=2)
        return GitHubHost(
            app=client,
            marker_key=KEY,
            policy_of=lambda _: Policy(),
            is_paused=lambda *_: False,
            commands=lambda _: {},
            reports=lambda *_: {},
            collect=Collector(client, store, KEY, now=lambda: NOW).run,
        )

    return make


GRAPHQL = "POST /graphql"


def test_at_the_merge_thumbs_threads_and_fates_are_read_with_two_requests(desk: Desk) -> None:
    desk.review(
        finding(1), finding(3), finding(5), finding(7), finding(None, quote=finding(9).quote)
    )
    down, resolved, _, _ = desk.pull.threads
    ada, bob = desk.simulator.person("ada"), desk.simulator.person("bob")
    ada.react(down, "-1")
    bob.react(down, "+1")
    bob.react(down, "eyes")
    desk.simulator.person("reviewbot[bot]").react(down, "+1")
    bob.resolve(resolved)
    desk.repository.push(desk.pull, {"pay.py": "# new\n" + TEXT.replace("(5)", "(50)")})
    desk.repository.merge(desk.pull, when="2030-02-03T04:05:06Z")
    desk.requests()

    done = desk.closed()

    assert desk.requests() == [GRAPHQL, GRAPHQL]
    assert done == {"written": 8}
    assert desk.said() == [
        [("kept", ""), ("thumbs down", "ada"), ("thumbs up", "bob")],
        [("kept", ""), ("resolved", "bob")],
        [("fixed", "")],
        [("kept", "")],
        [("kept", "")],
    ]
    ended = datetime.fromisoformat("2030-02-03T04:05:06Z")
    assert {(row.pull_ended_at, row.merged) for row in desk.rows()} == {(ended, True)}
    assert desk.closed() == {"written": 0}
    assert desk.closed() == {"written": 0}
    assert len([each for row in desk.rows() for each in row.feedback]) == 8


def test_what_happens_in_threads_is_written_as_it_happens(desk: Desk) -> None:
    desk.review(finding(1), finding(3))
    first, second = desk.pull.threads
    desk.requests()

    desk.replied(first)
    learned = desk.requests()
    desk.resolved(second)
    desk.resolved(second, "bob", "unresolved")
    desk.replied(second, "bob")

    assert learned == [GRAPHQL]
    assert desk.requests() == []
    assert desk.said() == [
        [("reply", "ada")],
        [("reopened", "bob"), ("reply", "bob"), ("resolved", "ada")],
    ]


def test_the_same_event_twice_is_one(desk: Desk) -> None:
    desk.review(finding(1))
    [thread] = desk.pull.threads
    job = FeedbackJob(**desk.place, event="resolved", key="ab12", comment_id=thread.id, by="ada")

    assert desk.host.feedback(job) == {"written": 1}
    assert desk.host.feedback(job) == {"written": 0}
    assert desk.host.feedback(replace(job, at="2030-01-01T00:00:00+00:00")) == {"written": 0}
    assert [each.at for each in desk.rows()[0].feedback] == [NOW]


def test_a_pull_request_without_findings_costs_no_request(desk: Desk) -> None:
    desk.review()
    theirs = desk.simulator.person("eve").comment_at(
        desk.repository, desk.pull, "Hm.", path="pay.py", line=2
    )
    desk.repository.merge(desk.pull)
    desk.simulator.requests.clear()

    assert "ignored" in desk.replied(theirs)
    assert "ignored" in desk.closed()
    assert desk.simulator.requests == []


def test_threads_that_others_began_count_for_nothing(desk: Desk) -> None:
    desk.review(finding(1))
    [ours] = desk.pull.threads
    copies = [
        desk.simulator.person(who).comment_at(
            desk.repository, desk.pull, ours.body, path="pay.py", line=2
        )
        for who in ("eve", "linter[bot]")
    ]
    for one in copies:
        desk.simulator.person("eve").react(one, "-1")
        desk.simulator.person("eve").resolve(one)
    desk.requests()

    told = [desk.replied(one) for one in copies] + [desk.resolved(copies[1])]
    desk.repository.merge(desk.pull)
    desk.closed()

    assert all("ignored" in each for each in told)
    assert desk.said() == [[("kept", "")]]
    assert desk.rows()[0].inline


def test_another_account_with_the_same_app_reaches_nothing(
    desk: Desk, make_host: Callable[[Installation], GitHubHost]
) -> None:
    """Even with our numbers: the job's installation decides."""
    desk.review(finding(1))
    [thread] = desk.pull.threads
    globex = desk.simulator.install(desk.installation.app, "globex")
    jobs = [
        FeedbackJob(
            **{**desk.place, "installation": globex.id},
            event="reply", key="1", comment_id=thread.id, by="eve",
        ),
        FeedbackJob(**{**desk.place, "installation": globex.id}, event="pull", key="2"),
    ]  # fmt: skip
    desk.simulator.requests.clear()

    for job in jobs:
        assert "ignored" in make_host(globex).feedback(job)
    assert desk.said() == [[]]
    assert desk.simulator.requests == []


def test_closed_without_a_merge_only_the_end_and_what_people_said_is_known(desk: Desk) -> None:
    desk.review(finding(1))
    desk.simulator.person("ada").react(desk.pull.threads[0], "+1")
    desk.repository.close(desk.pull, when="2030-02-03T04:05:06Z")
    desk.requests()
    desk.closed()
    requests, closed = desk.requests(), desk.rows()
    desk.repository.reopen(desk.pull)
    desk.closed("reopened")
    open_again = desk.rows()
    desk.repository.merge(desk.pull, when="2030-02-04T04:05:06Z")
    desk.closed()

    assert requests == [GRAPHQL]
    assert [(row.pull_ended_at is None, row.merged) for row in closed] == [(False, False)]
    assert [each.kind for each in closed[0].feedback] == [FeedbackKind.THUMBS_UP]
    assert [row.pull_ended_at for row in open_again] == [None]
    assert desk.said() == [[("kept", ""), ("thumbs up", "ada")]]
    assert desk.rows()[0].merged


def test_a_thread_counts_as_it_stands_at_the_end(desk: Desk) -> None:
    """Deliveries get lost."""
    desk.review(finding(1), finding(3), finding(5))
    first, second, third = desk.pull.threads
    ada = desk.simulator.person("ada")
    desk.resolved(second)
    ada.resolve(first)
    ada.resolve(third)
    desk.resolved(third)
    desk.repository.merge(desk.pull)

    desk.closed()
    desk.closed()

    assert desk.said() == [
        [("kept", ""), ("resolved", "ada")],
        [("kept", ""), ("reopened", ""), ("resolved", "ada")],
        [("kept", ""), ("resolved", "ada")],
    ]


def test_of_two_findings_with_the_same_code_each_has_its_own_thread(desk: Desk) -> None:
    text = TEXT.replace("value_6 = compute(6)", "value_2 = compute(2)")
    desk.repository.push(desk.pull, {"pay.py": text})
    twin = replace(finding(2), line=6, end_line=6, title="Wrong again")
    desk.review(finding(2), twin)
    assert finding(2).fingerprint == twin.fingerprint
    upper, lower = desk.pull.threads

    desk.replied(lower)
    desk.resolved(upper)
    fixed = "value_2 = compute(20)".join(text.rsplit("value_2 = compute(2)", 1))
    desk.repository.push(desk.pull, {"pay.py": fixed})
    desk.repository.merge(desk.pull)
    desk.closed()

    assert [row.line for row in desk.rows()] == [2, 6]
    assert desk.said() == [
        [("kept", ""), ("reopened", ""), ("resolved", "ada")],
        [("fixed", ""), ("reply", "ada")],
    ]


@pytest.mark.parametrize(
    ("push", "expected", "requests"),
    [
        ({"pay.py": None}, "fixed", ["POST /graphql"]),
        ({"pay.py": None, "lib/pay.py": "import os\n" + TEXT}, "kept", ["POST /graphql"] * 2),
        (
            {"pay.py": None, "lib/pay.py": TEXT.replace("(1)", "(9)")},
            "fixed",
            ["POST /graphql"] * 2,
        ),
        ({"pay.py": "".join(reversed(TEXT.splitlines(True)))}, "kept", []),
        ({"pay.py": "\0binary"}, None, []),
    ],
)
def test_files_that_are_moved_or_deleted_are_followed(
    desk: Desk, push: dict[str, str | None], expected: str | None, requests: list[str]
) -> None:
    desk.review(finding(1))
    desk.repository.push(desk.pull, push)
    desk.repository.merge(desk.pull)
    desk.requests()

    desk.closed()

    assert desk.said() == [[(expected, "")] if expected else []]
    compared = [one for one in desk.requests() if "/compare/" in one]
    assert len(compared) == (1 if requests else 0)


def test_after_a_force_push_the_code_decides(desk: Desk) -> None:
    desk.review(finding(1), finding(3))
    desk.repository.force_push(desk.pull, {"pay.py": "# anew\n" + TEXT.replace("(3)", "(30)")})
    desk.repository.merge(desk.pull)

    desk.closed()

    assert desk.said() == [[("kept", "")], [("fixed", "")]]


def test_findings_of_several_heads_are_each_held_against_their_own(desk: Desk) -> None:
    desk.review(finding(1), finding(3))
    desk.repository.push(desk.pull, {"pay.py": TEXT.replace("(3)", "(30)")})
    desk.review(finding(1))
    desk.repository.push(desk.pull, {"pay.py": TEXT.replace("(3)", "(30)").replace("(1)", "(10)")})
    desk.simulator.person("ada").react(desk.pull.threads[2], "+1")
    desk.repository.merge(desk.pull)

    desk.closed()

    assert sorted(desk.said()) == [  # what was published twice is one, with all that was made of it
        [("fixed", "")],
        [("fixed", ""), ("fixed", ""), ("thumbs up", "ada")],
    ]


def test_a_remark_on_removed_code_is_met_by_putting_it_back(desk: Desk) -> None:
    removed = finding(1, path="old.py", side="LEFT")
    stays = finding(4, path="old.py", side="LEFT")
    desk.review(removed, stays)
    desk.repository.push(desk.pull, {"old.py": TEXT.splitlines(True)[0]})
    desk.repository.merge(desk.pull)

    desk.closed()

    assert desk.said() == [[("fixed", "")], [("kept", "")]]


def test_a_secret_is_looked_for_without_being_kept(desk: Desk) -> None:
    desk.review(finding(1, quote="", engine="secrets", model=""), finding(2, quote="", model=""))
    desk.repository.push(desk.pull, {"pay.py": TEXT.replace("compute(1)", "env['KEY']")})
    desk.repository.merge(desk.pull)

    desk.closed()

    assert desk.said() == [[("fixed", "")], [("kept", "")]]


def test_a_github_that_is_away_is_waited_for(desk: Desk) -> None:
    desk.review(finding(1))
    desk.repository.merge(desk.pull)
    with desk.simulator.outage(), pytest.raises(HostBusy):
        desk.closed()
    desk.simulator.secondary_limit("POST /graphql", retry_after=7)
    with pytest.raises(HostBusy) as limited:
        desk.closed()

    assert limited.value.seconds == 7
    assert desk.said() == [[]]
    assert desk.closed() == {"written": 1}


def test_texts_that_do_not_come_are_asked_for_again_later(desk: Desk) -> None:
    desk.review(finding(1))
    desk.simulator.person("ada").react(desk.pull.threads[0], "+1")
    desk.repository.merge(desk.pull)
    grants = desk.simulator.apps.grants.values()
    for grant in grants:
        grant.permissions["contents"] = "none"

    with pytest.raises(HostBusy):
        desk.closed()

    assert desk.said() == [[("thumbs up", "ada")]]
    for grant in grants:
        grant.permissions["contents"] = "read"
    assert desk.closed() == {"written": 1}
    assert desk.said() == [[("kept", ""), ("thumbs up", "ada")]]


def test_what_a_worker_posted_before_it_died_is_found_at_the_end(desk: Desk) -> None:
    """Nobody came back to its job: the pull request had moved on."""
    desk.review(finding(1), finding(3), finding(None), write=False)
    desk.repository.push(desk.pull, {"pay.py": TEXT.replace("(1)", "(10)")})
    later = desk.review(finding(3))
    unposted = replace(later, id="never posted", created_at=NOW)
    place = PullPlace(desk.installation.id, desk.id, desk.pull.number)
    desk.store.save_review(unposted, installation=place.installation, repository_id=desk.id)
    desk.simulator.person("ada").react(desk.pull.threads[0], "-1")
    desk.repository.merge(desk.pull)

    desk.closed()
    desk.closed()

    rows = {(row.review_id, row.line): row for row in desk.rows()}
    assert len(rows) == 2
    died = next(review for review, line in rows if line == 1)
    assert died != "never posted"
    kinds = [each.kind.value for each in rows[died, 1].feedback]
    assert sorted(kinds) == ["fixed", "thumbs down"]
    [third] = [row for (_, line), row in rows.items() if line == 3]
    assert third.inline


def test_an_app_that_was_removed_writes_nothing_and_says_so(desk: Desk) -> None:
    desk.review(finding(1))
    job = FeedbackJob(**desk.place, event="pull", key="1")
    desk.installation.deleted = True

    with pytest.raises(HostBusy, match="token"):
        desk.host.feedback(job)
    with pytest.raises(Denied, match="token of installation"):
        desk.host.feedback(job)
    assert desk.said() == [[]]
