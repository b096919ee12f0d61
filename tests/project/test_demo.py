"""`make demo` from end to end, with no model: everything that is not real says so."""

import json
import os
import re
import signal
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests

ASKED_TO_WAIT = "It all stays up until you press ^C."


@dataclass
class Shown:
    """A demonstration that was looked at, and then ended by ^C."""

    folder: Path
    output: str
    code: int
    errors: str
    review_page: str
    """Of the service, after signing in by the printed link."""
    pull_page: str
    """Of the simulated GitHub."""
    second: subprocess.CompletedProcess[str]
    """Another one that was started meanwhile."""

    def results(self) -> list[dict[str, object]]:
        return [json.loads(path.read_text("utf-8")) for path in sorted(self.folder.glob("*.json"))]


def environment(**more: str) -> dict[str, str]:
    """A key in the environment must not be used."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("REVIEWBOT_", "DEMO_"))}
    return {
        **clean,
        "COLUMNS": "100",
        "DEMO_SCRIPTED": "1",
        "ANTHROPIC_API_KEY": "sk-ant-a-real-one",
        **more,
    }


@pytest.fixture(scope="module")
def shown(examples: Path, tmp_path_factory: pytest.TempPathFactory) -> Shown:
    folder = tmp_path_factory.mktemp("demo")
    command = [sys.executable, str(examples / "demo.py")]
    errors = folder / "errors"
    with (
        errors.open("wb") as file,
        subprocess.Popen(
            command, cwd=folder, env=environment(), stdout=subprocess.PIPE, stderr=file, text=True
        ) as process,
    ):
        watch = threading.Timer(150, process.kill)
        watch.start()
        try:
            assert process.stdout
            lines = []
            for line in process.stdout:
                lines.append(line)
                if line.startswith(ASKED_TO_WAIT):
                    break
            output = "".join(lines)
            assert ASKED_TO_WAIT in output, output + errors.read_text()
            review, pull = _visit(output)
            again = environment(DEMO_EXIT="1")
            second = subprocess.run(
                command, cwd=folder, env=again, capture_output=True, text=True, check=False
            )
            process.send_signal(signal.SIGINT)
            output += process.stdout.read()
            code = process.wait()
        finally:
            watch.cancel()
            process.terminate()
    return Shown(folder / ".demo", output, code, errors.read_text(), review, pull, second)


def _visit(output: str) -> tuple[str, str]:
    """A review's page of the service, and a pull request's of the simulated GitHub."""
    login = re.search(r"(http://\S+)/login\?token=(\S+)", output)
    review = re.search(r"^page +(\S+)$", output, re.MULTILINE)
    pull = re.search(r"(http://\S+/pull/1) ", output)
    assert login
    assert review
    assert pull
    with requests.Session() as browser:
        browser.trust_env = False
        browser.post(f"{login[1]}/login", data={"token": login[2]}, timeout=20).raise_for_status()
        return browser.get(review[1], timeout=20).text, browser.get(pull[1], timeout=20).text


def test_it_says_what_is_scripted_at_the_top_and_at_the_sums(shown: Shown) -> None:
    banner, _, reviews = shown.output.partition("#1 of 5")
    table = reviews.rpartition("/reviewbot why")[2]

    assert "GitHub:      SIMULATED" in banner
    assert "Claude:      SCRIPTED" in banner
    assert "Local model: SCRIPTED" in banner
    assert "What it would cost (SCRIPTED: no real money)" in table
    assert "reviewbot review --repo PATH" in table


def test_every_review_is_whole_and_marked(shown: Shown) -> None:
    results = shown.results()

    assert [one["route"]["tier"] for one in results] == ["claude"] * 3 + ["local"] * 2
    assert all(one["complete"] and one["scripted"] for one in results)
    by_model = [[each for each in one["findings"] if each["scripted"]] for one in results]
    assert [len(found) for found in by_model] == [2, 2, 2, 2, 0]
    assert all(each["anchored"] for found in by_model for each in found)


def test_each_pull_request_shows_delivery_route_comments_check_and_cost(shown: Shown) -> None:
    parts = re.split(r"^#\d of 5: ", shown.output.partition("/reviewbot why")[0], flags=re.M)[1:]

    assert len(parts) == 5
    for part, result in zip(parts, shown.results(), strict=True):
        labels = ["webhook", "job rv:", "route", "review", "check     success", "cost"]
        places = [part.index(label) for label in labels]
        assert places == sorted(places)
        assert part.count("SCRIPTED") == len(result["findings"]) + 2, "each remark, review, cost"
        for finding in result["findings"]:
            assert f"  {finding['path']}:{finding['line']}  {finding['severity']} · " in part
            assert finding["title"] in part
    assert "+     start = (number - 1) * PAGE_SIZE" in parts[3]


def test_a_person_is_answered_why(shown: Shown) -> None:
    answer = shown.output.partition("robin comments /reviewbot why")[2]

    assert "reviewbot 👀 🚀" in answer
    assert re.search(r"auth +shop/accounts/views\.py:\d+ +Changes how sessions are made", answer)


def test_the_pages_show_the_review(shown: Shown) -> None:
    whole = (shown.folder / "pull-requests.html").read_text("utf-8")

    for title in (result["change"]["title"] for result in shown.results()):
        assert title in whole
    for page in (whole, shown.pull_page):
        assert "SCRIPTED: what is marked so was written by hand" in page
        assert "Remember token still signs in after logout" in page
    assert "Let people stay signed in" in shown.review_page
    assert "SCRIPTED" in shown.review_page


def test_it_fits_a_hundred_columns(shown: Shown) -> None:
    assert [line for line in shown.output.split("\n") if len(line) > 100] == []


def test_an_interrupt_ends_it_quietly_with_its_service(shown: Shown) -> None:
    assert shown.code == 0
    assert shown.errors == ""
    assert shown.output.rstrip().endswith(ASKED_TO_WAIT)
    assert '"event": "stopping"' in (shown.folder / "service.log").read_text("utf-8")
    address = re.search(r"listens on (\S+)", shown.output)
    assert address
    with pytest.raises(requests.ConnectionError):
        requests.get(f"{address[1]}/healthz", timeout=5)


def test_a_second_one_does_not_take_the_folder_of_the_first(shown: Shown) -> None:
    assert shown.second.returncode == 1
    assert shown.second.stderr == "demo: another demonstration uses .demo: end it first (^C)\n"


def test_a_service_that_cannot_work_is_an_error_with_its_log(
    examples: Path, tmp_path: Path
) -> None:
    rules = tmp_path / "rules.yml"
    rules.write_text("area: [")

    run = subprocess.run(
        [sys.executable, str(examples / "demo.py")],
        cwd=tmp_path,
        env=environment(DEMO_EXIT="1", REVIEWBOT_RULES=str(rules)),
        capture_output=True,
        text=True,
        check=False,
    )

    assert run.returncode == 1, run.stdout + run.stderr
    assert "demo: the service ended by itself" in run.stderr
    assert "rules.yml" in run.stdout
    assert ".demo/service.log" in run.stderr
