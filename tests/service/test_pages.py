"""The pages: who may see them, what they show, and that nothing on them acts."""

import re
from collections.abc import Iterator
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest
import requests
from listening import Listener, listening
from publishing.sample_reviews import (
    held_review,
    hostile_review,
    large_review,
    later_review,
    scripted_review,
    shop_review,
)

from reviewbot.errors import StoreError
from reviewbot.publishing.result import Review
from reviewbot.service.login import SESSION_SECONDS, TOKEN_SECONDS, Login
from reviewbot.service.page_view import money, size
from reviewbot.store.reports import open_report_store

REVIEWS = {
    "shop": shop_review(),
    "scripted": scripted_review(),
    "hostile": hostile_review(),
    "large": large_review(300, 40),
    "held": held_review(),
    "later": later_review(),
}
#: Tags that the pages use; anything else was written by someone else.
TAGS = frozenset(
    [
        "html",
        "head",
        "meta",
        "title",
        "style",
        "body",
        "header",
        "main",
        "span",
        "form",
        "button",
        "div",
        "h1",
        "h2",
        "h3",
        "p",
        "a",
        "b",
        "strong",
        "small",
        "details",
        "summary",
        "table",
        "thead",
        "tbody",
        "tr",
        "th",
        "td",
        "article",
        "code",
        "pre",
        "rect",
        "svg",
        "br",
        "section",
        "input",
        "caption",
        "nav",
    ]
)


class Tags(HTMLParser):
    """Every tag with its attributes, and the text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.fixture(scope="module")
def listener(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Listener]:
    folder = tmp_path_factory.mktemp("pages")
    with open_report_store(f"sqlite:///{folder}/reviewbot.db") as store:
        for name, review in REVIEWS.items():
            store.save_review(_named(review, name), installation=5)
        with listening(folder, store) as running:
            yield running


def _named(review: Review, name: str) -> Review:
    return replace(review, id=name)


@pytest.fixture
def person(listener: Listener) -> Iterator[requests.Session]:
    """Somebody who is signed in."""
    with listener.signed_in() as session:
        yield session


def page(listener: Listener, person: requests.Session, name: str) -> str:
    answer = person.get(f"{listener.url}/reviews/{name}", timeout=10)
    assert answer.status_code == 200
    return answer.text


def _led_away(html: str) -> list[str]:
    """Where links lead that are not of the pages' own frame."""
    links = [attrs.get("href") or "" for tag, attrs in Tags(html).tags if tag == "a"]
    return [link for link in links if link not in ("#content", "/", "/reviews", "/report")]


@pytest.mark.parametrize("path", ["/", "/reviews/shop", "/reviews/nobody", "/?review=shop"])
def test_strangers_see_nothing(listener: Listener, path: str) -> None:
    for cookie in ("", "reviewbot_session=guess"):
        answer = requests.get(
            f"{listener.url}{path}", headers={"Cookie": cookie}, timeout=10, allow_redirects=False
        )

        assert answer.status_code == 401
        assert "refund" not in answer.text


def test_the_link_works_once_and_only_by_its_button(listener: Listener) -> None:
    token = listener.login.issue()
    for _ in range(2):  # looking at the link, as some programs do in advance, uses nothing up
        assert requests.get(f"{listener.url}/login?token={token}", timeout=10).status_code == 200

    def enter() -> requests.Response:
        return requests.post(
            f"{listener.url}/login", data={"token": token}, timeout=10, allow_redirects=False
        )

    first, second = enter(), enter()

    assert (first.status_code, first.headers["Location"]) == (303, "/")
    cookie = first.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert second.status_code == 401
    assert "Set-Cookie" not in second.headers


def test_signing_out_ends_the_session_for_every_copy(listener: Listener) -> None:
    with listener.signed_in() as person:
        stolen = person.cookies["reviewbot_session"]
        person.post(f"{listener.url}/logout", timeout=10)

    answer = requests.get(
        f"{listener.url}/", headers={"Cookie": f"reviewbot_session={stolen}"}, timeout=10
    )
    assert answer.status_code == 401


def test_the_page_of_a_review_shows_all_of_it(listener: Listener, person: requests.Session) -> None:
    text = " ".join(Tags(page(listener, person, "shop")).text.split())
    review = REVIEWS["shop"]

    assert review.route.why in text
    for match in review.route.reasons:
        assert match.rule in text
        assert match.why in text
    for finding in review.findings:
        assert finding.title.replace("`", "") in text.replace("`", "")
    for entry in review.coverage:
        assert entry.path in text
    for call in review.calls:
        assert call.model in text
    for sent in review.egress:
        assert sent.path in text
    for shown in ("$0.0412", "$0.0538", "7,300", "lockfile", "no place in the diff"):
        assert shown.lower() in text.lower()
    assert "SCRIPTED" not in text


def test_what_is_scripted_or_incomplete_says_so_first(
    listener: Listener, person: requests.Session
) -> None:
    text = Tags(page(listener, person, "scripted")).text

    assert text.index("Incomplete") < text.index("SCRIPTED") < text.index("Findings")
    assert text.index("RISKY, NOT REVIEWED BY CLAUDE") < text.index("Findings")
    assert "nothing was paid" in text


def test_a_held_review_says_why_and_what_is_left(
    listener: Listener, person: requests.Session
) -> None:
    text = Tags(page(listener, person, "held")).text

    assert text.index("Held: budget used up") < text.index("acme/shop may spend $20.00 a month")
    assert "Budget left" in text
    assert "of $20.00 a month for this repository: 64 % used" in text


def test_a_later_push_shows_what_is_still_open(
    listener: Listener, person: requests.Session
) -> None:
    text = page(listener, person, "later")

    assert "1 critical, 1 medium" in text
    assert "Nothing new." in text
    assert text.index("Still open") < text.index("Refunds are cut down to whole cents")
    assert "eeeeeee" in text


def test_nothing_that_others_wrote_acts(listener: Listener, person: requests.Session) -> None:
    html = page(listener, person, "hostile")
    read = Tags(html)

    assert {tag for tag, _ in read.tags} <= TAGS
    attributes = {name for _, attrs in read.tags for name in attrs}
    assert not any(name.startswith("on") or name in ("src", "srcdoc") for name in attributes)
    assert _led_away(html) == []
    assert not re.search("[\u202a-\u202e\u2066-\u2069\x00-\x08\x0b-\x1f]", html)
    assert "onerror=alert(1)" in read.text


def test_no_page_asks_anybody_else_for_anything(
    listener: Listener, person: requests.Session
) -> None:
    answer = person.get(f"{listener.url}/reviews/shop", timeout=10)
    policy = answer.headers["Content-Security-Policy"]
    nonce = re.search(r"style-src 'nonce-([\w-]+)'", policy)

    assert policy.startswith("default-src 'none';")
    assert nonce is not None
    assert f'<style nonce="{nonce[1]}">' in answer.text
    assert "url(" not in answer.text
    assert "@import" not in answer.text
    assert not any(tag in ("script", "link", "img", "iframe") for tag, _ in Tags(answer.text).tags)
    assert answer.headers["Cache-Control"] == "no-store"
    again = person.get(f"{listener.url}/reviews/shop", timeout=10)
    assert nonce[1] not in again.text


def test_a_large_review_is_folded(listener: Listener, person: requests.Session) -> None:
    folded = [a for t, a in Tags(page(listener, person, "large")).tags if t == "details"]

    assert any("open" not in attributes for attributes in folded)


def test_a_review_is_found_by_its_id(listener: Listener, person: requests.Session) -> None:
    found = person.get(f"{listener.url}/?review=shop", timeout=10)

    assert found.url == f"{listener.url}/reviews/shop"
    assert person.get(f"{listener.url}/reviews/none", timeout=10).status_code == 404
    assert person.get(f"{listener.url}/reviews/{'x' * 500}", timeout=10).status_code == 404
    away = person.get(
        f"{listener.url}/", params={"review": "//evil.example/"}, timeout=10, allow_redirects=False
    )
    assert away.headers["Location"] == "/reviews/%2F%2Fevil.example%2F"


def test_the_link_leads_to_the_pull_request(listener: Listener, person: requests.Session) -> None:
    change = REVIEWS["shop"].change

    assert _led_away(page(listener, person, "shop")) == [
        f"https://github.com/{change.repository}/pull/{change.number}"
    ]


class TestLogin:
    def test_sessions_survive_a_restart_and_end_in_time(self, tmp_path: Path) -> None:
        now = [1_000_000.0]
        login = Login(tmp_path / "login.json", now=lambda: now[0])
        session = login.redeem(login.issue())
        assert session is not None

        assert Login(tmp_path / "login.json", now=lambda: now[0]).valid(session)

        now[0] += SESSION_SECONDS
        assert not login.valid(session)

    def test_a_new_token_replaces_the_old_one_and_all_end_in_time(self, tmp_path: Path) -> None:
        now = [1_000_000.0]
        login = Login(tmp_path / "login.json", now=lambda: now[0])
        old, new = login.issue(), login.issue()

        assert login.redeem(old) is None

        now[0] += TOKEN_SECONDS
        assert login.redeem(new) is None

    def test_everything_can_be_taken_back(self, tmp_path: Path) -> None:
        login = Login(tmp_path / "login.json")
        session, token = login.redeem(login.issue()), login.issue()
        assert session is not None

        login.revoke_all()

        assert not login.valid(session)
        assert login.redeem(token) is None

    def test_the_file_holds_no_secret_and_is_ours_alone(self, tmp_path: Path) -> None:
        path = tmp_path / "login.json"
        login = Login(path)
        session, token = login.redeem(login.issue()), login.issue()

        assert session is not None
        assert session not in path.read_text()
        assert token not in path.read_text()
        assert path.stat().st_mode & 0o077 == 0

    def test_a_damaged_file_opens_nothing_and_says_what_to_do(self, tmp_path: Path) -> None:
        path = tmp_path / "login.json"
        path.write_text("{")

        with pytest.raises(StoreError, match="delete it"):
            Login(path).valid("x")


@pytest.mark.parametrize(
    ("given", "shown"), [(None, "–"), ("0", "$0"), ("0.0412", "$0.0412"), ("12.3", "$12.30")]
)
def test_money_reads_well(given: str | None, shown: str) -> None:
    assert money(given) == shown


@pytest.mark.parametrize(("given", "shown"), [(0, "0 B"), (4200, "4.2 kB"), (1_300_000, "1.3 MB")])
def test_sizes_read_well(given: int, shown: str) -> None:
    assert size(given) == shown
