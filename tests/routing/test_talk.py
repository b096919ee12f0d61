"""Comments, docstrings and sentences are told from code, also where a hunk begins inside one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reviewbot.routing.talk import Talk, is_sentence, syntax_of


def talk_of(language: str, text: str, *, from_top: bool = False) -> list[bool]:
    """For each `login` in a text, whether it is talk."""
    talk = Talk(text, syntax_of(language), from_top=from_top)
    found, at = [], text.find("login")
    while at >= 0:
        found.append(talk.is_talk(at))
        at = text.find("login", at + 1)
    return found


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("python", "x = 1  # login()"),
        ("python", 'def f():\n    """Ask.\n\n    login()\n    """'),
        ("python", "def f():\n    r'''login()'''\n    return 1"),
        ("ruby", "=begin\nlogin\n=end\n"),
        ("elixir", '  @doc """\n  iex> login()\n  """'),
        ("go", "/* ask\nlogin() */"),
        ("rust", "let a: &'a str = b; // login()"),
        ("ts", "const a = `x`; /** login() */"),
        ("php", "# login()"),
        ("sql", "-- login"),
        ("html", "<!--\nlogin\n-->"),
        ("yaml", "a: b # login"),
        ("no language", "x = 1; // login()"),
    ],
)
def test_comments_and_docstrings_are_talk(language: str, text: str):
    assert talk_of(language, text) == [True]


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("python", 'x = "# not a comment"; login()'),
        ("python", 'query = """\nSELECT login FROM users\n"""'),
        ("python", 'run(\n    """\nDELETE FROM login WHERE id = 1\n"""\n)'),
        ("go", 'glob("/*"); login()'),
        ("js", 'glob("**/*.ts"); login()'),
        ("rust", "fn f<'a>(x: &'a str) { login(x) }"),
        ("php", "#[Route(login)]"),
        ("yaml", "a: b#login"),
        ("c", "a = b / login();"),
    ],
)
def test_code_is_no_talk(language: str, text: str):
    assert talk_of(language, text) == [False]


@pytest.mark.parametrize(
    ("language", "text", "expected"),
    [
        ("go", "ask for a login first\n*/\nlogin()", [True, False]),
        ("ts", " * login()\n */\nlogin() /* fine */", [True, False]),
        ("python", '    You must login here.\n    """\n    login()', [True, False]),
        ("python", '    SELECT login FROM users\n    """)\n    login()', [False, False]),
        ("python", 'def f():\n    """\n    login()\n    """\n    login()', [True, False]),
        ("ruby", "needs a login\n=end\nlogin", [True, False]),
    ],
)
def test_a_text_may_begin_inside(language: str, text: str, expected: list[bool]):
    assert talk_of(language, text) == expected


def test_a_files_first_quotes_open_a_docstring():
    text = '"""\nlogin()\n"""\nlogin()'

    assert talk_of("python", text, from_top=True) == [True, False]


@pytest.mark.parametrize(
    "text",
    [
        "Invalid password",
        "the charge was refunded",
        "Reset password for {name}",
        "You can't log in.",
        "could not create the invoice for %s",
    ],
)
def test_sentences(text: str):
    assert is_sentence(text)


@pytest.mark.parametrize(
    "text",
    [
        "charge.refunded",
        "openid profile email",
        "SELECT * FROM tokens WHERE user_id = ?",
        "update users set token = 1",
        "create table foo",
        "text/html; charset=utf-8",
        "Bearer",
        "",
    ],
)
def test_names_and_statements_are_no_sentences(text: str):
    assert not is_sentence(text)


@given(
    st.sampled_from(["python", "go", "ts", "ruby", "elixir", "sql", "html", "php", "none"]),
    st.lists(
        st.sampled_from(['"""', "'''", '"', "'", "`", "/*", "*/", "//", "#", "\n", "x ", "=end"])
    ),
)
def test_any_text_is_read_to_its_end(language: str, parts: list[str]):
    text = "".join(parts)
    talk = Talk(text, syntax_of(language))

    backwards = [talk.is_talk(at) for at in reversed(range(len(text)))]
    forwards = Talk(text, syntax_of(language))

    assert [forwards.is_talk(at) for at in range(len(text))] == backwards[::-1]
