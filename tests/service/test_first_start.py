"""The first start of `reviewbot serve`: the App is made on its page, then pull requests are
reviewed. Skipped where no Chromium is."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from browser import Browser, browsing
from serving import HURRIED_SERVE, OWNERS, Service, alive, surroundings


@pytest.fixture
def unconfigured(tmp_path: Path) -> Iterator[Service]:
    """A service that knows of no App, before a GitHub that knows of none of ours."""
    with surroundings(tmp_path) as made:
        made.github.apps.registered.clear()
        made.github.apps.installations.clear()
        names = ("WEBHOOK_SECRET", "GITHUB_APP_ID", "GITHUB_PRIVATE_KEY")
        made.more = {f"REVIEWBOT_{name}": "" for name in names}
        yield made


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[Browser]:
    with browsing(tmp_path) as running:
        yield running


def link_of(service: Service) -> str:
    service.until(lambda: "/setup?token=" in service.log(), "the link is printed")
    found = re.search(r"http://\S+/setup\?token=\S+", service.log())
    assert found
    return found[0]


def is_ready(service: Service) -> bool:
    try:
        return requests.get(f"{service.url}/readyz", timeout=5).ok
    except requests.RequestException:  # the one listener has ended, the next not begun
        return False


def test_from_nothing_to_a_reviewed_pull_request(unconfigured: Service, browser: Browser) -> None:
    service, github = unconfigured, unconfigured.github
    service.start(*HURRIED_SERVE)

    browser.open(link_of(service), width=1000)
    browser.fill("organization", "acme")
    browser.fill("public_url", "https://reviewbot.example.com")
    browser.click("button")
    browser.click("button")
    browser.click("#create")
    told = browser.text
    [app] = github.apps.registered
    github.install(app, "acme")
    service.until(lambda: is_ready(service), "it is ready")
    repository = service.repository(OWNERS[0])
    pull = service.opened(repository)
    service.reviewed(pull)

    assert "reviewbot-acme is made" in told
    assert pull.reviews[0].author == "reviewbot-acme[bot]"
    assert pull.threads[0].path == "shop/auth/login_1.py"


def test_until_there_is_an_app_nothing_but_its_page_answers(unconfigured: Service) -> None:
    service = unconfigured
    service.start(*HURRIED_SERVE)
    link_of(service)

    answers = {
        path: requests.get(f"{service.url}{path}", timeout=5).status_code
        for path in ("/setup", "/setup?token=x", "/", "/healthz", "/readyz", "/webhook")
    }

    assert answers == {
        "/setup": 401,
        "/setup?token=x": 401,
        "/": 404,
        "/healthz": 200,
        "/readyz": 503,
        "/webhook": 404,
    }


def test_it_stops_when_it_is_told_to_before_any_app_is_made(unconfigured: Service) -> None:
    process = unconfigured.start(*HURRIED_SERVE)
    link_of(unconfigured)

    process.terminate()

    assert process.wait(30) == 0
    assert not (unconfigured.folder / "data" / "app").exists()
    assert not alive(process.pid)


def test_with_an_app_there_is_no_such_page(unconfigured: Service) -> None:
    unconfigured.more = {}
    app = unconfigured.app
    unconfigured.github.apps.registered.append(app)
    unconfigured.start(*HURRIED_SERVE)
    unconfigured.listening()

    assert requests.get(f"{unconfigured.url}/setup", timeout=5).status_code == 404
    assert "/setup?token=" not in unconfigured.log()
