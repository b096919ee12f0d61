"""Log lines: JSON, and nothing in them that opens anything."""

import io
import json
import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from reviewbot.config.settings import Settings
from reviewbot.service.logs import CUT, configure_logs, known_secrets, logger, redacted

KEY = "-----BEGIN RSA PRIVATE KEY-----\nMIIEow1canary2line\nQ0FOQVJZb25lMg==\n-----END RSA PRIVATE KEY-----"
SECRETS = {
    "webhook_secret": "hush-webhook-canary",
    "github_private_key": KEY,
    "anthropic_api_key": "canary-key-of-claude",
    "local_api_key": "canary-key-of-ours",
    "marker_key": "canary-key-of-markers",
}
Lines = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    url = "postgresql://bot:p%40ss@db/reviews"
    return Settings.model_validate({"data_dir": tmp_path, "database_url": url, **SECRETS})


@pytest.fixture
def lines(settings: Settings) -> Iterator[Lines]:
    """What was logged so far; logging is as before afterwards."""
    root, stream = logging.getLogger(), io.StringIO()
    handlers, level = list(root.handlers), root.level
    configure_logs(settings, stream=stream)
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


def test_a_line_is_json_with_time_level_and_what_is_bound(lines: Lines) -> None:
    with structlog.contextvars.bound_contextvars(delivery="72d3162e"):
        logger("reviewbot.test").info("stored", job="rv:5:77#3", seconds=0.5)

    (line,) = lines()
    assert line.pop("timestamp").endswith("Z")
    assert line == {
        "event": "stored",
        "job": "rv:5:77#3",
        "seconds": 0.5,
        "delivery": "72d3162e",
        "level": "info",
        "logger": "reviewbot.test",
    }


def test_libraries_that_log_in_their_own_way_are_json_too(lines: Lines) -> None:
    logging.getLogger("gunicorn.error").warning("worker %s", "timeout")

    (line,) = lines()
    assert (line["event"], line["level"]) == ("worker timeout", "warning")


def test_no_known_secret_is_logged_whatever_way_it_comes(lines: Lines) -> None:
    log = logger("reviewbot.test")
    values = [*SECRETS.values(), *KEY.splitlines()[1:-1], "p@ss", "p%40ss"]
    for value in values:
        log.info("plain", text=f"before {value} after")
        log.info(value, nested={"a": [value, (value,)], value: 1})
        log.info("an object", thing=ValueError(value), raw=value.encode())
        logging.getLogger("library").warning("says %s", value)
        try:
            raise RuntimeError(value)
        except RuntimeError:
            log.exception("failed")
            logging.getLogger("library").exception("failed too")

    written = json.dumps(lines())
    assert len(lines()) == 6 * len(values)
    assert [value for value in values if json.dumps(value)[1:-1] in written] == []
    assert "canary" not in written.lower()


TOKENS = [
    "ghs_" + "aB3." * 130,
    "ghp_16C7e42F292c6912E7710c838347Ae178B4a",
    "github_pat_11ABCDEFG0abcdefghij_xyz",
    "sk-ant-api03-abcdefgh-ijklmnop",
    "eyJhbGciOiJSUzI1NiJ9.eyJpYXQiOjE3MDB9.c2lnbmF0dXJl",
    "-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----",
]


@pytest.mark.parametrize("token", TOKENS)
@pytest.mark.parametrize(
    "text", ["{}", "Authorization: token {}", "https://x:{}@github.com/o/r", "a={},b"]
)
def test_tokens_are_known_by_their_shape(token: str, text: str) -> None:
    cut = redacted(text.format(token))

    assert CUT in cut
    assert not any(part in cut for part in token.split("\n") if len(part) > 3)


def test_ordinary_text_stays() -> None:
    text = f"job rv:5:77#3:{'a' * 40}:{'b' * 40}:auto of octo/shop took 3.1 s, see https://github.com/o/r"

    assert redacted(text, ("a-secret",)) == text


def test_pieces_of_a_key_file_are_secrets_but_its_first_line_is_none(settings: Settings) -> None:
    found = known_secrets(settings)

    assert "Q0FOQVJZb25lMg==" in found
    assert "-----BEGIN RSA PRIVATE KEY-----" not in found
    assert list(found) == sorted(found, key=len, reverse=True)


@given(st.text(), st.text())
def test_a_secret_is_cut_out_of_any_text(before: str, after: str) -> None:
    assert "hush-webhook-canary" not in redacted(
        f"{before}hush-webhook-canary{after}", ("hush-webhook-canary",)
    )
