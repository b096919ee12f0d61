"""Values that stand where a secret will stand: templates, examples, words."""

import re

#: Parts that only made-up secrets have.
_MADE_UP = re.compile(
    r"(?i)example|sample|dummy|fake|placeholder|change[-_]?me|change[-_]?it|your[-_]|redacted|"
    r"not[-_]?a[-_]?real|insert|x{5,}|\*{3}|\.{3}|12345678|abcdefgh|deadbeef|^(?:test|dev|local)|"
    r"^(?:password|passwd|secret|postgres|admin|root|guest|hunter2)[0-9]*!?$"
)
#: `${X}`, `{{ x }}`, `%(x)s`, `%s`, `<x>`, `{x}`, `$X`, `$(x)`, `#{x}`: filled in elsewhere.
_TEMPLATE = re.compile(
    r"^(?:\$[A-Za-z_{(]|[$#]?\{.*\}$|\{\{|%[sdr(]|<.*>$|\[.*\]$|@[A-Za-z_.]+@?$|\\?\(|__\w+__$)"
    r"|\$\{|\{\{|\}\}|\$\("
)


def is_template(value: str) -> bool:
    """The value is filled in elsewhere."""
    return bool(_TEMPLATE.search(value))


def is_placeholder(value: str) -> bool:
    """The value is one that documentation and tests use: redacted, but no finding."""
    return bool(_MADE_UP.search(value)) or len(set(value)) < 5
