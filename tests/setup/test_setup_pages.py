"""The set-up page over plain HTTP, with a clock of ours; and as it looks."""

from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event

import pytest
from browser import Browser
from flask.testing import FlaskClient
from setting_up import PUBLIC
from werkzeug.test import TestResponse

from reviewbot.setup.door import TOKEN_SECONDS, Door
from reviewbot.setup.enrolment import Enrolment
from reviewbot.setup.listening import answering
from reviewbot.setup.manifest import Host
from reviewbot.setup.pages import Form, create_setup_app

GITHUB = Host("https://github.com", "https://api.github.com")


class Page:
    """The application, and the seconds that have passed."""

    def __init__(self, folder: Path, first: Form) -> None:
        self.seconds = 0.0
        self.door = Door(lambda: self.seconds)
        self.enrolment = Enrolment(GITHUB, folder, now=lambda: self.seconds)
        self.app = create_setup_app(self.enrolment, self.door, first, Event(), next_step="Go.")
        self.client: FlaskClient = self.app.test_client()

    def begin(self, **form: str) -> TestResponse:
        return self.client.post("/setup", data={"token": self.door.token, **form})


@pytest.fixture
def page(tmp_path: Path) -> Page:
    return Page(tmp_path, Form(public_url=PUBLIC))


def test_an_old_link_opens_nothing(page: Page) -> None:
    page.seconds = TOKEN_SECONDS

    assert page.client.get(f"/setup?token={page.door.token}").status_code == 401
    assert page.begin(public_url=PUBLIC).status_code == 401


def test_looking_does_not_use_the_link_up(page: Page) -> None:
    """Programs that look at links in advance."""
    for _ in range(3):
        assert page.client.get(f"/setup?token={page.door.token}").status_code == 200

    assert page.begin(public_url=PUBLIC).status_code == 200


def test_an_attempt_is_good_for_an_hour(page: Page) -> None:
    handover = page.begin(public_url=PUBLIC).text
    state = handover.partition("state=")[2].partition('"')[0]
    page.seconds = 3600

    answer = page.client.get(f"/setup/created?code=abc&state={state}")

    assert answer.status_code == 400
    assert "within the last hour" in answer.text


def test_a_mistake_in_the_form_is_told_there_and_what_was_written_stays(page: Page) -> None:
    answer = page.begin(organization="acme", public_url="http://localhost")

    assert answer.status_code == 400
    assert "can&#39;t reach localhost" in answer.text
    assert 'value="acme"' in answer.text
    assert page.client.get("/setup").status_code == 200  # the browser is known now


def test_forms_may_go_to_github_and_nowhere_else(page: Page) -> None:
    asked = page.client.get(f"/setup?token={page.door.token}").headers
    handover = page.begin(public_url=PUBLIC).headers

    assert "form-action 'self';" in asked["Content-Security-Policy"]
    assert "form-action 'self' https://github.com;" in handover["Content-Security-Policy"]
    assert "SameSite=Lax" in handover["Set-Cookie"]
    assert "HttpOnly" in handover["Set-Cookie"]


@pytest.mark.parametrize(
    ("proto", "address"),
    [("https", "https://bot.example.com"), ("", "http://bot.example.com")],
)
def test_github_comes_back_to_where_the_browser_is(page: Page, proto: str, address: str) -> None:
    told = {"Host": "bot.example.com", **({"X-Forwarded-Proto": proto} if proto else {})}

    answer = page.client.post(
        "/setup", data={"token": page.door.token, "public_url": PUBLIC}, headers=told
    )

    assert f"{address}/setup/created" in answer.text
    assert ("Secure" in answer.headers["Set-Cookie"]) is (proto == "https")


def test_whoever_is_no_proxy_is_not_believed(page: Page) -> None:
    answer = page.client.post(
        "/setup",
        data={"token": page.door.token, "public_url": PUBLIC},
        headers={"Host": "bot.example.com", "X-Forwarded-Proto": "https"},
        environ_base={"REMOTE_ADDR": "203.0.113.7"},
    )

    assert "http://bot.example.com/setup/created" in answer.text


def test_a_service_that_polls_does_not_ask_for_an_address(tmp_path: Path) -> None:
    page = Page(tmp_path, Form(poll=True, only_poll=True))

    asked = page.client.get(f"/setup?token={page.door.token}").text
    handover = page.begin(public_url=PUBLIC).text

    assert "public_url" not in asked
    assert "read from GitHub's log" in handover


def test_a_service_that_listens_to_others_cannot_poll(tmp_path: Path) -> None:
    page = Page(tmp_path, Form(can_poll=False))

    asked = page.client.get(f"/setup?token={page.door.token}").text
    refused = page.begin(delivery="poll")

    assert 'value="poll"' not in asked
    assert "REVIEWBOT_BIND" in asked
    assert refused.status_code == 400


@pytest.fixture
def shown(page: Page, browser: Browser) -> Iterator[Callable[[str, int, bool], Browser]]:
    with answering(page.app, "127.0.0.1:0") as address:

        def show(path: str, width: int, dark: bool) -> Browser:
            browser.open(f"{address}{path}", width=width, dark=dark)
            return browser

        yield show


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [1200, 400])
def test_pages_fit_and_ask_nobody_else(
    page: Page, shown: Callable[[str, int, bool], Browser], width: int, *, dark: bool
) -> None:
    seen = shown(f"/setup?token={page.door.token}", width, dark)

    unlabelled = "[...document.querySelectorAll('input:not([type=hidden])')].filter(f => !f.labels.length).length"
    assert seen.ask("document.documentElement.scrollWidth <= innerWidth")
    assert seen.ask(unlabelled) == 0
    assert seen.ask("document.querySelectorAll('script').length") == 0
    assert len([url for url in seen.requests if "favicon" not in url]) == 1
    assert shown("/setup", width, dark).text.startswith("Not set up")
