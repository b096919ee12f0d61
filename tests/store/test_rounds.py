"""What a posted review leaves behind for the next one, on each kind of database."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from publishing.sample_reviews import shop_review
from sqlalchemy import text

from reviewbot.change.model import Sources
from reviewbot.publishing.feedback import FeedbackKind
from reviewbot.publishing.life import Lives, Seen
from reviewbot.publishing.result import Review
from reviewbot.publishing.rounds import Earlier, progressed
from reviewbot.review.already import FileRead
from reviewbot.routing.model import Tier
from reviewbot.store.engine import connect
from reviewbot.store.feedback import Entry, PullPlace, open_feedback_store
from reviewbot.store.jobs import JobStore, open_job_store
from reviewbot.store.migrate import migrate
from reviewbot.store.posted import Posting

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
PLACE = PullPlace(installation=4_000_000_000, repository_id=5_000_000_000, number=7)
WHOLE = {"since": datetime(2020, 1, 1, tzinfo=UTC), "until": datetime(2040, 1, 1, tzinfo=UTC)}


@pytest.fixture
def store(url: str) -> Iterator[JobStore]:
    with open_job_store(url) as opened:
        yield opened


def review(number: int, earlier: Earlier | None = None) -> Review:
    """The review of a head; the first one alone has findings of its own."""
    made = shop_review()
    change = replace(made.change, head=f"{number:040x}")
    seen = Seen(change, Sources(), {}, frozenset())
    lives = earlier.lives if earlier else ()
    findings = () if earlier else made.findings
    read = FileRead("shop/refund.py", Tier.CLAUDE, "claude", change.head or "", {"ab" * 16: number})
    progress = progressed(
        earlier or Earlier(),
        Lives(lives),
        seen,
        review_id=f"r{number}",
        findings=findings,
        read=(read,),
    )
    at = NOW + timedelta(hours=number)
    return replace(
        made, id=f"r{number}", change=change, findings=findings, progress=progress, created_at=at
    )


def posted(store: JobStore, made: Review, **comments: int) -> None:
    posting = Posting(PLACE.installation, PLACE.repository_id, made.created_at, (0,), 555)
    store.save_review(made, installation=PLACE.installation, repository_id=PLACE.repository_id)
    store.add_round(made, posting, comments)


def test_a_review_goes_on_from_what_was_posted(store: JobStore) -> None:
    posted(store, review(1))
    first = store.earlier(*PLACE, but="r2")
    posted(store, review(2, first), **{"r1:0": 901})
    second = store.earlier(*PLACE, but="r3")

    assert [life.id for life in first.lives] == ["r1:0", "r1:1", "r1:2"]
    assert [life.inline for life in first.lives] == [True, False, False]
    assert [life.comment_id for life in second.lives] == [901, None, None]
    assert [life.finding for life in second.lives] == list(shop_review().findings)
    assert [file.edits for file in second.read.files] == [{"ab" * 16: 1}, {"ab" * 16: 2}]
    assert [(each.new, each.open, each.usd) for each in second.rounds] == [
        (3, 3, shop_review().cost.total_usd),
        (0, 3, shop_review().cost.total_usd),
    ]
    assert second.rounds[0].at == NOW + timedelta(hours=1)
    assert Earlier.from_json(second.to_json()) == second


def test_what_is_posted_again_changes_nothing_and_is_not_its_own_past(store: JobStore) -> None:
    posted(store, review(1))
    posted(store, review(1), **{"r1:0": 5})

    assert len(store.earlier(*PLACE, but="other").rounds) == 1
    assert store.earlier(*PLACE, but="other").lives[0].comment_id is None
    assert store.earlier(*PLACE, but="r1") == Earlier()


def test_other_pull_requests_have_another_past(store: JobStore) -> None:
    posted(store, review(1))

    for place in (PLACE._replace(number=8), PLACE._replace(installation=1)):
        assert store.earlier(*place, but="") == Earlier()


def test_a_finding_of_several_heads_counts_once_with_all_that_was_made_of_it(
    store: JobStore, url: str
) -> None:
    """As `review --post` posts it, which knows of no earlier heads."""
    for number in (1, 2, 3):
        made = replace(review(number), id=f"r{number}")
        posted(store, made)
    with open_feedback_store(url) as feedback:
        feedback.add_feedback(
            [
                Entry("r1:0", FeedbackKind.THUMBS_UP, "ada", NOW, "up"),
                Entry("r3:0", FeedbackKind.REPLY, "bob", NOW, "reply"),
                Entry("r2:1", FeedbackKind.THUMBS_DOWN, "ada", NOW, "down"),
            ]
        )
        found = feedback.posted_findings(**WHOLE)
        later = feedback.posted_findings(
            since=NOW + timedelta(hours=2), until=datetime(2040, 1, 1, tzinfo=UTC)
        )

    assert [row.review_id for row in found] == ["r1"] * 3
    assert [[each.kind for each in row.feedback] for row in found] == [
        ["reply", "thumbs up"],
        ["thumbs down"],
        [],
    ]
    assert later == []


def test_what_was_published_for_several_heads_before_counts_once_as_well(url: str) -> None:
    with open_job_store(url) as store:
        for number in (1, 2):
            posted(store, replace(review(number), id=f"r{number}"))
    engine = connect(url)
    with engine.begin() as connection:  # as it was before that was known
        connection.execute(text("ALTER TABLE posted_findings DROP COLUMN repeats"))
        connection.execute(text("ALTER TABLE reviews DROP COLUMN strategy"))
        connection.execute(text("DROP TABLE rounds"))
        connection.execute(text("UPDATE reviewbot_version SET version_num = '0008'"))
    migrate(engine)
    engine.dispose()

    with open_feedback_store(url) as feedback:
        found = feedback.posted_findings(**WHOLE)

    assert [row.review_id for row in found] == ["r1"] * 3


def test_money_is_exact_in_history(store: JobStore) -> None:
    made = review(1)
    cost = replace(made.cost, total_usd=Decimal("0.000000000123"))
    posted(store, replace(made, cost=cost))

    [line] = store.earlier(*PLACE, but="").rounds
    assert line.usd == Decimal("0.000000000123")
