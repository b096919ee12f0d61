"""Published findings and what people made of them, on each kind of database."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from publishing.sample_reviews import shop_review

from reviewbot.errors import StoreError
from reviewbot.publishing.feedback import Feedback, FeedbackKind, PostedFinding
from reviewbot.publishing.result import Review
from reviewbot.review.finding import Finding
from reviewbot.store.feedback import (
    Entry,
    FeedbackStore,
    PullPlace,
    open_feedback_store,
)
from reviewbot.store.posted import Posting

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
PLACE = PullPlace(installation=4_000_000_000, repository_id=5_000_000_000, number=7)
WHOLE = {"since": datetime(2020, 1, 1, tzinfo=UTC), "until": datetime(2040, 1, 1, tzinfo=UTC)}


@pytest.fixture
def store(url: str) -> Iterator[FeedbackStore]:
    with open_feedback_store(url) as opened:
        yield opened


@pytest.fixture
def review() -> Review:
    """Of three findings; the first two have a place."""
    models = ("claude-opus-5-5", "claude-opus-5-5", "")
    findings = zip(shop_review().findings, models, strict=True)
    return replace(
        shop_review(), findings=tuple(replace(finding, model=model) for finding, model in findings)
    )


def posting(at: datetime = NOW, place: PullPlace = PLACE) -> Posting:
    return Posting(place.installation, place.repository_id, at, inline=(0, 1), github_review=555)


def publish(
    store: FeedbackStore, review: Review, at: datetime = NOW, place: PullPlace = PLACE
) -> list[str]:
    """Ids of the findings."""
    change = replace(review.change, number=place.number)
    store.save_review(replace(review, change=change))
    store.add_posted(review.id, posting(at, place))
    known = store.pull_findings(place)
    return [each.id for each in known if each.review_id == review.id]


def said(kind: FeedbackKind, finding: str, key: str, *, at: datetime = NOW) -> Entry:
    return Entry(finding, kind, "ada", at, key)


def test_a_published_finding_is_written_with_its_route_and_its_place(
    store: FeedbackStore, review: Review
) -> None:
    store.save_review(review)
    store.add_posted(review.id, posting())

    found = store.posted_findings(**WHOLE)

    first, second, third = review.findings
    assert [each.fingerprint for each in found] == [f.fingerprint for f in review.findings]
    assert found[0] == PostedFinding(
        review_id=review.id,
        installation=PLACE.installation,
        repository_id=PLACE.repository_id,
        repository="acme/shop",
        number=7,
        fingerprint=first.fingerprint,
        engine="claude",
        model="claude-opus-5-5",
        tier="claude",
        areas=("payments",),
        severity="critical",
        category="correctness",
        path="shop/refund.py",
        line=41,
        inline=True,
        posted_at=NOW,
    )
    assert (found[1].path, found[1].areas, found[1].inline) == (second.path, (), True)
    assert (found[2].line, found[2].model, found[2].inline) == (third.line, "", False)


def test_what_is_repeated_is_written_once(store: FeedbackStore, review: Review) -> None:
    store.save_review(review)
    for hours in range(3):
        store.add_posted(review.id, posting(NOW + hours * HOUR))
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: store.add_posted(review.id, posting()), range(8)))

    assert [each.posted_at for each in store.posted_findings(**WHOLE)] == [NOW] * 3


def test_only_a_stored_review_can_have_been_posted(store: FeedbackStore) -> None:
    with pytest.raises(StoreError, match="not in the database"):
        store.add_posted("nothing", posting())


def test_what_is_kept_to_tell_later_is_the_code_and_where_it_stands(
    store: FeedbackStore, review: Review
) -> None:
    [first, second, _] = publish(store, review)
    store.learn_comments({first: 901, second: 902})
    store.learn_comments({first: 999})

    known = store.pull_findings(PLACE)

    assert [each.comment_id for each in known] == [901, 902, None]
    assert [each.github_review for each in known] == [555, 555, None]
    assert known[0].flagged == (
        "due = order.paid * float(share)",
        'log.debug("refund of %s", due)',
        "return int(due)",
    )
    assert (known[1].side, known[1].line, known[1].head) == ("LEFT", 11, review.change.head)


def test_feedback_is_appended_once_for_each_key(store: FeedbackStore, review: Review) -> None:
    [first, second, _] = publish(store, review)
    entries = [
        said(FeedbackKind.THUMBS_DOWN, first, "thumbs down:ada"),
        said(FeedbackKind.REPLY, first, "reply:1"),
        said(FeedbackKind.REPLY, first, "reply:2", at=NOW - HOUR),
        said(FeedbackKind.REPLY, second, "reply:1"),
    ]

    written = store.add_feedback([*entries, *entries])
    again = store.add_feedback([entry._replace(at=NOW + HOUR) for entry in entries])

    assert (written, again) == (4, 0)
    one, two, three = (each.feedback for each in store.posted_findings(**WHOLE))
    assert one[0] == Feedback(FeedbackKind.REPLY, "ada", NOW - HOUR)
    assert {each.kind for each in one[1:]} == {FeedbackKind.THUMBS_DOWN, FeedbackKind.REPLY}
    assert two == (Feedback(FeedbackKind.REPLY, "ada", NOW),)
    assert three == ()


def test_two_workers_that_write_the_same_write_it_once(
    store: FeedbackStore, review: Review
) -> None:
    [first, *_] = publish(store, review)
    entries = [said(FeedbackKind.REPLY, first, f"reply:{number}") for number in range(600)]

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: store.add_feedback(entries), range(4)))

    assert len(store.posted_findings(**WHOLE)[0].feedback) == 600


def test_a_thread_is_resolved_by_what_was_said_of_it_last(
    store: FeedbackStore, review: Review
) -> None:
    [first, second, _] = publish(store, review)
    store.add_feedback(
        [
            said(FeedbackKind.REOPENED, first, "b", at=NOW + HOUR),
            said(FeedbackKind.RESOLVED, first, "a"),
            said(FeedbackKind.RESOLVED, first, "c", at=NOW + 2 * HOUR),
            said(FeedbackKind.RESOLVED, second, "a"),
            said(FeedbackKind.REOPENED, second, "b", at=NOW + HOUR),
        ]
    )

    assert [each.resolved for each in store.pull_findings(PLACE)] == [True, False, False]


def test_the_end_of_a_pull_request_is_its_last(store: FeedbackStore, review: Review) -> None:
    publish(store, review)
    publish(store, replace(review, id="elsewhere"), place=PLACE._replace(number=8))
    ends = []
    store.end_pull(PLACE, at=NOW + HOUR, merged=False)
    store.end_pull(PLACE, at=NOW + HOUR, merged=False)
    ends.append({(f.number, f.pull_ended_at, f.merged) for f in store.posted_findings(**WHOLE)})
    store.reopen_pull(PLACE)
    ends.append({(f.number, f.pull_ended_at, f.merged) for f in store.posted_findings(**WHOLE)})
    store.end_pull(PLACE, at=NOW + 2 * HOUR, merged=True)
    ends.append({(f.number, f.pull_ended_at, f.merged) for f in store.posted_findings(**WHOLE)})

    assert ends == [
        {(7, NOW + HOUR, False), (8, None, False)},
        {(7, None, False), (8, None, False)},
        {(7, NOW + 2 * HOUR, True), (8, None, False)},
    ]


def test_findings_are_chosen_by_time_repository_and_installation(
    store: FeedbackStore, review: Review
) -> None:
    other = replace(review, id="other", change=replace(review.change, repository="globex/shop"))
    theirs = PullPlace(9, 10, 7)
    publish(store, review, NOW)
    publish(store, other, NOW + HOUR, theirs)
    store.add_feedback(
        [
            said(FeedbackKind.REPLY, each.id, "x")
            for place in (PLACE, theirs)
            for each in store.pull_findings(place)
        ]
    )

    def names(**chosen: object) -> list[str]:
        found = store.posted_findings(**{**WHOLE, **chosen})  # type: ignore[arg-type]
        assert all(len(each.feedback) == 1 for each in found)
        return [each.repository for each in found]

    assert names() == ["acme/shop"] * 3 + ["globex/shop"] * 3
    assert names(until=NOW + HOUR) == ["acme/shop"] * 3
    assert names(since=NOW + HOUR) == ["globex/shop"] * 3
    assert names(repository="globex/shop") == ["globex/shop"] * 3
    assert names(installation=PLACE.installation) == ["acme/shop"] * 3
    assert names(installation=9, repository="acme/shop") == []


def test_the_same_numbers_of_another_account_are_another_pull_request(
    store: FeedbackStore, review: Review
) -> None:
    publish(store, review)

    assert store.pull_findings(PLACE._replace(installation=1)) == []
    assert store.pull_findings(PLACE._replace(repository_id=1)) == []
    assert store.pull_findings(PLACE._replace(number=1)) == []


def test_a_review_of_which_only_comments_are_known_gives_those(
    store: FeedbackStore, review: Review
) -> None:
    place = PLACE._asdict()
    number = place.pop("number")
    store.save_review(review, **place)
    quiet = replace(review, id="quiet", findings=())
    store.save_review(quiet, **place)
    before = [each.id for each in store.unposted_reviews(PLACE)]
    store.add_posted(review.id, posting()._replace(inline=(1,), in_texts=False))

    assert number == 7
    assert before == [review.id]
    assert store.unposted_reviews(PLACE) == []
    assert [each.fingerprint for each in store.posted_findings(**WHOLE)] == [
        review.findings[1].fingerprint
    ]


def test_a_review_says_who_asked_for_it(store: FeedbackStore, review: Review) -> None:
    store.save_review(review, installation=5, repository_id=22, request="command")

    stored = store.review(review.id)
    assert stored
    assert stored.request == "command"


def test_a_secret_is_not_kept_to_be_looked_for(store: FeedbackStore, review: Review) -> None:
    secret: Finding = replace(review.findings[0], quote="", engine="secrets", model="")
    [found] = publish(store, replace(review, findings=(secret,)))

    [known] = store.pull_findings(PLACE)
    assert (known.id, known.flagged, known.line) == (found, (), 41)
