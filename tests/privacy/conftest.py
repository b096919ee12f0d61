"""Made-up secrets, drawn anew for each example, of every kind that must never leave."""

import random
import string

import pytest
from hypothesis import strategies as st

LETTERS, DIGITS, HEX = string.ascii_letters, string.digits, "0123456789abcdef"
WORD = LETTERS + DIGITS
SAFE = WORD + "-_"

#: kind → parts: fixed text, or (alphabet, length) to draw.
FORMS: dict[str, tuple[str | tuple[str, int], ...]] = {
    "github classic": ("ghp_", (WORD, 36)),
    "github app, short": ("ghs_", (WORD, 36)),
    "github app, long with dots": ("ghs_", (WORD, 36), ".", (SAFE, 300), ".", (SAFE, 180)),
    "github fine-grained": ("github_pat_", (WORD, 22), "_", (WORD, 59)),
    "anthropic": ("sk-ant-api03-", (SAFE, 93), "AA"),
    "openai": ("sk-proj-", (SAFE, 40), "T3BlbkFJ", (SAFE, 40)),
    "stripe": ("sk_live_", (WORD, 24)),
    "stripe restricted": ("rk_live_", (WORD, 40)),
    "aws": ("AKIA", (string.ascii_uppercase + DIGITS, 16)),
    "slack": ("xoxb-", (DIGITS, 12), "-", (DIGITS, 12), "-", (WORD, 24)),
    "jwt": ("eyJ", (SAFE, 33), ".eyJ", (SAFE, 60), ".", (SAFE, 43)),
    "google": ("AIza", (SAFE, 35)),
    "gitlab": ("glpat-", (SAFE, 20)),
    "npm": ("npm_", (WORD, 36)),
    "pypi": ("pypi-AgEIcHlwaS5vcmc", (SAFE, 90)),
    "sendgrid": ("SG.", (SAFE, 22), ".", (SAFE, 43)),
    "twilio": ("SK", (HEX, 32)),
    "telegram": ((DIGITS, 10), ":", (SAFE, 35)),
    "discord": ("M", (WORD, 23), ".", (SAFE, 6), ".", (SAFE, 27)),
    "mailchimp": ((HEX, 32), "-us12"),
    "square": ("sq0csp-", (SAFE, 43)),
    "basic auth": ("https://robot:", (WORD, 20), "@git.internal/x.git"),
    "database": ("postgresql://app:", (WORD, 16), "@db.internal:5432/shop"),
    "assigned password": ('db_password = "', (WORD, 12), '7x"'),
    "assigned key": ("API_KEY='", (SAFE, 30), "7x'"),
    "assigned token": ('"refreshToken": "', (HEX, 40), 'x1"'),
    "bearer": ("Authorization: Bearer ", (WORD, 30), "1a"),
}


@st.composite
def _secret(draw: st.DrawFn, kind: str) -> tuple[str, str]:
    lot = random.Random(draw(st.integers(0, 2**32)))  # looks random however the example shrinks
    drawn = [
        part if isinstance(part, str) else "".join(lot.choices(part[0], k=part[1]))
        for part in FORMS[kind]
    ]
    pairs = zip(drawn, FORMS[kind], strict=True)
    return "".join(drawn), max((text for text, part in pairs if text != part), key=len)


@pytest.fixture(params=sorted(FORMS))
def secrets_of_a_kind(request: pytest.FixtureRequest) -> st.SearchStrategy[tuple[str, str]]:
    """Draws (the secret as it is written, the part of it that must not be seen)."""
    return _secret(request.param)
