"""Every way to review, from the webhook to the pull request: who was asked what, what it cost, what
is posted; what may not leave does not, and what is not paid for is not asked."""

import os
import re
import signal
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from itertools import count
from threading import Event

import pytest
from databases import new_database
from github_simulator.state import Pull, Repository
from model_servers.openai import OpenAIServer
from model_servers.server import Asked, ModelServer
from serving import EVER, HURRIED_SERVE, Service, child, surroundings
from ways import (
    FAR_AWAY,
    FINE,
    KEPT,
    LOCALS,
    NOTES,
    PAGES,
    SECRET,
    SONNET,
    WAYS,
    Way,
    claude_answers,
    local_answers,
    purpose_of,
    repository_for,
    shown,
)

from reviewbot.costs.prices import PriceBook
from reviewbot.reporting.window import Window
from reviewbot.review.engine import Outcome
from reviewbot.store.reports import open_report_store

PAID = tuple(way for way in WAYS if way.paid)
_numbers = count(1)


@pytest.fixture(scope="module")
def fine() -> Iterator[OpenAIServer]:
    """A second server of our own."""
    with OpenAIServer(models=(FINE,)) as server:
        yield server
    assert server.problems == []


@pytest.fixture(scope="module")
def running(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, fine: OpenAIServer
) -> Iterator[Service]:
    """The service with two named engines on offer, on the kind of database that the test file names."""
    url = ""
    if request.module.DATABASE == "postgresql":
        url = new_database(request.getfixturevalue("postgresql_server"))
    folder = tmp_path_factory.mktemp("ways")
    engines = folder / "engines.yml"
    engines.write_text(
        "engines:\n"
        f"  fine: {{tier: local, url: '{fine.url}', model: {FINE}}}\n"
        f"  sonnet: {{tier: claude, model: {SONNET}}}\n"
    )
    with surroundings(folder, url) as made:
        made.claude.models += (SONNET,)
        made.more["REVIEWBOT_ENGINES"] = str(engines)
        made.start(*HURRIED_SERVE)
        yield made


def answering(service: Service, fine: OpenAIServer, way: Way) -> None:
    """The models as the way has them, with nothing asked of them yet."""
    fine.asked.clear()
    fine.bill.clear()
    service.local.asked.clear()
    service.local.bill.clear()
    service.claude.answering = claude_answers(way)
    service.local.answering = fine.answering = local_answers(way)


def opened(service: Service, way: Way, **policy: object) -> tuple[Repository, Pull]:
    """A pull request of the way's branch, and its delivery."""
    repository = repository_for(service, way, f"ways{next(_numbers)}", **policy)
    pull = repository.open_pull(way.branch, title="Simplify")
    payload = service.github.payloads.pull_request(repository, pull)
    assert service.deliver("pull_request", payload).status == 202
    return repository, pull


def posted(pull: Pull) -> dict[str, str]:
    """path → the comment on its line."""
    return {thread.path: thread.body for thread in pull.threads}


def assert_nothing_left_that_may_not(claude: ModelServer) -> None:
    for asked in claude.asked:
        text = asked.system + asked.user
        assert NOTES not in text, "not even its name"
        assert not re.search(f"{SECRET}|{KEPT}", text)


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.name)
def test_from_the_webhook_to_the_pull_request(
    service: Service, fine: OpenAIServer, way: Way
) -> None:
    answering(service, fine, way)

    repository, pull = opened(service, way)
    service.reviewed(pull)

    settled, begun = service.calls(repository, pull)
    assert Counter((call.start.purpose, call.start.model) for call in settled) == way.rows
    assert begun == []
    wanted = Counter[str]()
    for (_, model), questions in way.paid.items():
        wanted[model] += questions
    assert Counter(charge.model for charge in service.claude.bill) == wanted
    assert_the_ledger_is_the_bill(service, repository)
    here = [*service.local.asked, *fine.asked]
    assert len(here) + len(service.claude.asked) == sum(way.rows.values())
    assert {NOTES} <= set().union(*map(shown, here)), "what may not leave is read here"
    assert all(SECRET in asked.user for asked in here)
    assert_nothing_left_that_may_not(service.claude)
    comments = posted(pull)
    assert comments.keys() == way.titles.keys()
    assert all(title in comments[path] for path, title in way.titles.items())
    assert {"```suggestion" in body for body in comments.values()} == {way.mended}
    [summary] = pull.comments
    assert all(words in summary.body for words in way.says), summary.body
    assert_the_receipt_is_what_was_sent(service, repository, pull, summary.body)
    assert_the_report_knows_the_strategy(service, repository, way)


def assert_the_ledger_is_the_bill(service: Service, repository: Repository) -> None:
    """To the last digit, by public prices."""
    settled, _ = service.calls(repository)
    book, million = PriceBook(), 1_000_000
    owed = Decimal(0)
    for charge in service.claude.bill:
        price = book.price_of("anthropic", charge.model)
        owed += (price.input * charge.input + price.output * charge.output) / million
    assert sum((call.usd for call in settled), Decimal(0)) == owed
    local = [call for call in settled if call.start.provider is None]
    assert all(call.usd == 0 and call.energy_usd > 0 for call in local)


def assert_the_report_knows_the_strategy(
    service: Service, repository: Repository, way: Way
) -> None:
    settled, _ = service.calls(repository)
    with open_report_store(service.settings.database) as store:
        [line] = store.sums(
            Window(**EVER, name="ever", months=Decimal(1)), repository.full_name
        ).strategies
    assert (line.name, len(line.reviews)) == (way.strategy, 1)
    spent = (call.usd + call.energy_usd + call.amortisation_usd for call in settled)
    assert line.usd == sum(spent, Decimal(0))


def assert_the_receipt_is_what_was_sent(
    service: Service, repository: Repository, pull: Pull, summary: str
) -> None:
    review = service.newest_review(repository, pull)
    assert review is not None
    receipt = {entry["path"]: entry for entry in review.result["egress"]}
    sent = set().union(*map(shown, service.claude.asked))
    assert {path for path in receipt if path.endswith(".py")} == sent
    redacted = sum(entry["redactions"] for entry in receipt.values())
    assert redacted == sum(asked.user.count("[redacted:") for asked in service.claude.asked)
    assert bool(redacted) == bool(sent)
    assert ("nothing left" in summary) == (not sent)


@pytest.mark.parametrize("verdict", ["confirm", "withdraw"])
def test_a_doubt_is_put_to_claude_with_its_own_lines_only(
    service: Service, fine: OpenAIServer, verdict: str
) -> None:
    way = next(way for way in WAYS if way.verdict == verdict and "escalate" in way.policy)
    answering(service, fine, way)

    repository, pull = opened(service, way)
    service.reviewed(pull)

    [asked] = service.claude.asked
    assert shown(asked) == {PAGES}
    assert "return total // size" in asked.user
    assert FAR_AWAY not in asked.user
    review = service.newest_review(repository, pull)
    assert review is not None
    assert review.result["route"]["tier"] == "local", "whatever Claude says"
    [call] = [one for one in service.calls(repository)[0] if one.start.purpose == "escalate"]
    assert call.detail == verdict
    if verdict == "confirm":
        assert "confidence 0.40, confirmed by claude" in posted(pull)[PAGES]


@pytest.mark.parametrize("way", PAID, ids=lambda way: way.name)
def test_what_no_budget_covers_is_read_here_and_said(
    service: Service, fine: OpenAIServer, way: Way
) -> None:
    answering(service, fine, way)

    repository, pull = opened(service, way, budget={"per_pr_usd": 0.001})
    service.reviewed(pull)

    assert service.claude.asked == []
    settled, begun = service.calls(repository, pull)
    refused = Counter(
        (call.start.purpose, call.start.model)
        for call in settled
        if call.outcome is Outcome.OVER_BUDGET
    )
    assert refused == (way.paid if way.refused is None else way.refused)
    assert begun == []
    assert sum((call.usd for call in settled), Decimal(0)) == 0
    comments = posted(pull)
    assert all(LOCALS[path] in body for path, body in comments.items()), "the local model's words"
    assert comments.keys() >= {NOTES}
    assert "budget used up" in pull.comments[0].body
    review = service.newest_review(repository, pull)
    assert review is not None
    assert review.result["egress"] == []


@pytest.mark.parametrize(
    "way", [way for way in PAID if way.branch == "risky"], ids=lambda way: way.name
)
def test_what_is_to_be_held_is_held_before_anybody_is_asked(
    service: Service, fine: OpenAIServer, way: Way
) -> None:
    answering(service, fine, way)

    repository, pull = opened(service, way, budget={"per_pr_usd": 0.001, "when_exhausted": "hold"})
    service.reviewed(pull)

    assert service.claude.asked == service.local.asked == fine.asked == []
    assert service.calls(repository, pull) == ([], [])
    assert pull.threads == []
    assert "HELD: budget used up" in pull.comments[0].body


@pytest.mark.parametrize("way", PAID, ids=lambda way: way.name)
def test_a_crash_in_the_middle_pays_for_nothing_twice(
    service: Service, fine: OpenAIServer, way: Way
) -> None:
    """The worker dies while Claude thinks about the last question; what was answered before is not
    asked again."""
    answering(service, fine, way)
    release = Event()
    answer = service.claude.answering

    def slowly(asked: Asked) -> str:
        if purpose_of(asked) == way.last[0]:
            release.wait(60)
        return str(answer(asked))

    service.claude.answering = slowly
    repository, pull = opened(service, way)
    paid = sum(way.paid.values())
    service.until(lambda: len(service.claude.asked) == paid, "Claude is asked the last")
    here = sum(way.rows.values()) - paid
    before = here + paid - way.rows[way.last] - way.later
    service.until(lambda: len(service.calls(repository)[0]) == before, "all others have answered")
    worker = child(service.process.pid, "worker")
    assert worker

    os.kill(worker, signal.SIGKILL)
    release.set()
    service.reviewed(pull)

    settled, unknown = service.calls(repository, pull)
    assert Counter((call.start.purpose, call.start.model) for call in settled) == way.rows
    assert len(service.local.bill) + len(fine.bill) == here
    assert len(service.claude.asked) == paid + 1, "only the call that was cut off is made again"
    assert [(call.purpose, call.model) for call in unknown] == [way.last]
    assert len(pull.reviews) == len(pull.comments) == 1
    assert posted(pull).keys() == way.titles.keys()


def test_a_cap_for_one_second_opinion_buys_one(service: Service, fine: OpenAIServer) -> None:
    way = next(way for way in WAYS if way.name == "withdrawn")
    answering(service, fine, way)
    repository, pull = opened(service, way)
    service.reviewed(pull)
    [probe] = [one for one in service.calls(repository)[0] if one.start.purpose == "escalate"]
    both = local_answers(way)

    def doubled(asked: Asked) -> str:
        """Two remarks on the pages, of which each is doubtful."""
        said = both(asked)
        other = said.replace(LOCALS[PAGES], "Size may be nought").replace("correctness", "api")
        return said[:-2] + ", " + other.split('"findings": [', 1)[1]

    service.local.answering = doubled
    service.claude.asked.clear()
    cap = round(probe.start.reserved_usd + probe.usd / 2, 6)

    repository, pull = opened(service, way, budget={"per_pr_usd": float(cap)})
    service.reviewed(pull)

    settled, _ = service.calls(repository, pull)
    asked = [call for call in settled if call.start.purpose == "escalate"]
    assert [c.outcome for c in asked].count(Outcome.ANSWERED) == 1
    assert len(service.claude.asked) == 1
    assert sum((call.usd for call in settled), Decimal(0)) <= cap
    assert "1 withdrawn" in pull.comments[0].body
    assert "1 no answer (budget used up" in pull.comments[0].body
    assert PAGES in posted(pull), "what could not be asked about stands"
