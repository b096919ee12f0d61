"""Characters that people do not see: shown as `<U+202E>`, and found where they have no business."""

import re
import unicodedata

#: Control, format, bidirectional, tag, filler, variation-selector and line-separator characters, as
#: ranges: all of Unicode's Cc and Cf, and what else is drawn as nothing. Lone surrogates, too.
_RANGES = (
    "\x00-\x08\x0b-\x0c\x0e-\x1f\x7f-\x9f\xad\u034f\u0600-\u0605\u061c\u06dd\u070f\u0890-\u0891"
    "\u08e2\u115f-\u1160\u17b4-\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f\u2800"
    "\u3164\ud800-\udfff\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U000110bd\U000110cd"
    "\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
_INVISIBLE = re.compile(f"[{_RANGES}]|\r(?!\n)")
#: What `_ASCII_CONTROL` may match: looked for first, as most texts have none of it.
_CONTROL_BYTES = bytes([*range(9), *range(11, 32), 127])
_ASCII_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]|\r(?!\n)")


def escape_invisible(text: str) -> str:
    """The text with each invisible character as `<U+XXXX>`; tab and line breaks stay.

    A carriage return stays only before a line feed: pass whole texts, or lines without their `\\r`.
    Emoji made of several parts are shown as their parts, too: simple, and nothing hides.
    """
    if text.isascii():
        data = text.encode()
        if len(data.translate(None, _CONTROL_BYTES)) == len(data):
            return text
        pattern = _ASCII_CONTROL
    else:
        pattern = _INVISIBLE
    return pattern.sub(lambda match: f"<U+{ord(match[0]):04X}>", text)


_BIDI = frozenset([*range(0x202A, 0x202F), *range(0x2066, 0x206A)])
_MARKS = frozenset([0x061C, 0x200E, 0x200F])
"""Direction marks: usual in lines that hold right-to-left text."""
_ZERO_WIDTH = frozenset([0x180E, 0x200B, 0x2060, 0x2061, 0x2062, 0x2063, 0x2064, 0xFEFF])
_JOINERS = frozenset([0x200C, 0x200D])
"""Usual in Persian and Indic words and in emoji, never next to ASCII letters."""
_FILLERS = frozenset([0x115F, 0x1160, 0x3164, 0xFFA0])
_HANGUL = re.compile(
    "[\u1100-\u115e\u1161-\u11ff\u3131-\u3163\u3165-\u318e\uac00-\ud7a3\uffa1-\uffdc]"
)
_FLAG = re.compile("\U0001f3f4[\U000e0020-\U000e007e]+\U000e007f")


def find_invisible(line: str) -> list[int]:
    """Code points of the invisible characters in `line` that have no honest use where they stand.

    Emoji sequences, direction marks in right-to-left text, joiners in scripts that need them and a
    byte order mark at the very start are not reported.
    """
    if line.isascii():
        return []
    line = _FLAG.sub("", line.removeprefix("\ufeff"))
    right_to_left = any(unicodedata.bidirectional(char) in ("R", "AL") for char in line)
    found = []
    for index, char in enumerate(line):
        point = ord(char)
        if (
            point in _BIDI
            or point in _ZERO_WIDTH
            or (point in _MARKS and not right_to_left)
            or (point in _JOINERS and _beside_ascii(line, index))
            or (point in _FILLERS and not _HANGUL.search(line))
            or 0xE0000 <= point <= 0xE007F
            or (_is_selector(point) and index > 0 and _is_selector(ord(line[index - 1])))
        ):
            found.append(point)
    return found


def _beside_ascii(line: str, index: int) -> bool:
    around = line[max(0, index - 1) : index] + line[index + 1 : index + 2]
    return any(char.isascii() and (char.isalnum() or char == "_") for char in around)


def _is_selector(point: int) -> bool:
    return 0xFE00 <= point <= 0xFE0F or 0xE0100 <= point <= 0xE01EF


_IDENTIFIER = re.compile(r"[^\W\d]\w*")
#: Cyrillic letters, Greek capitals and omicron that look like a Latin letter in most fonts. Other
#: Greek letters are usual in formulas (`σ_max`).
_LOOKALIKES = frozenset("аеорсухіјѕԁԛһАВЕКМНОРСТУХІЈЅԚԜѵΑΒΕΖΗΙΚΜΝΟΡΤΥΧο")


def find_homoglyphs(line: str) -> list[str]:
    """Identifiers in `line` in which Latin letters stand beside look-alikes of another script.

    Only where every letter outside ASCII is a look-alike: words of a language are left alone.
    """
    if line.isascii():
        return []
    return [
        word
        for word in _IDENTIFIER.findall(line)
        if not word.isascii()
        and any(char.isascii() and char.isalpha() for char in word)
        and all(char.isascii() or char in _LOOKALIKES for char in word)
    ]
