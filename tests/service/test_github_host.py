"""What a job shows on its pull request from its beginning to every end, on a strict GitHub."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from github_simulator.apps import Installation
from github_simulator.content import Content
from github_simulator.faults import How
from github_simulator.rates import kind_of
from github_simulator.records import CheckRun
from github_simulator.server import GitHubSimulator
from github_simulator.state import Pull, Repository
from publishing.sample_reviews import shop_review

from reviewbot.config.policy import Policy
from reviewbot.costs.prices import PriceBook
from reviewbot.github.app import GitHubApp
from reviewbot.github.reviews import Attempt
from reviewbot.pipeline import Setup, effective_policy
from reviewbot.publishing.fingerprint import with_fingerprint
from reviewbot.publishing.life import Life, State
from reviewbot.publishing.result import Review
from reviewbot.publishing.rounds import Progress, Round
from reviewbot.review.engine import Lineup
from reviewbot.routing.rules import shipped_rules
from reviewbot.service.durable import Failure, HeadMoved, HostBusy
from reviewbot.service.github_host import GitHubHost
from reviewbot.service.jobs import ReviewJob
from reviewbot.service.webhook import ReviewIntent, read_delivery

KEY = b"k" * 32


@pytest.fixture
def simulator(tmp_path: Path) -> Iterator[GitHubSimulator]:
    (tmp_path / "github").mkdir()
    with GitHubSimulator(tmp_path / "github") as running:
        yield running
    assert running.problems == []


@pytest.fixture
def repository(simulator: GitHubSimulator, tmp_path: Path) -> Repository:
    content = Content(tmp_path / "content")
    content.commit("main", {"a.py": "a\n"})
    content.commit("work", {"a.py": "b\n"}, start="main")
    return simulator.repository("acme/shop", start=content)


@pytest.fixture
def pull(repository: Repository) -> Pull:
    return repository.open_pull("work")


@dataclass
class Bench:
    """A host, a job for it, and what the pull request shows."""

    host: GitHubHost
    job: ReviewJob
    repository: Repository
    installation: Installation
    paused: set[tuple[int, int]]

    @property
    def check(self) -> CheckRun:
        [one] = self.repository.checks
        return one

    def review(self) -> Review:
        """As if models had read what is fetched."""
        fetched = self.host.fetch(self.job)
        return replace(shop_review(), change=fetched.change, findings=())


@pytest.fixture
def bench(simulator: GitHubSimulator, repository: Repository, pull: Pull) -> Bench:
    registered = simulator.app("reviewbot")
    installation = simulator.install(registered, "acme")
    base, head = repository.ends(pull)
    paused: set[tuple[int, int]] = set()
    setup = Setup(
        rules=shipped_rules(),
        policy=Policy(),
        lineup=Lineup(),
        prices=PriceBook(),
        claude_model="claude-opus-5-5",
        claude_context_tokens=200_000,
        local_context_tokens=None,
        tolerant=True,
    )
    host = GitHubHost(
        app=GitHubApp(registered.id, registered.private_key, simulator.url, timeout=2),
        marker_key=KEY,
        policy_of=lambda fetched: effective_policy(setup, fetched).policy,
        is_paused=lambda *place: place in paused,
        commands=lambda _: {},
        reports=lambda *_: {},
        collect=lambda *_: {},
    )
    job = ReviewJob(
        installation=installation.id,
        repository="acme/shop",
        repository_id=repository.id,
        number=pull.number,
        head=head,
        base=base,
        request="auto",
    )
    return Bench(host, job, repository, installation, paused)


def test_a_review_is_seen_from_its_beginning_and_takes_few_requests(
    simulator: GitHubSimulator, bench: Bench, pull: Pull
) -> None:
    assert bench.host.newest(bench.job) == bench.job
    review = bench.review()
    check = bench.host.begin(bench.job, first=True)
    begun = bench.check.status, bench.check.output["title"]
    assert check is not None
    bench.host.waiting(bench.job, check)
    waiting = bench.check.status, bench.check.output["title"]
    done = bench.host.publish(bench.job, review, Attempt(check, first=True))

    assert begun == ("in_progress", "Reading the change")
    assert waiting == ("in_progress", "Waiting for the model")
    assert (done["check_id"], bench.check.status) == (check, "completed")
    assert len(pull.comments) == 1
    kinds = [kind_of(request) for request in simulator.requests]
    reviewing = [kind for kind in kinds if "access_tokens" not in kind and kind != "GET /app"]
    assert len(reviewing) <= 10, reviewing  # one of them is the waiting


def test_a_push_in_between_ends_the_check_and_posts_nothing(bench: Bench, pull: Pull) -> None:
    bench.host.newest(bench.job)
    review, check = bench.review(), bench.host.begin(bench.job, first=True)
    bench.repository.push(pull, {"a.py": "c\n"})

    done = bench.host.publish(bench.job, review, Attempt(check, first=True))
    newest = bench.host.newest(bench.job)
    bench.host.end(bench.job, check, "Not reviewed: another head is newer")

    assert done == {}
    assert newest is not None
    assert newest.head == bench.repository.ends(pull)[1]
    assert (bench.check.conclusion, pull.comments) == ("neutral", [])
    assert "another head" in bench.check.output["title"]


def test_a_pause_while_a_review_runs_holds_it_back(bench: Bench, pull: Pull) -> None:
    review = bench.review()
    bench.paused.add((bench.repository.id, pull.number))

    automatic = bench.host.publish(bench.job, review, Attempt())
    bench.host.fetch(asked := replace(bench.job, request="comment:1"))
    by_hand = bench.host.publish(asked, review, Attempt())

    assert bench.host.newest(bench.job) is None
    assert (automatic, by_hand["outcome"]) == ({}, "posted")


def test_an_outage_is_waited_out_wherever_it_comes(
    simulator: GitHubSimulator, bench: Bench
) -> None:
    review = bench.review()
    with simulator.outage():
        for step in (
            lambda: bench.host.newest(bench.job),
            lambda: bench.host.fetch(bench.job),
            lambda: bench.host.begin(bench.job, first=True),
            lambda: bench.host.publish(bench.job, review, Attempt()),
            lambda: bench.host.publish_failure(bench.job, Failure("id", "why"), Attempt()),
        ):
            with pytest.raises(HostBusy):
                step()
        bench.host.waiting(bench.job, 1)  # only tells what it can

    assert bench.host.publish(bench.job, review, Attempt())["outcome"] == "posted"


def test_a_limit_is_waited_out_as_github_says(simulator: GitHubSimulator, bench: Bench) -> None:
    simulator.secondary_limit("GET .*/pulls/", retry_after=7)

    with pytest.raises(HostBusy) as busy:
        bench.host.fetch(bench.job)

    assert busy.value.seconds == 7


def test_a_token_that_was_revoked_is_replaced(simulator: GitHubSimulator, bench: Bench) -> None:
    bench.host.newest(bench.job)
    simulator.expire_tokens()

    with pytest.raises(HostBusy):
        bench.host.newest(bench.job)

    assert bench.host.newest(bench.job) == bench.job


def test_a_signature_that_github_does_not_take_is_waited_for(
    simulator: GitHubSimulator, bench: Bench
) -> None:
    """As one of a clock that is wrong for a while."""
    simulator.fail("/access_tokens", 401, times=1)

    with pytest.raises(HostBusy):
        bench.host.newest(bench.job)

    assert bench.host.newest(bench.job) == bench.job


def test_an_app_without_checks_reviews_all_the_same(
    simulator: GitHubSimulator, bench: Bench, pull: Pull
) -> None:
    review = bench.review()
    simulator.fail("POST .*/check-runs", 403, "Resource not accessible by integration", times=2)

    check = bench.host.begin(bench.job, first=True)
    done = bench.host.publish(bench.job, review, Attempt(check, first=True))

    assert check is None
    assert (done["outcome"], len(pull.comments)) == ("posted", 1)
    assert "check run" in done["problems"][0]


def test_a_policy_without_check_starts_none(bench: Bench) -> None:
    bench.repository.content.commit("main", {".github/reviewbot.yml": "publish: {check: false}\n"})
    bench.host.fetch(bench.job)

    assert bench.host.begin(bench.job, first=True) is None
    assert bench.repository.checks == []


def test_a_check_that_is_run_again_names_its_pull_request(bench: Bench) -> None:
    check = bench.host.begin(bench.job, first=True)
    payload = {
        "action": "rerequested",
        "check_run": {
            "id": check,
            "head_sha": bench.job.head,
            "external_id": bench.check.external_id,
            "pull_requests": [],  # GitHub names none of a fork
        },
        "repository": {"id": bench.repository.id, "full_name": "acme/shop"},
        "installation": {"id": bench.installation.id},
        "sender": {"login": "ada", "type": "User"},
    }

    intent = read_delivery("check_run", json.dumps(payload).encode())

    assert isinstance(intent, ReviewIntent)
    assert (intent.number, intent.head) == (bench.job.number, bench.job.head)
    assert (intent.base, intent.request[:6]) == (bench.job.base, "check:")


def test_a_change_that_became_a_draft_has_another_job(bench: Bench, pull: Pull) -> None:
    pull.draft = True

    assert bench.host.newest(bench.job) == replace(bench.job, request="draft")
    assert bench.host.newest(replace(bench.job, request="comment:1")) is not None


def test_a_head_that_moved_is_no_failure(bench: Bench, pull: Pull) -> None:
    bench.repository.push(pull, {"a.py": "c\n"})

    with pytest.raises(HeadMoved):
        bench.host.fetch(bench.job)


QUOTE = "b"


@pytest.fixture
def fixed(bench: Bench, pull: Pull) -> tuple[ReviewJob, Review]:
    """A finding was posted on a line, and the next push has fixed it."""
    finding = with_fingerprint(
        replace(
            shop_review().findings[0],
            path="a.py", line=1, end_line=1, quote=QUOTE, suggestion=None,
        )
    )  # fmt: skip
    first = replace(bench.review(), findings=(finding,))
    bench.host.publish(bench.job, first, Attempt())
    life = Life("r:0", finding, finding.fingerprint, bench.job.head, inline=True)
    head = bench.repository.push(pull, {"a.py": "c\n"})
    job = replace(bench.job, head=head)
    change = bench.host.fetch(job).change
    gone = replace(life, state=State.FIXED, fixed_in=head)
    progress = Progress(lives=(gone,), fixed=(gone,))
    return job, replace(first, change=change, findings=(), progress=progress)


def answers(pull: Pull) -> list[str]:
    return [one.body.partition("\n")[0] for one in pull.threads if one.reply_to is not None]


def test_what_a_push_fixed_is_answered_once_however_often_it_is_posted(
    bench: Bench, pull: Pull, fixed: tuple[ReviewJob, Review]
) -> None:
    job, review = fixed

    done = [bench.host.publish(job, review, Attempt()) for _ in range(3)]

    assert answers(pull) == [f"Fixed in {job.head[:7]}."]
    assert [one["outcome"] for one in done] == ["posted", "already", "already"]
    assert done[0]["comments"] == {"r:0": pull.threads[0].id}


@pytest.mark.parametrize("how", ["502", "hang-up"])
def test_an_answer_whose_fate_is_unclear_is_looked_for(
    simulator: GitHubSimulator,
    bench: Bench,
    pull: Pull,
    fixed: tuple[ReviewJob, Review],
    how: How,
) -> None:
    job, review = fixed
    simulator.ambiguous("POST .*/replies", how)

    with pytest.raises(HostBusy):
        bench.host.publish(job, review, Attempt())
    bench.host.publish(job, review, Attempt())

    assert answers(pull) == [f"Fixed in {job.head[:7]}."]


def test_somebody_elses_answer_with_our_mark_is_no_answer_of_ours(
    simulator: GitHubSimulator, bench: Bench, pull: Pull, fixed: tuple[ReviewJob, Review]
) -> None:
    job, review = fixed
    bench.host.publish(job, review, Attempt())
    mine = pull.threads.pop()
    simulator.person("mallory").reply(bench.repository, pull, pull.threads[0], mine.body)

    bench.host.publish(job, review, Attempt())

    assert [one.author for one in pull.threads[1:]] == ["mallory", "reviewbot[bot]"]


def test_a_comment_that_people_deleted_gets_no_answer_and_nothing_fails(
    bench: Bench, pull: Pull, fixed: tuple[ReviewJob, Review]
) -> None:
    job, review = fixed
    pull.threads.clear()

    done = bench.host.publish(job, review, Attempt())

    assert (done["outcome"], done["problems"], answers(pull)) == ("posted", [], [])
    assert "Fixed by this push" in pull.comments[0].body


def test_threads_are_resolved_only_where_the_operator_wants_it_and_github_allows(
    simulator: GitHubSimulator, bench: Bench, pull: Pull, fixed: tuple[ReviewJob, Review]
) -> None:
    job, review = fixed
    resolving = replace(bench.host, resolves_threads=True)

    bench.host.publish(job, review, Attempt())
    untouched = pull.threads[0].resolved_by
    refused = resolving.publish(job, review, Attempt())
    bench.installation.permissions["contents"] = "write"
    allowed = resolving.publish(job, review, Attempt())
    before = len(simulator.requests)
    again = resolving.publish(job, review, Attempt())

    assert (untouched, pull.threads[0].resolved_by) == ("", "reviewbot[bot]")
    assert refused["outcome"] == "already"
    assert "token" in refused["problems"][0]
    assert allowed["problems"] == again["problems"] == []
    mutations = [one for one in simulator.requests[before:] if "mutation" in str(one.body)]
    assert mutations == []


def test_a_push_without_news_posts_no_review_even_where_there_is_no_summary(
    bench: Bench, pull: Pull
) -> None:
    bench.repository.content.commit(
        "main", {".github/reviewbot.yml": "publish: {summary: false}\n"}
    )
    review = bench.review()
    line = Round(bench.job.head, review.created_at, 1, 1, 0, 0, 0, review.cost.total_usd)

    bench.host.publish(bench.job, replace(review, progress=Progress((line,))), Attempt())

    assert (pull.reviews, pull.comments) == ([], [])
    assert bench.check.conclusion == "success"
