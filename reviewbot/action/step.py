"""One step of a job: read the event, review its pull request, say what came of it."""

import sys
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import TextIO

from reviewbot import __version__
from reviewbot.action.event import MAX_EVENT, Nothing, Target, read_event
from reviewbot.action.inputs import on_error, read_inputs, secrets_of, step_settings
from reviewbot.action.reviewing import ERROR, StepReview
from reviewbot.action.runner import Runner
from reviewbot.config.settings import Settings
from reviewbot.errors import ReviewbotError, SourceError, UsageError
from reviewbot.github.client import connect
from reviewbot.github.pulls import PullAddress, parse_pr_url, read_pull
from reviewbot.publishing.markdown import safe_line

#: Exit code for a bug of ours.
BUG = 3


def run_step(environment: Mapping[str, str], log: TextIO) -> int:
    """Run the step and return its exit code. Never raises but to be interrupted: what goes wrong is
    one line in the log and in the job summary, without a trace that could hold a secret."""
    runner = Runner(environment, log, secrets_of(environment))
    runner.mask()
    try:
        return _run(environment, runner)
    except ReviewbotError as error:
        return _failed(environment, runner, str(error), ERROR)
    except Exception:  # noqa: BLE001 - the one place where a bug is reported
        return _failed(environment, runner, _bug(), BUG)


def _failed(environment: Mapping[str, str], runner: Runner, why: str, code: int) -> int:
    """`on-error: pass` lets a job pass that has no review; what must not run never passes."""
    try:
        passes = on_error(environment) == "pass"
    except UsageError:
        passes = False
    if environment.get("GITHUB_EVENT_NAME") == "pull_request_target":
        passes = False
    runner.tell("warning" if passes else "error", why)
    try:
        runner.summarize(f"## reviewbot: no review\n\n{safe_line(why)}")
    except UsageError as error:
        runner.say(str(error))
    return 0 if passes else code


def _bug() -> str:
    """Where it happened; what it says may hold what it worked on."""
    kind, _, trace = sys.exc_info()
    place = traceback.extract_tb(trace)[-1]
    where = f"{Path(place.filename).name}:{place.lineno}"
    name = kind.__name__ if kind else "error"
    return f"an error inside reviewbot {__version__} ({name} at {where}); please report this line"


def _run(environment: Mapping[str, str], runner: Runner) -> int:
    name = environment.get("GITHUB_EVENT_NAME", "")
    inputs = read_inputs(environment)
    event = read_event(name, _event_text(environment), environment, inputs.pull_request)
    if isinstance(event, Nothing):
        return _nothing(runner, event.why)
    settings = step_settings(environment)
    if event.without_secrets and not _has_model(settings):
        return _nothing(runner, _no_secrets(event))
    if not inputs.token:
        raise UsageError("the input `github-token` is empty: leave it out for the job's own token")
    address = _address(environment, settings, event)
    with connect(settings.github_api_url, inputs.token) as client:
        fetched = read_pull(client, *address)
        if fetched.closed:
            return _nothing(runner, "nothing to review: the pull request is closed")
        return StepReview(environment, runner, inputs, settings, event, address).review(
            client, fetched
        )


def _event_text(environment: Mapping[str, str]) -> bytes:
    path = environment.get("GITHUB_EVENT_PATH", "")
    try:
        with Path(path).open("rb") as file:
            text = file.read(MAX_EVENT + 1)
    except OSError as error:
        raise SourceError(
            f"GITHUB_EVENT_PATH: cannot read the event ({error.strerror}): `reviewbot action` is for"
            " a step of a GitHub workflow; elsewhere: reviewbot review --pr URL"
        ) from None
    if len(text) > MAX_EVENT:
        raise SourceError("GITHUB_EVENT_PATH: the event is larger than any of GitHub's")
    return text


def _address(environment: Mapping[str, str], settings: Settings, event: Target) -> PullAddress:
    server = environment.get("GITHUB_SERVER_URL", "https://github.com")
    repository = environment.get("GITHUB_REPOSITORY", "")
    return parse_pr_url(f"{server}/{repository}/pull/{event.number}", settings.github_api_url)


def _nothing(runner: Runner, why: str) -> int:
    """The step ends well without a review."""
    runner.tell("notice", why)
    runner.summarize(f"## reviewbot: not reviewed\n\n{safe_line(why)}")
    return 0


def _has_model(settings: Settings) -> bool:
    return bool(
        settings.anthropic_api_key or settings.local_url or settings.local_engine == "llama"
    )


def _no_secrets(event: Target) -> str:
    return (
        f"not reviewed: GitHub gives no secrets to {event.without_secrets}, so there is no model to"
        " ask. Somebody who may write can start this workflow by hand (workflow_dispatch) with the"
        f" input pull-request {event.number}: that reads the pull request through the API and runs"
        " nothing of it"
    )
