"""What a file's place says of it: the words of its own name and of its own folder.

Folders higher up name the project as often as what lies in them (`billing` in every path of a
billing system), so they say nothing. A place is no evidence: it adds to evidence in the file.
"""

import re
from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise

from reviewbot.routing.model import Match

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")


@lru_cache(maxsize=4096)
def words_of(path: str) -> frozenset[str]:
    """Words of a file's name and folder, small, without a plural's s; two in a row also as one."""
    words: set[str] = set()
    for part in path.split("/")[-2:]:
        found = [_singular(word.lower()) for word in _WORD.findall(part)]
        words.update(found)
        words.update(one + two for one, two in pairwise(found))
    return frozenset(words)


def with_evidence(matches: Sequence[Match]) -> tuple[Match, ...]:
    """The matches in one file without the places of areas that nothing else speaks for."""
    if not any(match.is_place for match in matches):
        return tuple(matches)
    areas = {match.area for match in matches if not match.is_place}
    return tuple(match for match in matches if not match.is_place or match.area in areas)


def _singular(word: str) -> str:
    if len(word) < 4 or not word.endswith("s") or word.endswith("ss"):
        return word
    if word.endswith("ies"):
        return word[:-3] + "y"
    return word[:-2] if word.endswith(("xes", "ches", "shes", "sses")) else word[:-1]
