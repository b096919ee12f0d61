"""What belongs to a word on a line: its object, its arguments, its value."""

import pytest

from reviewbot.routing.expressions import MAX_ARGUMENTS, expression, is_condition


@pytest.mark.parametrize(
    ("line", "word", "own"),
    [
        ("return pay(user_token, amount)", "user_token", "user_token"),
        ("x = api.check(a, b(c)) + 1", "check", "api.check(a, b(c))"),
        ("x = api.check('a', 3) + 1", "check(", "api.check('a', 3)"),
        ("COOKIE_SECURE = False", "COOKIE_SECURE", "COOKIE_SECURE = False"),
        ("  sameSite: 'none',", "sameSite", "sameSite: 'none',"),
        ('  "sameSite" => "none"', "sameSite", 'sameSite" => "none"'),
        ("Hash::make($raw) . $x", "make", "Hash::make($raw)"),
        ("let a = !user.isAdmin;", "isAdmin", "!user.isAdmin"),
        ("verify(" + "a" * 999, "verify", "verify(" + "a" * (MAX_ARGUMENTS - 1)),
    ],
)
def test_the_own_expression(line: str, word: str, own: str):
    first = line.index(word)

    assert expression(line, first, first + len(word)) == own


@pytest.mark.parametrize(
    "line", ["if x:", "return a", "a && b", "x != y", "unless b", "ok ? a : b", "raise Denied"]
)
def test_conditions(line: str):
    assert is_condition(line)


@pytest.mark.parametrize("line", ["x = 1", "pay(a, b)", "notify(verify)", "a -> b", "Foo<Bar> x;"])
def test_what_decides_nothing(line: str):
    assert not is_condition(line)
