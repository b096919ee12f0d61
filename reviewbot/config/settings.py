"""The operator's settings, from environment variables `REVIEWBOT_*` (and `*_FILE` for secrets)."""

import difflib
import os
from collections.abc import Mapping
from decimal import Decimal
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)

from reviewbot.config.kept_app import MARKER_KEY, WEBHOOK_SECRET, kept_app, kept_secret
from reviewbot.errors import SettingsError

PREFIX = "REVIEWBOT_"
#: The schema of durable jobs on PostgreSQL.
JOBS_SCHEMA = "reviewbot_jobs"


def _data_dir() -> Path:
    root = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(root) / "reviewbot"


class Settings(BaseModel):
    """All settings; each field is the environment variable `REVIEWBOT_` + its name in capitals."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    data_dir: Path = Field(
        default_factory=_data_dir, description="Folder of the database and of models."
    )
    database_url: str = Field(
        "", description="`sqlite:///…` or `postgresql://…`; default: SQLite in the data folder."
    )

    anthropic_api_key: SecretStr | None = Field(
        None, description="Claude key; `ANTHROPIC_API_KEY` is read too."
    )
    anthropic_api_url: str = Field(
        "https://api.anthropic.com", description="Address of the Claude API."
    )
    claude_model: str = Field("claude-opus-5-5", description="Claude model for risky changes.")
    claude_model_low: str = Field(
        "claude-haiku-5-5",
        description="Claude model for the rest, with `REVIEWBOT_WITHOUT_LOCAL=claude`.",
    )
    claude_fallback_model: str = Field(
        "", description="Claude model asked after a refusal; empty: none."
    )
    claude_timeout_seconds: float = Field(
        300, gt=0, le=3600, description="Longest wait for one Claude answer, seconds."
    )

    claude_per_minute: int = Field(
        200,
        ge=1,
        le=100_000,
        description="Most questions that the service puts to Claude in a minute, all workers together.",
    )

    local_engine: Literal["auto", "llama", "openai", "none"] = Field(
        "auto",
        description="Engine for the local tier: `llama` (here), `openai` (a server), `none`;"
        " `auto` takes the best there is and says why.",
    )
    local_model: str = Field(
        "",
        description="`llama`: a name of `reviewbot model list`, or a GGUF file; default: the best"
        " downloaded one. `openai`: the server's model; default: the first it lists.",
    )
    local_sequences: int | None = Field(
        None, ge=1, le=64, description="`llama`: requests in one batch; default: what fits."
    )
    local_gpu_layers: int | None = Field(
        None, ge=0, le=1_000, description="`llama`: layers on GPUs; default: as many as fit."
    )
    local_kv: Literal["auto", "f16", "q8_0"] = Field(
        "auto",
        description="`llama`: how the cache is kept, `auto`, `f16` or `q8_0`, which takes half of `f16`.",
    )
    local_url: str = Field(
        "", description="An OpenAI-compatible server, for example `http://127.0.0.1:8000/v1`."
    )
    local_api_key: SecretStr | None = Field(
        None, description="Key for that server, if it wants one."
    )
    local_url_private: bool = Field(
        False,
        description="That server is ours although not on this machine: no redaction, no price.",
    )
    local_context_tokens: int = Field(
        16_384,
        ge=2_048,
        le=1_048_576,
        description="Context of the local model, tokens; `llama`: what fits, if this is not set.",
    )
    local_timeout_seconds: float = Field(
        600, gt=0, le=7200, description="Longest wait for one local answer, seconds."
    )
    engines: Path | None = Field(
        None,
        description="YAML with further engines by name, and which areas, languages or tiers each is for.",
    )
    without_local: Literal["analyzers", "claude"] = Field(
        "analyzers",
        description="What reviews the local tier where there is no local model: `analyzers`, or `claude`, the cheap model.",
    )

    hardware_usd: Decimal = Field(
        Decimal(1400), ge=0, le=1_000_000_000, description="Price of the local hardware, USD."
    )
    hardware_months: int = Field(
        36, ge=1, le=1_200, description="Months over which it is written off."
    )
    electricity_usd_per_kwh: Decimal = Field(
        Decimal("0.13"), ge=0, le=1_000_000_000, description="Price of power, USD per kWh."
    )
    watts: Decimal = Field(
        Decimal(350),
        ge=0,
        le=1_000_000_000,
        description="Power under load, where it can't be measured, watts.",
    )
    monthly_budget_usd: Decimal | None = Field(
        None,
        ge=0,
        le=1_000_000_000,
        decimal_places=6,
        description="Most USD for external engines in a calendar month (UTC), all repositories"
        " together; empty: no limit.",
    )
    prices_file: Path | None = Field(
        None, description="YAML with prices of models that the price library doesn't know."
    )

    github_api_url: str = Field(
        "https://api.github.com",
        description="Address of the GitHub API (Enterprise Server: `https://HOST/api/v3`).",
    )
    github_app_id: int | None = Field(
        None,
        gt=0,
        description="The GitHub App's id. This, key and secret are not needed where `reviewbot setup`"
        " made the App: they are in the data folder.",
    )
    github_private_key: SecretStr | None = Field(
        None, description="The App's private key (PEM); better as `…_FILE`."
    )
    webhook_secret: SecretStr | None = Field(None, description="Secret of the App's webhook.")
    marker_key: SecretStr | None = Field(
        None,
        description="Signs hidden marks in our comments; default: made of the webhook secret,"
        " or for `review --post` a random one kept in the data folder.",
    )
    report_repository: str = Field(
        "",
        pattern=r"^(?:[A-Za-z0-9_-]+/[A-Za-z0-9._-]+)?$",
        description="`OWNER/NAME`: each month the report on everything is posted there as an issue;"
        " empty: nowhere.",
    )
    resolve_threads: bool = Field(
        False,
        description="Threads of findings that a push has fixed are resolved; the App needs"
        " contents: write for it.",
    )
    delivery: Literal["webhook", "poll"] = Field(
        "webhook",
        description="`poll`: deliveries are taken from GitHub's log, and nothing has to reach this"
        " machine; the pages are on loopback only.",
    )
    bind: str = Field(
        "127.0.0.1:8080",
        pattern=r"^(?:\[[0-9A-Fa-f:]+\]|[\w.-]+):\d{1,5}$",
        description="Address that the listener binds, `HOST:PORT`.",
    )
    proxy_user_header: str = Field(
        "",
        pattern=r"^[A-Za-z0-9-]{0,64}$",
        description="Header in which a proxy that signs people in names them, for example"
        " `X-Forwarded-User`; counts only from `REVIEWBOT_TRUSTED_PROXIES`.",
    )
    trusted_proxies: str = Field(
        "",
        description="Addresses of that proxy, networks with commas between: `10.0.3.7, fd00::/64`.",
    )
    rules: Path | None = Field(
        None, description="A rule file, or a folder of `*.yml`: added to the shipped rules."
    )
    retention_days: int = Field(
        7,
        ge=0,
        le=3_650,
        description="Days for which prompts, answers and finished jobs are kept; 0: no prompt or"
        " answer longer than its job. Ledger, reviews and feedback stay.",
    )
    policy: Path | None = Field(
        None, description="The operator's policy file; a repository's own can only narrow it."
    )

    @field_validator("local_url", "anthropic_api_url", "github_api_url")
    @classmethod
    def _plain_url(cls, value: str) -> str:
        if not value:
            return value
        try:
            parts = urlsplit(value)
            host, _ = parts.hostname, parts.port
        except ValueError as error:
            raise ValueError(f"not a URL: {error}") from None
        if parts.scheme not in ("http", "https") or not host:
            raise ValueError("not an http(s) URL")
        if parts.username or parts.password or parts.query or parts.fragment:
            raise ValueError("a URL without user, password, query and fragment is needed")
        return value.rstrip("/")

    @field_validator("trusted_proxies")
    @classmethod
    def _networks(cls, value: str) -> str:
        for network in _networks(value):
            if not network.prefixlen:
                raise ValueError(f"{network} is everybody: name the proxy's own addresses")
        return value

    @property
    def trusted_networks(self) -> tuple[IPv4Network | IPv6Network, ...]:
        """The addresses of proxies that are believed."""
        return _networks(self.trusted_proxies)

    @model_validator(mode="after")
    def _poll_is_private(self) -> "Settings":
        host = self.bind.rpartition(":")[0].strip("[]")
        if self.delivery == "poll" and host not in ("127.0.0.1", "::1", "localhost"):
            raise ValueError("poll mode listens on loopback only: set 127.0.0.1:PORT")
        return self

    @property
    def jobs_file(self) -> Path:
        """The database of durable jobs, where the other one is SQLite."""
        return self.data_dir / "jobs.db"

    @property
    def database(self) -> str:
        """The database's SQLAlchemy URL."""
        if not self.database_url:
            return f"sqlite:///{self.data_dir / 'reviewbot.db'}"
        if self.database_url.startswith(("postgresql://", "postgres://")):
            return "postgresql+psycopg://" + self.database_url.split("://", 1)[1]
        return self.database_url


def _networks(text: str) -> tuple[IPv4Network | IPv6Network, ...]:
    """Raises ValueError for what is no network."""
    return tuple(ip_network(part.strip()) for part in text.split(",") if part.strip())


#: Settings that may come from a file named by `REVIEWBOT_<NAME>_FILE`.
SECRETS = (
    "anthropic_api_key",
    "local_api_key",
    "github_private_key",
    "webhook_secret",
    "marker_key",
)
#: Where one of these is set, the App is the environment's, and what the data folder keeps of
#: another is left alone.
_APP = ("GITHUB_APP_ID", "GITHUB_PRIVATE_KEY", "GITHUB_PRIVATE_KEY_FILE")


def load_settings(environment: Mapping[str, str] | None = None) -> Settings:
    """Read the settings from the environment, and what it does not say of the GitHub App from what
    `reviewbot setup` kept in the data folder; the App's private key stays there.

    Raises SettingsError naming the variable and what is wrong; never the value of a secret.
    """
    env = os.environ if environment is None else environment
    given: dict[str, Any] = {}
    for name in Settings.model_fields:
        if value := env.get(PREFIX + name.upper()):
            given[name] = value
    for name in SECRETS:
        if path := env.get(f"{PREFIX}{name.upper()}_FILE"):
            if name in given:
                raise SettingsError(
                    f"{PREFIX}{name.upper()} and {PREFIX}{name.upper()}_FILE are both set; unset one"
                )
            try:
                given[name] = Path(path).read_text(encoding="utf-8").strip()
            except (OSError, UnicodeDecodeError) as error:
                raise SettingsError(
                    f"{PREFIX}{name.upper()}_FILE: cannot read {path}: {error}"
                ) from None
    if "anthropic_api_key" not in given and env.get("ANTHROPIC_API_KEY"):
        given["anthropic_api_key"] = env["ANTHROPIC_API_KEY"]
    if not any(env.get(PREFIX + name) for name in _APP):
        given = {**_kept(Path(given.get("data_dir") or _data_dir())), **given}
    unknown = [key for key in env if key.startswith(PREFIX) and not _known(key)]
    if unknown:
        names = [PREFIX + name.upper() for name in Settings.model_fields]
        near = difflib.get_close_matches(unknown[0], names, 1)
        raise SettingsError(
            f"unknown setting {unknown[0]}" + (f" (did you mean {near[0]}?)" if near else "")
        )
    try:
        return Settings.model_validate(given)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        # only what several settings are about together has no place of its own
        name = PREFIX + str(first["loc"][0] if first["loc"] else "bind").upper()
        raise SettingsError(f"{name}: {first['msg'].removeprefix('Value error, ')}") from None


def _kept(data_dir: Path) -> dict[str, Any]:
    """Settings that come with the App that was set up. Raises SettingsError if they can't be
    read."""
    app = kept_app(data_dir)
    if app is None:
        return {}
    return {
        "github_app_id": app.id,
        "github_api_url": app.api_url,
        "delivery": app.delivery,
        "webhook_secret": kept_secret(data_dir, WEBHOOK_SECRET),
        "marker_key": kept_secret(data_dir, MARKER_KEY),
    }


def _known(key: str) -> bool:
    name = key.removeprefix(PREFIX).lower()
    return name in Settings.model_fields or (name.endswith("_file") and name[:-5] in SECRETS)
