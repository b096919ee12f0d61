"""What people cannot see is shown, and found where it has no business."""

import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reviewbot.privacy.invisible import escape_invisible, find_homoglyphs, find_invisible

HIDDEN = [
    chr(point)
    for point in range(sys.maxunicode + 1)
    if unicodedata.category(chr(point)) in ("Cf", "Cc", "Cs", "Zl", "Zp")
    and chr(point) not in "\t\n\r"
]


def test_every_format_and_control_character_of_unicode_is_shown() -> None:
    escaped = escape_invisible("a".join(HIDDEN))

    assert escaped == "a".join(f"<U+{ord(char):04X}>" for char in HIDDEN)


@pytest.mark.parametrize(
    "char", ["\ufe0f", "\U000e0100", "\u3164", "\u115f", "\u034f", "\u180b", "\u2800"]
)
def test_what_is_drawn_as_nothing_is_shown_too(char: str) -> None:
    assert escape_invisible(f"a{char}b") == f"a<U+{ord(char):04X}>b"


@given(st.text(alphabet=st.characters() | st.sampled_from(HIDDEN)))
def test_nothing_hidden_is_left_and_nothing_else_changes(text: str) -> None:
    escaped = escape_invisible(text)

    assert not set(escaped) & set(HIDDEN)
    assert escape_invisible(escaped) == escaped
    visible = [char for char in text if char.isalnum() and char not in "\u115f\u1160\u3164\uffa0"]
    assert all(char in escaped for char in visible)


@pytest.mark.parametrize(
    "text", ["", "plain\ttext\n", "windows\r\nlines\r\n", "größe = 'ü' # 日本"]
)
def test_ordinary_text_stays(text: str) -> None:
    assert escape_invisible(text) == text


def test_a_carriage_return_alone_could_overwrite_a_line() -> None:
    assert escape_invisible("safe\rHARM\n") == "safe<U+000D>HARM\n"


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("if access \u202e⁦# admin", [0x202E, 0x2066]),
        ("is\u200badmin = True", [0x200B]),
        ("role\u200d = 1", [0x200D]),
        ("# rules\U000e0041\U000e0042", [0xE0041, 0xE0042]),
        ("x = 'a\ufe00\ufe01\ufe02'", [0xFE01, 0xFE02]),
        ("def f(\u3164):", [0x3164]),
        ("x = 1\u200e", [0x200E]),
        ("x\ufeffy", [0xFEFF]),
    ],
)
def test_hidden_characters_are_found(line: str, found: list[int]) -> None:
    assert find_invisible(line) == found


@pytest.mark.parametrize(
    "line",
    [
        "\ufeffusing System;",
        "greeting = '👩\u200d💻 ❤\ufe0f'",
        "flag = '\U0001f3f4\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f'",
        "text = 'می\u200cخواهم'",
        "label = '\u200fשלום'",
        "größe = 'naïve'",
    ],
)
def test_honest_uses_are_not_reported(line: str) -> None:
    assert find_invisible(line) == []


@pytest.mark.parametrize("word", ["раssword", "аdmin", "Τoken", "usеr_id"])
def test_look_alikes_in_one_name_are_found(word: str) -> None:
    assert find_homoglyphs(f"if {word} == 1:") == [word]


@pytest.mark.parametrize(
    "line", ["σ_max = 1", "Δt = μs", "имя = 'user'", "x = 'Привет, user'", "APIшка"]
)
def test_other_scripts_are_not_reported(line: str) -> None:
    assert find_homoglyphs(line) == []
