"""Events, inputs and the runner's files: pure parts against whatever may come."""

import json
from io import StringIO
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reviewbot.action.event import Nothing, Target, read_event
from reviewbot.action.inputs import secrets_of, step_settings
from reviewbot.action.runner import MAX_ANNOTATIONS, Runner
from reviewbot.errors import ReviewbotError
from reviewbot.publishing.check_run import Annotation

TEXTS = st.text(max_size=60)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=10,
)
KEYS = st.sampled_from(["state", "number", "head", "base", "repo", "id"])
PULLS = st.dictionaries(KEYS, JSON | st.just("open") | st.dictionaries(KEYS, JSON, max_size=3))


@given(
    st.binary(max_size=200) | st.builds(lambda p: json.dumps({"pull_request": p}).encode(), PULLS)
)
def test_any_event_is_a_target_nothing_or_one_clear_error(text: bytes) -> None:
    said = ""
    try:
        event = read_event("pull_request", text, {}, "")
    except ReviewbotError as error:
        event, said = Nothing(""), str(error)

    assert isinstance(event, Nothing) or event.number > 0
    assert not said or said.startswith("GITHUB_EVENT_PATH: ")


@given(name=TEXTS, number=TEXTS)
def test_any_other_event_is_nothing_or_refused(name: str, number: str) -> None:
    try:
        event = read_event(name, b"", {}, number)
    except ReviewbotError:
        assert name in ("pull_request", "pull_request_target", "workflow_dispatch")
    else:
        assert isinstance(event, Nothing | Target)
        assert isinstance(event, Nothing) == (name != "workflow_dispatch")


class TestTheLog:
    @given(st.text(max_size=300))
    def test_no_text_begins_a_line_of_its_own(self, text: str) -> None:
        log = StringIO()
        runner = Runner({}, log)

        runner.say(text)
        runner.tell("error", text)
        runner.annotate([Annotation(text or "a", 1, 1, "failure", text, text)])

        said, told, placed = log.getvalue().split("\n")[:-1]
        assert said.startswith("reviewbot: ")
        assert told.startswith("::error title=reviewbot::")
        assert placed.startswith("::error file=")
        properties = placed.removeprefix("::error ").partition("::")[0]
        assert properties.count(",") == 3
        assert "\r" not in log.getvalue()

    @given(secret=st.text(st.characters(codec="ascii", categories=["L", "N"]), min_size=6))
    def test_a_secret_is_only_in_its_mask(self, secret: str) -> None:
        log = StringIO()
        runner = Runner({}, log, [secret])

        runner.mask()
        runner.say(f"see {secret}!")
        runner.tell("warning", secret)

        mask, *lines = log.getvalue().splitlines()
        assert mask == f"::add-mask::{secret}"
        assert lines == ["reviewbot: see ***!", "::warning title=reviewbot::***"]

    def test_github_shows_so_many_annotations_and_the_rest_is_counted(self) -> None:
        log = StringIO()
        many = [Annotation("a.py", n, n, "failure", "t", "m") for n in range(1, 14)]

        left = Runner({}, log).annotate(many)

        assert left == 3
        assert log.getvalue().count("::error file=") == MAX_ANNOTATIONS


class TestFiles:
    def test_outputs_are_one_line_each(self, tmp_path: Path) -> None:
        path = tmp_path / "output"
        runner = Runner({"GITHUB_OUTPUT": str(path)}, StringIO())

        runner.output({"areas": "auth\nfindings=0", "tier": "claude"})

        assert path.read_text("utf-8") == "areas=auth findings=0\ntier=claude\n"

    def test_one_that_cannot_be_written_is_a_clear_error(self, tmp_path: Path) -> None:
        runner = Runner({"GITHUB_OUTPUT": str(tmp_path)}, StringIO())

        with pytest.raises(ReviewbotError, match="cannot write the file of GITHUB_OUTPUT"):
            runner.output({"tier": "claude"})


class TestInputs:
    def test_an_input_wins_over_a_setting_and_an_empty_one_changes_nothing(self) -> None:
        environment = {
            "REVIEWBOT_LOCAL_URL": "http://127.0.0.1:1/v1",
            "REVIEWBOT_LOCAL_MODEL": "kept",
            "REVIEWBOT_MARKER_KEY_FILE": "/nowhere",
            "INPUT_LOCAL_URL": "http://127.0.0.1:2/v1",
            "INPUT_LOCAL_MODEL": "",
            "INPUT_STATE_KEY": "a state key",
            "GITHUB_API_URL": "https://ghe.example.org/api/v3",
            "RUNNER_TEMP": "/runner/temp",
        }

        settings = step_settings(environment)

        assert settings.local_url == "http://127.0.0.1:2/v1"
        assert settings.local_model == "kept"
        assert settings.marker_key
        assert settings.marker_key.get_secret_value() == "a state key"
        assert settings.github_api_url == "https://ghe.example.org/api/v3"
        assert settings.data_dir == Path("/runner/temp/reviewbot-data")

    def test_every_line_of_a_key_is_a_secret_and_a_databases_password(self) -> None:
        secrets = secrets_of(
            {
                "INPUT_STATE_KEY": "first line\nsecond line",
                "INPUT_DATABASE_URL": "postgresql://bot:pass-word@db/reviews",
                "REVIEWBOT_WEBHOOK_SECRET": "hook-secret",
                "REVIEWBOT_LOCAL_URL": "http://127.0.0.1:8000",
                "INPUT_LOCAL_API_KEY": "1",
            }
        )

        assert set(secrets) == {
            "first line",
            "second line",
            "postgresql://bot:pass-word@db/reviews",
            "pass-word",
            "hook-secret",
        }
