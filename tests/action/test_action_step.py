"""The step as `action.yml` has it, against a simulated GitHub and model servers."""

import json
import sys
from collections.abc import Callable
from io import StringIO
from pathlib import Path

import pytest
from action.conftest import BOT, STATE_KEY, Job, Ran

from reviewbot.action.step import run_step

Says = Callable[..., str]
RISKY = {
    "path": "shop/auth/login.py",
    "line": 9,
    "quote": "    if user.digest == digest(password):",
    "title": "Digests are compared in variable time",
    "category": "security",
}


def test_a_reviewed_pull_request_has_findings_summary_and_outputs(job: Job, says: Says) -> None:
    pull = job.pull("plain")
    job.local.answering = lambda asked: says({})

    ran = job.run(job.event(pull))

    assert ran.code == 0, ran.log
    [review], [summary], [comment] = pull.reviews, pull.comments, pull.threads
    assert {review.author, summary.author} == {BOT}
    assert (comment.path, comment.line) == ("shop/pages.py", 2)
    assert not job.repository.checks, "the job is its own check"
    assert ran.outputs["tier"] == "local"
    assert ran.outputs["findings"] == "1"
    assert float(ran.outputs["cost-usd"]) > 0
    sarif = json.loads(Path(ran.outputs["sarif-file"]).read_text("utf-8"))
    assert sarif["runs"][0]["results"][0]["level"] == "error"
    for part in ("The last page is lost", "Why it went where it went", "### Coverage", "### Cost"):
        assert part in ran.summary
    assert "::error file=" not in ran.log, "it stands on its line already"
    assert not job.claude.asked


def test_the_step_is_a_process_of_its_own(job: Job, says: Says) -> None:
    """Other tests run copies of one that has loaded everything: this one loads it itself."""
    job.installed = Path(sys.executable).parents[1]
    pull = job.pull("risky")
    job.claude.answering = lambda asked: says(RISKY)

    ran = job.run(job.event(pull))

    assert ran.code == 0, ran.log
    assert (ran.outputs["tier"], ran.outputs["findings"]) == ("claude", "1")
    assert len(pull.reviews) == len(pull.threads) == len(pull.comments) == 1


def test_a_risky_change_goes_to_claude_and_says_why(job: Job, says: Says) -> None:
    pull = job.pull("risky")
    job.claude.answering = lambda asked: says(RISKY)

    ran = job.run(job.event(pull))

    assert ran.code == 0, ran.log
    assert (ran.outputs["tier"], ran.outputs["areas"]) == ("claude", "auth")
    assert "Compares secrets" in ran.summary or "auth" in ran.summary
    assert not job.local.asked


def test_nothing_of_the_pull_request_is_checked_out(job: Job, says: Says) -> None:
    """Only the API is asked; the working folder stays as it was."""
    pull = job.pull("plain")

    ran = job.run(job.event(pull))

    assert ran.code == 0
    left = {path.name for path in (job.folder / "run1" / "temp").iterdir()}
    assert left == {"reviewbot", "reviewbot-data", "step.sh", "reviewbot-1.sarif"}


def test_keys_are_masked_and_never_shown(job: Job, says: Says) -> None:
    pull = job.pull("risky")
    job.claude.answering = lambda asked: says(RISKY | {"body": f"Never print {job.claude.key}."})

    ran = job.run(job.event(pull))

    secrets = {job.claude.key, job.local.key, STATE_KEY}
    assert secrets <= set(ran.masked)
    for secret in secrets:
        assert secret not in ran.log + ran.summary


class TestHowMuchIsPosted:
    def test_the_summary_alone(self, job: Job, says: Says) -> None:
        pull = job.pull("plain")
        job.local.answering = lambda asked: says({})

        ran = job.run(job.event(pull), post="summary")

        assert ran.code == 0, ran.log
        assert (len(pull.comments), len(pull.reviews), len(pull.threads)) == (1, 0, 0)
        assert "The last page is lost" in pull.comments[0].body
        assert "::error file=shop/pages.py,line=2,endLine=2,title=high%3A " in ran.log

    def test_nothing(self, job: Job, says: Says) -> None:
        pull = job.pull("plain")
        job.local.answering = lambda asked: says({})

        ran = job.run(job.event(pull), post="none")

        assert ran.code == 0, ran.log
        assert not pull.comments
        assert "The last page is lost" in ran.summary
        assert "::error file=shop/pages.py" in ran.log

    def test_what_a_model_says_gives_the_runner_no_orders(self, job: Job, says: Says) -> None:
        pull = job.pull("plain")
        attack = "x\n::set-env name=A::b\n::error::no"
        job.local.answering = lambda asked: says({"title": attack, "body": attack})

        ran = job.run(job.event(pull), post="none")

        orders = [line for line in ran.log.splitlines() if line.startswith("::")]
        assert orders
        assert all(line.startswith("::error file=shop/pages.py,") for line in orders)


class TestTheGate:
    def test_the_policy_has_the_step_fail(self, job: Job, says: Says) -> None:
        job.repository.content.commit(
            "main", {".github/reviewbot.yml": "publish: {fail_on: high}\n"}
        )
        job.local.answering = lambda asked: says({})

        ran = job.run(job.event(job.pull("plain")))

        assert ran.code == 1
        assert "::error title=reviewbot::a finding is high (fail-on high)" in ran.log
        assert job.run(job.event(job.pull("plain")), fail_on="never").code == 0
        assert job.run(job.event(job.pull("plain")), fail_on="critical").code == 0

    def test_the_input_has_it_fail(self, job: Job, says: Says) -> None:
        job.local.answering = lambda asked: says({"severity": "medium"})

        assert job.run(job.event(job.pull("plain")), fail_on="medium").code == 1
        assert job.run(job.event(job.pull("plain")), fail_on="high").code == 0

    def test_what_nobody_read_does_not_pass_it(self, job: Job) -> None:
        ran = job.run(job.event(job.pull("risky")), fail_on="high", anthropic_api_key="")

        assert ran.code == 1
        assert "not all was read that should have been" in ran.log

    def test_without_a_local_model_analysers_are_enough_for_the_rest(self, job: Job) -> None:
        ran = job.run(job.event(job.pull("plain")), fail_on="high", local_url="")

        assert ran.code == 0, ran.log
        assert "NO MODEL READ" in ran.summary


class TestNothingToDo:
    """The step ends well and says why in one line, and nothing is asked."""

    def check(self, job: Job, ran: Ran, *words: str) -> None:
        assert ran.code == 0, ran.log
        assert "::notice title=reviewbot::" in ran.log
        for word in words:
            assert word in ran.log
            assert word.replace("_", "") in ran.summary.replace("\\", "").replace("_", "")
        assert not job.claude.asked
        assert not job.local.asked

    def test_a_fork_has_no_secrets(self, job: Job) -> None:
        pull = job.pull("risky", head_repository="eve/shop", author="eve")
        job.inputs, job.permissions = {}, {"contents": "read", "pull_requests": "read"}

        ran = job.run(job.event(pull))

        self.check(job, ran, "no secrets to runs for a fork", "workflow_dispatch", "pull-request 1")
        assert not pull.comments

    def test_a_fork_that_is_gone_is_one_all_the_same(self, job: Job) -> None:
        event = job.event(job.pull("risky"))
        event["pull_request"]["head"]["repo"] = None
        job.inputs = {}

        self.check(job, job.run(event), "no secrets")

    def test_dependabot_has_none_either(self, job: Job) -> None:
        job.inputs = {}

        ran = job.run(job.event(job.pull("plain")), actor="dependabot[bot]")

        self.check(job, ran, "no secrets to Dependabot")

    def test_other_events(self, job: Job) -> None:
        self.check(job, job.run({"ref": "refs/heads/main"}, name="push"), "the event is push")

    def test_a_closed_pull_request(self, job: Job) -> None:
        pull = job.pull("plain")
        job.repository.close(pull)

        self.check(job, job.run(job.event(pull, "closed")), "the pull request is closed")

    def test_one_that_was_closed_meanwhile(self, job: Job) -> None:
        pull = job.pull("plain")
        event = job.event(pull)
        job.repository.close(pull)

        self.check(job, job.run(event), "the pull request is closed")


def test_a_draft_is_routed_only(job: Job) -> None:
    pull = job.pull("risky", draft=True)

    ran = job.run(job.event(pull))

    assert ran.code == 0, ran.log
    assert "a draft: it is reviewed when it is ready" in ran.log
    assert (ran.outputs["tier"], ran.outputs["findings"]) == ("claude", "0")
    assert not pull.comments
    assert not job.claude.asked


def test_a_fork_with_a_model_that_needs_no_secret_is_reviewed_in_the_job_summary(
    job: Job, says: Says
) -> None:
    pull = job.pull("plain", head_repository="eve/shop", author="eve")
    job.permissions = {"contents": "read", "pull_requests": "read"}
    job.inputs = {"local-url": job.inputs["local-url"], "local-api-key": job.local.key}
    job.local.answering = lambda asked: says({})

    ran = job.run(job.event(pull))

    assert ran.code == 0, ran.log
    assert "may only read" in ran.log
    assert "The last page is lost" in ran.summary
    assert "::error file=shop/pages.py" in ran.log
    assert not pull.comments


class TestByHand:
    def test_a_forks_pull_request_is_reviewed_by_its_number(self, job: Job, says: Says) -> None:
        pull = job.pull("plain", head_repository="eve/shop", author="eve", draft=True)
        job.local.answering = lambda asked: says({})

        ran = job.run({"inputs": {}}, name="workflow_dispatch", pull_request=str(pull.number))

        assert ran.code == 0, ran.log
        assert len(pull.threads) == 1

    @pytest.mark.parametrize("number", ["", "seven", "-1", "1; rm -rf /", "99999999999"])
    def test_it_needs_a_number(self, job: Job, number: str) -> None:
        ran = job.run({"inputs": {}}, name="workflow_dispatch", pull_request=number)

        assert ran.code == 2
        assert "workflow_dispatch needs the input `pull-request`" in ran.log

    def test_the_same_head_is_reviewed_again(self, job: Job, says: Says) -> None:
        pull = job.pull("plain")
        job.run(job.event(pull))

        ran = job.run({}, name="workflow_dispatch", pull_request=str(pull.number))

        assert ran.code == 0, ran.log
        assert len(job.local.asked) == 2


class TestErrors:
    """One clear line in the log and in the job summary; no trace, no secret."""

    def check(self, job: Job, ran: Ran, code: int, *words: str) -> None:
        assert ran.code == code, ran.log
        for word in words:
            assert word in ran.log
        assert "Traceback" not in ran.log
        assert "no review" in ran.summary

    @pytest.mark.parametrize("on_error", ["fail", "pass"])
    def test_pull_request_target_is_refused(self, job: Job, on_error: str) -> None:
        ran = job.run(job.event(job.pull("plain")), name="pull_request_target", on_error=on_error)

        self.check(job, ran, 2, "pull_request_target runs with this repository's secrets")
        assert not job.github.requests

    @pytest.mark.parametrize(
        "event",
        ["", "{", "[1]", "{}", '{"pull_request": 1}', '{"pull_request": {"state": "open"}}'],
    )
    def test_an_event_that_makes_no_sense(self, job: Job, event: str) -> None:
        self.check(job, job.run(event), 2, "GITHUB_EVENT_PATH")

    def test_outside_of_a_workflow(self, job: Job) -> None:
        job.environment["GITHUB_EVENT_PATH"] = ""

        self.check(job, job.run({}), 2, "is for a step of a GitHub workflow")

    def test_a_wrong_key(self, job: Job) -> None:
        ran = job.run(job.event(job.pull("risky")), anthropic_api_key="sk-ant-wrong-key")

        assert ran.code == 2
        assert "::error title=reviewbot::claude: " in ran.log
        assert "Traceback" not in ran.log
        assert "sk-ant-wrong-key" not in ran.log + ran.summary

    def test_a_wrong_key_may_pass(self, job: Job) -> None:
        pull = job.pull("risky")

        ran = job.run(job.event(pull), anthropic_api_key="sk-ant-wrong-key", on_error="pass")

        assert ran.code == 0
        assert "::warning title=reviewbot::claude: " in ran.log
        assert not pull.comments
        assert "no review" in ran.summary

    def test_a_token_without_write_permission(self, job: Job, says: Says) -> None:
        job.permissions = {"contents": "read", "pull_requests": "read"}
        job.local.answering = lambda asked: says({})

        ran = job.run(job.event(job.pull("plain")))

        assert ran.code == 2
        assert "(403)" in ran.log
        assert "give the job `permissions: pull-requests: write`" in ran.log
        assert "The last page is lost" in ran.summary, "it was paid for"
        assert "Traceback" not in ran.log

    def test_a_token_that_is_over(self, job: Job) -> None:
        ran = job.run(job.event(job.pull("plain")), github_token="ghs_old")

        self.check(job, ran, 2, "GitHub refuses the token (401)")

    def test_wrong_inputs_and_settings(self, job: Job) -> None:
        event = job.event(job.pull("plain"))

        self.check(job, job.run(event, post="all"), 2, "`post` is one of: review, summary, none")
        self.check(job, job.run(event, fail_on="bad"), 2, "`fail-on` is one of: never, critical")
        job.environment["REVIEWBOT_CLAUDE_MODLE"] = "x"
        self.check(job, job.run(event), 2, "did you mean REVIEWBOT_CLAUDE_MODEL?")


class Broken(dict[str, str]):
    """An environment that does what none does."""

    def get(self, name: str, default: str = "") -> str:  # type: ignore[override]
        if name == "GITHUB_RUN_ID":
            raise RuntimeError("sk-ant-secret")
        return super().get(name, default)


def test_a_bug_is_one_line_without_what_it_worked_on(tmp_path: Path) -> None:
    log = StringIO()
    event = tmp_path / "event.json"
    event.write_text("{}")
    named = {"GITHUB_EVENT_NAME": "workflow_dispatch", "GITHUB_EVENT_PATH": str(event)}

    code = run_step(Broken(named, INPUT_PULL_REQUEST="7"), log)

    [line] = log.getvalue().splitlines()
    assert code == 3
    assert line.startswith("::error title=reviewbot::an error inside reviewbot ")
    assert "(RuntimeError at test_action_step.py:" in line
    assert "sk-ant-secret" not in line
