"""`reviewbot doctor` before a GitHub where one thing is wrong."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from doctoring import FrontDoor, Patient, app_settings, closed_port, front_door
from github_simulator.apps import App, Installation
from github_simulator.server import GitHubSimulator
from github_simulator.state import Limits
from pydantic import SecretStr

NEEDED = {
    "metadata": "read",
    "contents": "read",
    "pull_requests": "write",
    "checks": "write",
    "issues": "read",
}


@pytest.fixture
def door() -> Iterator[FrontDoor]:
    with front_door() as listener:
        yield listener


@pytest.fixture
def app(github: GitHubSimulator, door: FrontDoor) -> App:
    made = github.app("reviewbot")
    made.permissions, made.hook_url = dict(NEEDED), f"{door.url}/webhook"
    return made


@pytest.fixture
def installation(github: GitHubSimulator, app: App) -> Installation:
    return github.install(app, "acme")


@pytest.fixture
def patient(
    github: GitHubSimulator, app: App, installation: Installation, tmp_path: Path
) -> Patient:
    """One with whom all is well."""
    return Patient(app_settings(app, github.url, tmp_path / "data"))


def test_all_is_well(patient: Patient) -> None:
    seen = {check.name: (check.state, check.seen) for check in patient.seen("GitHub")}

    assert {name: state for name, (state, _) in seen.items()} == {
        "reachable": "ok",
        "clock": "ok",
        "key": "ok",
        "permissions": "ok",
        "events": "ok",
        "installations": "ok",
        "webhook": "ok",
        "address": "ok",
        "deliveries": "off",
        "rate limit": "ok",
    }
    assert seen["installations"][1] == "1: acme"
    assert seen["key"][1].startswith("reviewbot (id ")


def test_without_an_app_there_is_nothing_to_mend(tmp_path: Path) -> None:
    [check] = Patient({"data_dir": tmp_path, "local_engine": "none"}).seen("GitHub")

    assert (check.state, check.name) == ("off", "App")
    assert "reviewbot setup" in check.todo


def test_half_an_app_is_told(patient: Patient) -> None:
    patient.settings["github_private_key"] = None

    assert "GITHUB_PRIVATE_KEY_FILE is not set" in patient.wrong("GitHub")["App"]


def test_a_key_that_is_none(patient: Patient) -> None:
    patient.settings["github_private_key"] = SecretStr("no key")

    assert "not an RSA key" in patient.wrong("GitHub")["App"]


def test_github_is_away(patient: Patient) -> None:
    patient.settings["github_api_url"] = f"http://127.0.0.1:{closed_port()}"

    assert "no answer from GitHub" in patient.wrong("GitHub")["reachable"]


@pytest.mark.parametrize("minutes", [-20, 20])
def test_the_clock_is_wrong(github: GitHubSimulator, patient: Patient, minutes: int) -> None:
    github.ahead = timedelta(minutes=minutes)

    found = patient.wrong("GitHub")

    assert ("ahead" if minutes < 0 else "behind") in found["clock"]
    assert "refuses the signature" in found["key"]


def test_a_key_of_another_app(github: GitHubSimulator, patient: Patient) -> None:
    patient.settings["github_private_key"] = SecretStr(github.app("other").private_key)

    assert patient.wrong("GitHub") == {"key": "GitHub refuses the signature"}


def test_an_id_of_no_app(patient: Patient) -> None:
    patient.settings["github_app_id"] = 99

    assert patient.wrong("GitHub") == {"key": "no App has the id 99"}


def test_github_fails(github: GitHubSimulator, patient: Patient) -> None:
    github.fail("GET /app", 502)

    assert "GitHub failed (502)" in patient.wrong("GitHub")["key"]


def test_what_fails_later_hides_nothing_before(github: GitHubSimulator, patient: Patient) -> None:
    github.fail("GET /app/installations", 502)

    seen = {check.name: check.state for check in patient.seen("GitHub")}

    assert (seen["key"], seen["permissions"], seen["check"]) == ("ok", "ok", "wrong")


def test_permissions_and_events_by_name(app: App, patient: Patient) -> None:
    app.permissions = {**NEEDED, "checks": "read", "administration": "write"}
    app.events = ["pull_request", "push"]

    seen = [check.seen for check in patient.seen("GitHub") if check.state == "wrong"]

    assert "missing: checks: write" in seen
    assert "more than needed: administration: write" in seen
    assert (
        "missing: issue_comment, pull_request_review_comment, pull_request_review_thread, check_run"
        in seen
    )


def test_the_monthly_issue_needs_more(patient: Patient) -> None:
    patient.settings["report_repository"] = "acme/office"

    assert patient.wrong("GitHub")["permissions"] == "missing: issues: write"


def test_nowhere_installed(installation: Installation, patient: Patient) -> None:
    installation.deleted = True

    assert patient.wrong("GitHub") == {"installations": "none: no repository is reviewed"}


def test_a_suspended_installation(installation: Installation, patient: Patient) -> None:
    installation.suspended = True

    assert patient.wrong("GitHub") == {"suspended": "acme"}


def test_an_account_that_has_not_accepted(installation: Installation, patient: Patient) -> None:
    installation.permissions = {"metadata": "read", "contents": "read", "pull_requests": "read"}

    told = patient.wrong("GitHub")["accepted"]

    assert told == "acme has not accepted pull_requests: write, checks: write, issues: read"


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("hook_url", "", "no address"),
        ("hook_url", "http://127.0.0.1:1/hooks", "it goes to http://127.0.0.1:1/hooks"),
        ("hook_type", "form", "it sends forms"),
        ("webhook_secret", "", "no secret"),
        ("hook_insecure", "1", "does not check our certificate"),
    ],
)
def test_the_webhook_is_wrong(
    app: App, patient: Patient, field: str, value: str, said: str
) -> None:
    patient.settings["webhook_secret"] = SecretStr("as it was")
    setattr(app, field, value)

    assert said in patient.wrong("GitHub")["webhook"]


def test_our_address_does_not_answer(app: App, door: FrontDoor, patient: Patient) -> None:
    door.status = 502
    broken = patient.wrong("GitHub")
    app.hook_url = f"http://127.0.0.1:{closed_port()}/webhook"
    away = patient.wrong("GitHub")

    assert broken == {"address": f"{door.url}/healthz answers 502"}
    assert "can't be reached from here" in away["address"]


def test_an_address_that_only_github_reaches_is_no_mistake(
    github: GitHubSimulator, app: App, door: FrontDoor, patient: Patient
) -> None:
    door.posts = 202
    github.deliver(app.hook_url, "ping", github.payloads.ping())
    door.status = 502

    assert patient.wrong("GitHub") == {}
    assert "but GitHub's deliveries arrive" in patient.one("GitHub", "address").seen


def test_deliveries_fail(github: GitHubSimulator, app: App, patient: Patient) -> None:
    nowhere = f"http://127.0.0.1:{closed_port()}/webhook"
    for _ in range(2):
        github.deliver(nowhere, "ping", github.payloads.ping())

    assert "2 of the last 2 failed" in patient.wrong("GitHub")["deliveries"]


def test_deliveries_that_fail_are_right_where_the_log_is_read(
    github: GitHubSimulator, app: App, patient: Patient
) -> None:
    github.deliver(f"http://127.0.0.1:{closed_port()}/webhook", "ping", github.payloads.ping())
    app.hook_url = "https://example.com/nobody"
    patient.settings["delivery"] = "poll"

    assert patient.wrong("GitHub") == {}
    assert patient.one("GitHub", "deliveries").seen.startswith("1 in the log")


def test_few_requests_are_left(github: GitHubSimulator, patient: Patient) -> None:
    github.limits = Limits(requests_an_hour=150)

    assert "requests are left" in patient.wrong("GitHub")["rate limit"]


def test_no_requests_are_left(github: GitHubSimulator, patient: Patient) -> None:
    github.limits = Limits(requests_an_hour=0)

    assert "rate limit" in patient.wrong("GitHub")["key"]
