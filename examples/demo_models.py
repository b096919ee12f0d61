"""Which models are real in this run, and the settings that make the service use them."""

import os
from collections.abc import Mapping
from dataclasses import dataclass

from reviewbot.config.settings import Settings, load_settings

CLAUDE = ("ANTHROPIC_API_KEY", "ANTHROPIC_API_KEY_FILE", "ANTHROPIC_API_URL")
LOCAL = ("LOCAL_ENGINE", "LOCAL_MODEL", "LOCAL_URL", "LOCAL_API_KEY", "LOCAL_API_KEY_FILE")
#: The demonstration has its own database, GitHub, secrets and address, and the policy that comes
#: with reviewbot.
OWN = (
    *("DATA_DIR", "DATABASE_URL", "POLICY", "BIND", "GITHUB_API_URL", "GITHUB_APP_ID"),
    *("GITHUB_PRIVATE_KEY", "GITHUB_PRIVATE_KEY_FILE", "WEBHOOK_SECRET", "WEBHOOK_SECRET_FILE"),
    *("MARKER_KEY", "MARKER_KEY_FILE"),
)


@dataclass(frozen=True)
class Models:
    """What is configured, and what of it is used."""

    settings: Settings
    claude: bool
    """Claude is real."""
    local: bool
    """The local model is real."""

    @property
    def scripted(self) -> bool:
        return not (self.claude and self.local)

    def environment(self, scripted_server: str) -> dict[str, str]:
        """Ours, without what the demonstration sets itself, and with the server that plays the
        written answers where a model is missing."""
        found = without([*(() if self.claude else CLAUDE), *(() if self.local else LOCAL)])
        if not self.claude:
            found["REVIEWBOT_ANTHROPIC_API_KEY"] = "scripted"
            found["REVIEWBOT_ANTHROPIC_API_URL"] = scripted_server
        if not self.local:
            found["REVIEWBOT_LOCAL_URL"] = f"{scripted_server}/v1"
        return found

    def lines(self) -> list[str]:
        """What a person should know of them."""
        lines = []
        if self.claude:
            model = self.settings.claude_model
            lines.append(f"Claude:      {model}, REAL: this costs a few cents.")
        else:
            lines.append(f"Claude:      SCRIPTED: {_why('no key')}.")
        if self.local:
            lines.append(f"Local model: the one at {self.settings.local_url}, REAL.")
        else:
            lines.append(f"Local model: SCRIPTED: {_why('none is set')}.")
        if self.scripted:
            lines += [
                "",
                "SCRIPTED means: no model took part. A server on this machine plays hand-written answers,",
                "nothing is paid for them, tokens are estimates, and money is what it would cost.",
            ]
        return lines


def find_models() -> Models:
    """What is configured. Raises SettingsError for a setting that is wrong."""
    settings = load_settings(without([]))
    real = not _forced()
    local = bool(settings.local_url) and settings.local_engine != "none"
    return Models(settings, real and settings.anthropic_api_key is not None, real and local)


def without(names: list[str]) -> dict[str, str]:
    """The environment without the demonstration's own settings and those named."""
    dropped = {f"REVIEWBOT_{name}" for name in (*OWN, *names)}
    return {name: value for name, value in os.environ.items() if name not in dropped}


def _forced(environment: Mapping[str, str] = os.environ) -> bool:
    return environment.get("DEMO_SCRIPTED", "") not in ("", "0")


def _why(missing: str) -> str:
    return "DEMO_SCRIPTED is set" if _forced() else f"{missing}, so hand-written answers are played"
