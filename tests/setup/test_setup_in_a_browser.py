"""`reviewbot setup` with a real browser before it and a GitHub behind it. Skipped where no Chromium
is."""

import json
import stat
from collections.abc import Callable
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from browser import Browser
from github_simulator.apps import App
from github_simulator.server import GitHubSimulator
from setting_up import PUBLIC, SetUp

from reviewbot import wiring
from reviewbot.config.settings import load_settings

Start = Callable[..., SetUp]
NEEDED = {
    "metadata": "read",
    "contents": "read",
    "pull_requests": "write",
    "checks": "write",
    "issues": "read",
}


def handed_over(browser: Browser, link: str, **fields: str) -> None:
    """Through our page to GitHub's."""
    browser.open(link, width=1000)
    for name, value in fields.items():
        browser.fill(name, value)
    browser.click("button")
    assert "Go to GitHub" in browser.text, browser.text
    browser.click("button")


def the_app(github: GitHubSimulator) -> App:
    [made] = github.apps.registered
    return made


@pytest.mark.parametrize("organization", ["", "acme"], ids=["person", "organisation"])
def test_one_click_at_github_makes_an_app_whose_key_is_kept(
    browser: Browser, simulator: GitHubSimulator, set_up: Start, organization: str
) -> None:
    owner = ("--org", organization) if organization else ()
    # an Enterprise Server is named as people know it, by its pages
    server = ("--github-url", f"http://{simulator.host}") if simulator.prefix else ()
    known = {"GITHUB_API_URL": ""} if simulator.prefix else {}
    options = ("--public-url", PUBLIC, "--name", "Acme reviews", *owner, *server)
    running = set_up(simulator, *options, **known)

    handed_over(browser, running.link())
    asked = browser.text
    browser.click("#create")

    assert f"Create GitHub App for {organization or 'ada'}" in asked
    assert "acme-reviews is made" in browser.text
    assert running.ended() == 0, running.said
    app = the_app(simulator)
    assert (app.permissions, app.owner) == (NEEDED, organization or "ada")
    assert app.hook_url == f"{PUBLIC}/webhook"
    settings = load_settings({"REVIEWBOT_DATA_DIR": str(running.data)})
    assert (settings.github_app_id, settings.github_api_url) == (app.id, simulator.url)
    assert settings.webhook_secret
    assert settings.marker_key
    assert settings.webhook_secret.get_secret_value() == app.webhook_secret
    assert wiring.github_app(settings).login == "acme-reviews[bot]"
    assert f"{simulator.url}/apps/acme-reviews/installations/new" in running.said


def test_key_and_secrets_are_for_us_alone_and_never_shown(
    browser: Browser, github: GitHubSimulator, set_up: Start
) -> None:
    running = set_up(github, "--public-url", PUBLIC, "--name", "reviews")

    handed_over(browser, running.link())
    browser.click("#create")
    shown = browser.ask("document.documentElement.outerHTML")
    running.ended()

    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in running.folder.iterdir()}
    assert modes == dict.fromkeys(
        ("app.json", "private-key.pem", "webhook-secret", "marker-key"), 0o600
    )
    assert stat.S_IMODE(running.folder.stat().st_mode) == 0o700
    app = the_app(github)
    secrets = [app.webhook_secret, app.private_key.splitlines()[1]]
    assert (running.folder / "private-key.pem").read_text() == app.private_key
    for text in (running.said, shown, (running.folder / "app.json").read_text()):
        assert not [secret for secret in secrets if secret in text]


def test_a_secret_that_github_did_not_make_is_ours(
    browser: Browser, github: GitHubSimulator, set_up: Start
) -> None:
    github.manifests.gives_secret = False
    running = set_up(github, "--public-url", PUBLIC, "--name", "reviews")

    handed_over(browser, running.link())
    browser.click("#create")

    assert running.ended() == 0, running.said
    kept = (running.folder / "webhook-secret").read_text().strip()
    assert (the_app(github).webhook_secret, len(kept)) == (kept, 64)


def test_poll_mode_needs_no_address_and_is_remembered(
    browser: Browser, github: GitHubSimulator, set_up: Start
) -> None:
    running = set_up(github, "--poll", "--name", "reviews", "--monthly-issue")

    handed_over(browser, running.link())
    browser.click("#create")

    assert running.ended() == 0, running.said
    app = the_app(github)
    assert app.hook_url == "https://example.com/nobody"  # GitHub logs only what it tried to send
    assert app.permissions == {**NEEDED, "issues": "write"}
    assert load_settings({"REVIEWBOT_DATA_DIR": str(running.data)}).delivery == "poll"


def test_permissions_that_were_changed_before_creating_are_named(
    browser: Browser, github: GitHubSimulator, set_up: Start
) -> None:
    running = set_up(github, "--public-url", PUBLIC, "--name", "reviews", "--org", "acme")

    handed_over(browser, running.link())
    browser.fill("permission.checks", "none")
    browser.fill("permission.administration", "write")
    browser.click("#create")

    assert running.ended() == 1
    page = f"http://{github.host}/organizations/acme/settings/apps/reviews/permissions"
    assert f"permissions are missing: checks: write. Change them at {page}" in running.said
    assert "more than needed: administration: write" in running.said
    assert "permissions are missing: checks: write" in browser.text
    assert (running.folder / "private-key.pem").exists()  # GitHub shows it once only


def test_whoever_cancels_has_made_nothing_and_can_begin_again(
    browser: Browser, github: GitHubSimulator, set_up: Start
) -> None:
    running = set_up(github, "--public-url", PUBLIC, "--name", "reviews")
    link = running.link()

    handed_over(browser, link)
    browser.click("#cancel")
    nothing = (github.apps.registered[:], running.folder.exists(), running.process.poll())
    handed_over(browser, link.split("?")[0])  # the link is used up, the browser is known
    browser.click("#create")

    assert nothing == ([], False, None)
    assert running.ended() == 0, running.said
    assert the_app(github).slug == "reviews"


def test_an_answer_with_another_state_is_refused(
    browser: Browser, github: GitHubSimulator, set_up: Start
) -> None:
    running = set_up(github, "--public-url", PUBLIC, "--name", "reviews")
    link = running.link()
    back = f"{link.split('?')[0]}/created"

    handed_over(browser, link)
    forged = requests.get(back, {"code": "a" * 40, "state": "guessed"}, timeout=20)
    nothing = requests.get(back, {"code": "a" * 40}, timeout=20)
    browser.click("#create")

    assert forged.status_code == nothing.status_code == 400
    assert "belongs to no attempt" in forged.text
    assert len([one for one in github.requests if "app-manifests" in one.path]) == 1
    assert running.ended() == 0, running.said


@pytest.mark.parametrize("fate", ["used", "old"])
def test_a_code_that_is_not_good_any_more_is_told(
    browser: Browser, github: GitHubSimulator, set_up: Start, fate: str
) -> None:
    running = set_up(github, "--public-url", PUBLIC, "--name", "reviews")
    handed_over(browser, running.link())
    [page] = github.manifests.pages
    create = f"http://{github.host}/settings/apps/create-from-manifest"
    form = {"page": page, "name": "reviews"}
    back = requests.post(create, form, timeout=20, allow_redirects=False).headers["Location"]
    [code] = github.manifests.codes
    if fate == "used":
        requests.post(f"{github.url}/app-manifests/{code}/conversions", timeout=20)
    github.ahead = timedelta(hours=2 if fate == "old" else 0)

    browser.open(back, width=1000)

    assert "used before, or is older than an hour" in browser.text
    assert not running.folder.exists()
    assert running.process.poll() is None


def test_the_link_works_once_and_for_one_browser(
    browser: Browser, github: GitHubSimulator, set_up: Start
) -> None:
    running = set_up(github, "--public-url", PUBLIC, "--name", "reviews")
    link = running.link()
    [token] = parse_qs(urlsplit(link).query)["token"]
    page = link.split("?")[0]

    handed_over(browser, link)

    assert requests.get(link, timeout=20).status_code == 401
    assert requests.post(page, {"token": token}, timeout=20).status_code == 401
    assert requests.get(page, timeout=20).status_code == 401
    browser.click("#create")
    assert running.ended() == 0


def test_github_refuses_what_it_would_refuse(github: GitHubSimulator) -> None:
    """The simulator itself: as strict as GitHub."""
    manifest = {
        "name": "x" * 35,
        "hook_attributes": {"active": False, "secret": "s"},
        "default_permissions": {"contents": "read"},
        "default_events": ["installation", "issue_comment"],
        "colour": "blue",
    }

    answer = requests.post(
        f"http://{github.host}/settings/apps/new", {"manifest": json.dumps(manifest)}, timeout=20
    )

    assert answer.status_code == 422
    assert github.manifests.refused == [
        '"colour" is not a permitted key.',
        "'url' wasn't supplied.",
        '"secret" is not a permitted key.',
        "Name is too long (maximum is 34 characters)",
        "Default events unsupported: installation",
        "Default events are not supported by permissions: installation and issue_comment",
    ]
