"""Secrets known by their own form, found by linear-time patterns over the whole text."""

import re
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any, NamedTuple

from reviewbot.privacy.placeholders import is_placeholder, is_template
from reviewbot.privacy.spans import Span, compiled


def _any(value: str) -> bool:
    return True


def _mixed(value: str) -> bool:
    """Letters and digits: no word of prose, no plain identifier, no number."""
    return bool(re.search(r"[0-9]", value)) and bool(re.search(r"[A-Za-z]", value))


def _github(value: str) -> bool:
    """Twenty characters without a break, or all three classes: not the end of `laughs_at_…`."""
    return bool(re.match(r"gh._[A-Za-z0-9]{20}", value)) or all(
        re.search(kind, value[4:]) for kind in ("[0-9]", "[a-z]", "[A-Z]")
    )


def _password(value: str) -> bool:
    return not is_template(value) and bool(value.strip("*xX."))


def _login(value: str) -> bool:
    return not value.isdigit() and _password(value)


class Form(NamedTuple):
    """One form of secret. The secret is the pattern's first group, or all of the match."""

    kind: str
    pattern: str
    accepts: Callable[[str], bool] = _any
    sure: bool = True


FORMS = (
    # Installation tokens (ghs_) are about 520 characters long and hold dots.
    Form("github-token", r"gh[pousr]_[A-Za-z0-9_.\-]{30,}", _github),
    Form("github-token", r"github_pat_[A-Za-z0-9_]{20,}"),
    Form("anthropic-key", r"sk-ant-[A-Za-z0-9_\-]{16,}"),
    Form("openai-key", r"sk-(?:proj|svcacct|admin|None)-[A-Za-z0-9_\-]{20,}|\bsk-[A-Za-z0-9]{32,}"),
    Form("stripe-key", r"[rs]k_(?:live|test)_[0-9A-Za-z]{10,}|whsec_[A-Za-z0-9+/=]{16,}"),
    Form("aws-key", r"(?:A3T[A-Z0-9]|ABIA|ACCA|AKIA|ASIA)[0-9A-Z]{16}"),
    Form("slack-token", r"xox[abeoprs]-[A-Za-z0-9\-]{10,}|xapp-[0-9]-[A-Za-z0-9\-]{10,}", _mixed),
    Form(
        "slack-webhook",
        r"hooks\.slack\.com/(?:services|workflows|triggers)/([A-Za-z0-9_/+\-]{20,})",
    ),
    Form("google-key", r"AIza[0-9A-Za-z_\-]{35}|ya29\.[0-9A-Za-z_\-]{20,}|GOCSPX-[\w\-]{20,}"),
    Form(
        "gitlab-token",
        r"gl(?:pat|dt|ft|soat|rt|cbt|imt|ptt|agent|oas)-[A-Za-z0-9_.\-]{20,}|GR1348941[\w\-]{20,}",
    ),
    Form("azure-key", r"(?:AccountKey|SharedAccessKey)=([A-Za-z0-9+/=%]{20,})"),
    Form("npm-token", r"npm_[A-Za-z0-9]{30,}"),
    Form("npm-token", r":_(?:authToken|auth|password)[ \t]*=[ \t]*([^\s\"'$]{8,})", _password),
    Form("pypi-token", r"pypi-[A-Za-z0-9_\-]{50,}"),
    Form("vault-token", r"hv[sbr]\.[A-Za-z0-9_\-]{20,}"),
    Form("huggingface-token", r"\bhf_[A-Za-z0-9]{30,}"),
    Form("docker-token", r"dckr_[po]at_[A-Za-z0-9_\-]{20,}"),
    Form("digitalocean-token", r"do[opr]_v1_[a-f0-9]{40,}"),
    Form("shopify-token", r"shp(?:at|ca|pa|ss)_[a-fA-F0-9]{32}"),
    Form("artifactory-token", r"AKC[a-zA-Z0-9]{40,}", _mixed),
    Form(
        "password",
        r"(?i)<[\w.:\-]*(?:pass(?:word)?|pwd|token|secret|key)>([^<\s]{6,})</",
        lambda value: _mixed(value) and _password(value),
        sure=False,
    ),
    Form("age-key", r"AGE-SECRET-KEY-1[A-Z0-9]{50,}"),
    # Header, payload and any further parts: a token without its signature says enough.
    Form("jwt", r"eyJ[A-Za-z0-9_=\-]{8,}\.[A-Za-z0-9_=\-]{8,}(?:\.[A-Za-z0-9_=+/\-]*)*"),
    Form(
        "url-password",
        r"[a-zA-Z][a-zA-Z0-9+.\-]*://[^\s/:@'\"`<>]*:([^\s/'\"`<>]+)@[A-Za-z0-9\[$\{%]",
        _password,
    ),
    Form(
        "authorization",
        r"(?i)\b(?:bearer|basic|token)[ \t]+([a-z0-9._~+/=\-]{16,})",
        _mixed,
        sure=False,
    ),
    Form(
        "password",
        r"(?i)--?(?:password|passwd|token|secret|api-?key)[ \t]+([^\s\"'`$<\[\\-][^\s\"'`]{5,})",
        _mixed,
        sure=False,
    ),
    Form(
        "password", r"(?:^|\s)(?:-u|--user)[ =]['\"]?[\w.\-]+:([^\s'\"`]{3,})", _login, sure=False
    ),
)


@cache
def _patterns() -> tuple[Any, ...]:
    return tuple(compiled(form.pattern) for form in FORMS)


@cache
def _any_of() -> Any:
    """A set that says in one pass which forms stand anywhere in a text."""
    import re2  # loaded late, as in `compiled`

    options = re2.Options()
    options.encoding = re2.Options.Encoding.LATIN1
    forms = re2.Set.SearchSet(options)
    for form in FORMS:
        forms.Add(form.pattern.encode("ascii"))
    forms.Compile()
    return forms


def find_tokens(data: bytes) -> Iterator[Span]:
    """Every secret of a known form in `data`."""
    for index in _any_of().Match(data) or ():
        form = FORMS[index]
        for match in _patterns()[index].finditer(data):
            start, end = match.span(1) if match.re.groups else match.span()
            value = data[start:end].rstrip(b".").decode("latin-1")
            if form.accepts(value):
                yield Span(start, start + len(value), form.kind, form.sure and _real(match, value))


def _real(match: Any, value: str) -> bool:
    if match.re.groups:  # a password in a URL: development servers have none worth keeping
        whole = match.group().decode("latin-1")
        user = whole.rpartition("://")[2].partition(":")[0]
        return not is_placeholder(value) and value != user and len(value) >= 6
    return not is_placeholder(value)
