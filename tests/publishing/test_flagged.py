"""Whether flagged code still stands in a later text of its file."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reviewbot.change.model import Side
from reviewbot.publishing.flagged import MAX_LINES, MAX_WIDTH, flagged_lines, still_there

BEFORE = """\
import hmac


def login(user, password):
    if user.locked:
        return None
    return user.digest == password


def token(user):
    if user.locked:
        return None
    return user.token
"""
RISK = "    return user.digest == password"
TWICE = "        return None"


def there(
    code: str, after: str, *, line: int | None, before: str | None = BEFORE, side: Side = "RIGHT"
) -> bool | None:
    return still_there(flagged_lines(code), line, side, before=before, after=after)


@pytest.mark.parametrize(
    ("after", "expected"),
    [
        (BEFORE, True),
        (BEFORE.replace(RISK, "    return hmac.compare_digest(user.digest, password)"), False),
        (BEFORE.replace(RISK + "\n", ""), False),
        ("# moved down\n" * 40 + BEFORE, True),
        (BEFORE.replace(RISK + "\n", "") + "\n\n" + RISK + "\n", True),
        (BEFORE.replace("\n", "\r\n"), True),
        (BEFORE.replace("    ", "\t"), True),
        ("class Shop:\n" + "".join(f"    {line}\n" for line in BEFORE.split("\n")), True),
        ("", False),
    ],
)
def test_code_is_kept_wherever_it_is_moved_and_changed_if_its_text_is(
    after: str, expected: bool
) -> None:
    assert there(RISK, after, line=7) is expected


def test_of_code_that_stands_twice_the_flagged_one_counts() -> None:
    first_gone = BEFORE.replace(TWICE, "        raise Locked", 1)
    second_gone = first_gone.replace("        raise Locked", TWICE).replace(
        TWICE + "\n    return user.token", "        raise Locked\n    return user.token"
    )

    assert there(TWICE, first_gone, line=6) is False
    assert there(TWICE, second_gone, line=6) is True
    assert there(TWICE, first_gone, line=12) is True
    assert there(TWICE, second_gone, line=12) is False


def test_several_lines_are_changed_if_one_of_them_is() -> None:
    lines = "    if user.locked:\n        return None\n" + RISK
    assert there(lines, BEFORE + "\n# end\n", line=5) is True
    assert there(lines, BEFORE.replace("None\n" + RISK, "0\n" + RISK), line=5) is False


def test_without_the_flagged_text_the_code_itself_is_looked_for() -> None:
    assert there(RISK, BEFORE, line=7, before=None) is True
    assert there(RISK, "", line=7, before=None) is False
    assert there(RISK, BEFORE, line=None, before=None) is None


def test_a_line_that_was_not_quoted_is_taken_from_the_flagged_text() -> None:
    before = "a = 1\nkey = 'hunter2'\n"
    assert there("", before + "b = 2\n", line=2, before=before) is True
    assert there("", "a = 1\nkey = env['KEY']\n", line=2, before=before) is False
    assert there("", "a = 1\n", line=2, before=None) is None
    assert there("", "a = 1\n", line=9, before=before) is None


def test_of_code_that_never_stood_there_nothing_can_be_told() -> None:
    assert there("def test_remove", BEFORE, line=None) is None
    assert there("def test_remove", BEFORE + "\ndef test_remove\n", line=None) is None
    assert there("  \n\n", BEFORE, line=3) is None


def test_removed_code_is_changed_only_if_it_is_put_back() -> None:
    removed = "    if item not in basket.lines:"
    assert there(removed, BEFORE + "# more\n", line=5, side="LEFT") is True
    assert there(removed, f"{BEFORE}{removed}\n", line=5, side="LEFT") is False
    assert there(removed, BEFORE, line=5, side="LEFT", before=None) is True
    assert there(removed, removed, line=5, side="LEFT", before=None) is None


def test_what_is_kept_of_long_code_is_short_and_tells_every_change_of_a_line() -> None:
    line = "x = [" + ", ".join(map(str, range(500))) + "]"
    kept = flagged_lines(f"{line}\n" * 100)

    assert len(kept) == MAX_LINES
    assert {len(each) for each in kept} == {MAX_WIDTH}
    assert there(line, line + "\n", line=1, before=line) is True
    assert there(line, line.replace("499", "498"), line=1, before=line) is False


TEXTS = st.lists(st.sampled_from(["a", "b", "  a", "", "c c", "\x0c", "}"]), max_size=12)


@given(TEXTS, TEXTS, st.data())
def test_unchanged_and_moved_code_is_always_there(
    lines: list[str], around: list[str], data: st.DataObject
) -> None:
    start = data.draw(st.integers(0, len(lines)))
    code = "\n".join(lines[start : data.draw(st.integers(start, len(lines)))])
    text = "\n".join(lines)
    framed = "\n".join([*around, *lines, *around])

    for after in (text, framed):
        assert there(code, after, line=start + 1, before=text) in (
            (True,) if flagged_lines(code) else (None, True)
        )
