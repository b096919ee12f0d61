"""The monthly report's issue: one, found again by its mark, whatever GitHub answers."""

from collections.abc import Callable

import pytest
from github import Github
from github_simulator.faults import How
from github_simulator.records import Issue
from github_simulator.server import GitHubSimulator
from github_simulator.state import Repository

from reviewbot.github.calls import Denied, Unclear
from reviewbot.github.issues import Issued, IssueText, put_issue, repository_facts
from reviewbot.publishing.monthly_issue import report_marks

KEY = b"k" * 32
AUTHOR = "operator"


@pytest.fixture
def put(make_client: Callable[..., Github], shop: Repository) -> Callable[..., Issued]:
    client = make_client(timeout=2)

    def put(text: str, month: str = "2026-11", about: str = "acme/shop", **more: bool) -> Issued:
        marks = report_marks(KEY, shop.id, month, about)
        return put_issue(
            client,
            shop.full_name,
            IssueText(f"Reviews in {month}", f"{text}\n\n{marks.mark('report')}"),
            author=AUTHOR,
            is_own=lambda body: marks.is_own(body, "report"),
            ours=lambda: more.get("ours", True),
        )

    return put


def test_a_month_has_one_issue_that_is_edited(shop: Repository, put: Callable[..., Issued]) -> None:
    shop.open_pull("ready", author=AUTHOR)

    first, again, changed = put("It cost $1."), put("It cost $1."), put("It cost $2.")

    assert (first, again, changed) == (
        Issued("created", 2),
        Issued("already", 2),
        Issued("edited", 2),
    )
    [issue] = shop.issues.values()
    assert issue.title == "Reviews in 2026-11"
    assert issue.body.startswith("It cost $2.\n")


def test_each_month_and_each_subject_has_its_own(
    shop: Repository, put: Callable[..., Issued]
) -> None:
    for month, about in (("2026-11", "acme/shop"), ("2026-12", "acme/shop"), ("2026-11", "")):
        put("It cost $1.", month, about)
        put("It cost $2.", month, about)

    assert [issue.title for issue in shop.issues.values()] == [
        "Reviews in 2026-11",
        "Reviews in 2026-12",
        "Reviews in 2026-11",
    ]


@pytest.mark.parametrize("how", ["502", "hang-up"])
def test_a_lost_answer_makes_no_second_issue(
    simulator: GitHubSimulator, shop: Repository, put: Callable[..., Issued], how: How
) -> None:
    simulator.ambiguous("POST /repos/acme/shop/issues", how)

    with pytest.raises(Unclear):
        put("It cost $1.")
    again = put("It cost $1.")

    assert again == Issued("already", 1)
    assert len(shop.issues) == 1


def test_a_copied_mark_of_somebody_else_is_nothing(
    shop: Repository, put: Callable[..., Issued]
) -> None:
    put("It cost $1.")
    theirs = shop.issues[1].body
    shop.issues[1] = Issue(7, 1, "mallory", "Reviews in 2026-11", theirs, "2026-12-01T00:00:00Z")

    found = put("It cost $2.")

    assert found == Issued("created", 2)
    assert shop.issues[1].body == theirs


def test_a_closed_issue_and_one_on_a_later_page_are_found(
    shop: Repository, put: Callable[..., Issued]
) -> None:
    put("It cost $1.")
    shop.issues[1].state = "closed"
    for number in range(2, 130):
        shop.issues[number] = Issue(number, number, AUTHOR, "Else", "x", "2026-12-01T00:00:00Z")

    assert put("It cost $2.") == Issued("edited", 1)


def test_who_was_overtaken_makes_nothing(shop: Repository, put: Callable[..., Issued]) -> None:
    assert put("It cost $1.", ours=False) == Issued("taken over")
    assert shop.issues == {}


def test_issues_that_are_switched_off_are_denied(
    shop: Repository, put: Callable[..., Issued]
) -> None:
    shop.has_issues = False

    with pytest.raises(Denied, match="410"):
        put("It cost $1.")


def test_a_renamed_repository_tells_its_name(
    simulator: GitHubSimulator, shop: Repository, make_client: Callable[..., Github]
) -> None:
    simulator.moved["acme/old"] = "acme/shop"

    found = repository_facts(make_client(), "acme/old")

    assert found == ("acme/shop", shop.id)
