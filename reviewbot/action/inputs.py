"""The step's inputs, as `action.yml` hands them over: environment variables `INPUT_…`.

Most are settings by a shorter name. An input that is left empty changes nothing, so that all other
settings may come as `REVIEWBOT_…` from the workflow's `env`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, get_args
from urllib.parse import urlsplit

from reviewbot.config.settings import PREFIX, Settings, load_settings
from reviewbot.errors import UsageError
from reviewbot.review.answer import Severity

Post = Literal["review", "summary", "none"]
OnError = Literal["fail", "pass"]
Gate = Severity | Literal["never"] | None

#: Input → setting.
SETTINGS = {
    "anthropic-api-key": "anthropic_api_key",
    "local-url": "local_url",
    "local-api-key": "local_api_key",
    "local-model": "local_model",
    "policy": "policy",
    "state-key": "marker_key",
    "database-url": "database_url",
}
#: Inputs that must not be seen in a log.
SECRET = ("anthropic-api-key", "local-api-key", "state-key", "database-url", "github-token")
#: Shorter texts are no secrets; to mask `1` would make a log unreadable.
_SHORTEST_SECRET = 6


@dataclass(frozen=True)
class Inputs:
    """What the step is to do."""

    token: str = field(repr=False)
    post: Post
    fail_on: Gate
    """None: as the policy says."""
    on_error: OnError
    pull_request: str


def variable(name: str) -> str:
    """The environment variable of an input."""
    return "INPUT_" + name.upper().replace("-", "_")


def read_inputs(environment: Mapping[str, str]) -> Inputs:
    """Raises UsageError naming the input and what it takes."""
    severities = [severity.value for severity in Severity]
    fail_on = _one_of(environment, "fail-on", ["", "never", *severities])
    return Inputs(
        token=environment.get(variable("github-token"), ""),
        post=_post(_one_of(environment, "post", list(get_args(Post)))),
        fail_on="never" if fail_on == "never" else Severity(fail_on) if fail_on else None,
        on_error=on_error(environment),
        pull_request=environment.get(variable("pull-request"), "").strip(),
    )


def on_error(environment: Mapping[str, str]) -> OnError:
    """What an error of ours does to the step. Raises UsageError."""
    return "pass" if _one_of(environment, "on-error", list(get_args(OnError))) == "pass" else "fail"


def step_settings(environment: Mapping[str, str]) -> Settings:
    """The settings with the inputs over them. Raises SettingsError."""
    given = dict(environment)
    for name, setting in SETTINGS.items():
        if value := environment.get(variable(name)):
            given[PREFIX + setting.upper()] = value
            given.pop(f"{PREFIX}{setting.upper()}_FILE", None)
    given.setdefault(f"{PREFIX}GITHUB_API_URL", environment.get("GITHUB_API_URL", ""))
    if folder := environment.get("RUNNER_TEMP"):
        given.setdefault(f"{PREFIX}DATA_DIR", str(Path(folder, "reviewbot-data")))
    return load_settings(given)


def secrets_of(environment: Mapping[str, str]) -> list[str]:
    """Every line that the log must not show, the longest first."""
    texts = [environment.get(variable(name), "") for name in SECRET]
    texts += [
        value
        for name, value in environment.items()
        if name.startswith(PREFIX) and name.endswith(("_KEY", "_SECRET", "_URL"))
        if not name.endswith("_URL") or name == f"{PREFIX}DATABASE_URL"
    ]
    texts.append(environment.get("ANTHROPIC_API_KEY", ""))
    texts += [password for text in texts if (password := _password(text))]
    lines = {line.strip() for text in texts for line in text.splitlines()}
    return sorted((line for line in lines if len(line) >= _SHORTEST_SECRET), key=len, reverse=True)


def _password(text: str) -> str:
    try:
        return urlsplit(text).password or "" if "://" in text else ""
    except ValueError:
        return ""


def _post(value: str) -> Post:
    return next(known for known in get_args(Post) if known == value)


def _one_of(environment: Mapping[str, str], name: str, known: list[str]) -> str:
    """The first of `known` is the default."""
    value = environment.get(variable(name), "").strip() or known[0]
    if value not in known:
        choices = ", ".join(each for each in known if each)
        raise UsageError(f"the input `{name}` is one of: {choices} (not {value[:40]!a})")
    return value
