"""The formats and the entropy measure of detect-secrets, used without its global settings.

Its plugins are built and asked directly: no settings object is shared between threads, no file is
opened, no `pragma: allowlist secret` comment is obeyed, and its `verify` (a network call to the
vendor) is never reached. Spans come from the plugins' own patterns, since what they report as the
secret is often a part of it (`ghp` of `ghp_…`).
"""

import re
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from itertools import pairwise
from typing import Any, NamedTuple

from reviewbot.privacy.placeholders import is_placeholder
from reviewbot.privacy.spans import Span, compiled, line_around


class Plugin(NamedTuple):
    """One plugin, and a linear-time pattern that finds every line it could find something in."""

    kind: str
    module: str
    name: str
    hint: str
    mixed: bool = False
    """Its pattern is loose: only a value with a digit counts."""


_NAMED = r"(?i)(?:key|pwd|pw|pass(?:word)?|token)[\"']?\]?[ :=>]+[\"']?"
PLUGINS = (
    Plugin("artifactory-token", "artifactory", "ArtifactoryDetector", r"A(?:KC|P[0-9A-F])[a-zA-Z0-9]{8}", True),
    Plugin("aws-key", "aws", "AWSKeyDetector", r"(?i)aws.*[0-9a-z/+]{40}"),
    Plugin("azure-key", "azure_storage_key", "AzureStorageKeyDetector", r"AccountKey="),
    Plugin("cloudant-key", "cloudant", "CloudantDetector", r"(?i)cl[a-z_\-]*" + _NAMED.removeprefix("(?i)") + r"[a-z0-9]{24}|cloudant\.com"),
    Plugin("discord-token", "discord", "DiscordBotTokenDetector", r"[MNO][\w\-]{23,25}\.[\w\-]{6}\."),
    Plugin("ibm-key", "ibm_cloud_iam", "IbmCloudIamDetector", _NAMED + r"[a-z0-9_\-]{44}", True),
    Plugin("ibm-key", "ibm_cos_hmac", "IbmCosHmacDetector", r"(?i)secret[_\-]?(?:access)?[_\-]?key[\"']?\]?[ :=>]+[\"']?[a-f0-9]{48}"),
    Plugin("mailchimp-key", "mailchimp", "MailchimpDetector", r"[0-9a-z]{32}-us[0-9]"),
    Plugin("openai-key", "openai", "OpenAIDetector", r"T3BlbkFJ"),
    Plugin("pypi-token", "pypi_token", "PypiTokenDetector", r"pypi-AgE"),
    Plugin("sendgrid-key", "sendgrid", "SendGridDetector", r"SG\.[\w\-]{22}\."),
    Plugin("slack-token", "slack", "SlackDetector", r"(?i)xox[abeoprs]-|hooks\.slack\.com"),
    Plugin("softlayer-key", "softlayer", "SoftlayerDetector", r"(?i)(?:sl|softlayer).*[a-z0-9]{64}"),
    Plugin("square-token", "square_oauth", "SquareOAuthDetector", r"sq0csp-"),
    Plugin("telegram-token", "telegram_token", "TelegramBotTokenDetector", r"[0-9]{8,10}:[\w\-]{35}"),
    Plugin("twilio-key", "twilio", "TwilioKeyDetector", r"(?:AC|SK)[a-z0-9]{32}"),
)  # fmt: skip

#: Bits per character above which a quoted string looks drawn by lot: detect-secrets' own default.
ENTROPY_LIMIT = 4.5
_EDGES = re.compile(r"^[^!-~]*[\"'=:,]*|[\"'=:,]*[^!-~]*$")


@cache
def _hints() -> tuple[Any, ...]:
    return tuple(compiled(plugin.hint) for plugin in PLUGINS)


@cache
def formats(plugin: Plugin) -> tuple[Any, ...]:
    # 0.4 s: only a text with something like a secret pays for it
    module = import_module(f"detect_secrets.plugins.{plugin.module}")
    return tuple(getattr(module, plugin.name)().denylist)


@cache
def _measure() -> Any:
    from detect_secrets.plugins.high_entropy_strings import Base64HighEntropyString  # as above

    return Base64HighEntropyString(limit=ENTROPY_LIMIT)


@cache
def _quoted() -> Any:
    return compiled(r"[\"'`]([A-Za-z0-9+/_=\-]{20,})[\"'`]")


def find_vendor_secrets(data: bytes) -> Iterator[Span]:
    """What the plugins of detect-secrets find in the lines that their hints point at."""
    for plugin, hint in zip(PLUGINS, _hints(), strict=True):
        at = 0
        while match := hint.search(data, at):
            start, end = line_around(data, match.start())
            line = data[start:end].decode("latin-1")  # one character per byte: same offsets
            for form in formats(plugin):
                for found in form.finditer(line):
                    value = _bare(found.group())
                    if plugin.mixed and not any(map(str.isdigit, value)):
                        continue
                    begin = start + found.start() + found.group().index(value)
                    yield Span(begin, begin + len(value), plugin.kind, not is_placeholder(value))
            at = end


def _bare(found: str) -> str:
    """Without what a pattern takes along on either side: space, quotes, `=`, part of a character."""
    return _EDGES.sub("", found)


def find_random(data: bytes) -> Iterator[Span]:
    """Quoted strings that look drawn by lot, but no hashes, UUIDs, paths and names."""
    for match in _quoted().finditer(data):
        value = match.group(1).decode("ascii")
        if _may_be_random(value) and _measure().calculate_shannon_entropy(value) > ENTROPY_LIMIT:
            yield Span(match.start(1), match.end(1), "high-entropy")


def _may_be_random(value: str) -> bool:
    """Digits, small and capital letters, and no long word: base64 has all of them."""
    if value.lower().startswith(("sha1-", "sha256-", "sha384-", "sha512-")):
        return False  # an integrity hash: public by nature
    runs = sum(
        a.isalpha() and b.isalpha() and a.isupper() == b.isupper() for a, b in pairwise(value)
    )
    return (
        any(map(str.isdigit, value))
        and any(map(str.islower, value))
        and any(map(str.isupper, value))
        and runs < len(value) * 0.5
    )
