"""Logs: one JSON object a line on standard error, without secrets.

Every part logs through here, also the libraries that use `logging`. What is a secret is known
twice: by the very values of the settings, and by the shapes of tokens that are minted later.
"""

import logging
import re
import sys
from collections.abc import Mapping, Sequence
from typing import Any, TextIO
from urllib.parse import unquote, urlsplit

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from reviewbot.config.settings import SECRETS, Settings

CUT = "***"
#: A line of a secret shorter than this is no secret by itself (the PEM's last line may be short).
MIN_SECRET = 8
#: Longest text of one value, characters: a log line is for people.
MAX_TEXT = 20_000

#: Tokens of GitHub (new ones are about 520 characters and hold dots), Anthropic, JSON web tokens,
#: authorization headers, user information in URLs, keys in PEM.
_TOKENS = re.compile(
    r"\bgh[a-z]_[\w.-]{8,}"
    r"|\bgithub_pat_\w{8,}"
    r"|\bsk-[\w-]{8,}"
    r"|\beyJ[\w-]{4,}\.[\w-]{4,}(?:\.[\w-]*)?"
    r"|\b(?i:bearer|basic|token) \w[\w.~+/=-]{7,}"
    r"|(?<=://)[^\s/@:]*:[^\s/@]+(?=@)"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----(?s:.*?)(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)",
)
#: Libraries that say too much below this level.
_QUIET = {"werkzeug": logging.WARNING, "urllib3": logging.WARNING, "github": logging.WARNING}


def known_secrets(settings: Settings) -> tuple[str, ...]:
    """Every text that must not be logged, longest first: secrets, their lines, the database's password."""
    values = [field.get_secret_value() for name in SECRETS if (field := getattr(settings, name))]
    lines = [line.strip() for value in values for line in value.splitlines()]
    kept = {t for t in (*values, *lines) if len(t) >= MIN_SECRET and not t.startswith("-----")}
    if password := urlsplit(settings.database_url).password:
        kept |= {password, unquote(password)}
    return tuple(sorted(kept, key=len, reverse=True))


def redacted(text: str, secrets: Sequence[str] = ()) -> str:
    """`text` without secrets, by value and by shape."""
    for secret in secrets:
        text = text.replace(secret, CUT)
    return _TOKENS.sub(CUT, text)[:MAX_TEXT]


class Redactor:
    """A structlog processor: after it, an event holds plain values without secrets."""

    def __init__(self, secrets: Sequence[str] = ()) -> None:
        self._secrets = tuple(secrets)

    def __call__(self, _logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
        return {str(self._clean(key)): self._clean(value) for key, value in event.items()}

    def _clean(self, value: Any) -> Any:
        if value is None or isinstance(value, bool | int | float):
            return value
        if isinstance(value, Mapping):
            return {str(self._clean(k)): self._clean(v) for k, v in value.items()}
        if isinstance(value, list | tuple | set | frozenset):
            return [self._clean(item) for item in value]
        return redacted(value if isinstance(value, str) else repr(value), self._secrets)


def configure_logs(
    settings: Settings, *, stream: TextIO | None = None, level: int = logging.INFO
) -> None:
    """Send all logs of this process to `stream` (standard error) as JSON, without secrets."""
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                Redactor(known_secrets(settings)),
                structlog.processors.JSONRenderer(ensure_ascii=True),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name, least in _QUIET.items():
        logging.getLogger(name).setLevel(least)


def logger(name: str) -> structlog.stdlib.BoundLogger:
    """A logger whose keywords become keys of the line: `log.info("delivery", job=…)`."""
    bound: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger(name)
    return bound
