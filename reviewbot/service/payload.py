"""Untrusted JSON, read one wanted value at a time."""

import json
import re
from collections.abc import Mapping
from typing import NamedTuple, Self

from reviewbot.errors import ReviewbotError


class BadDelivery(ReviewbotError):
    """A webhook body that GitHub would not send; the message says which part, never its content."""


class Part(NamedTuple):
    """An object of the payload and where it stands; keys that nobody asks for may be anything."""

    values: Mapping[str, object]
    path: str = ""

    @classmethod
    def from_body(cls, body: bytes) -> Self:
        """The payload's outermost object. Raises BadDelivery for anything else."""
        try:
            values = json.loads(body.decode("utf-8"))
        except ValueError as error:  # not UTF-8, not JSON, or a number of thousands of digits
            raise BadDelivery("the body is not JSON") from error
        except RecursionError as error:
            raise BadDelivery("the body is nested too deeply") from error
        if not isinstance(values, dict):
            raise BadDelivery("the body is not an object")
        return cls(values)

    def has(self, key: str) -> bool:
        """The key is there, and not null."""
        return self.values.get(key) is not None

    def part(self, key: str) -> Self:
        """The object below `key`. Raises BadDelivery."""
        value = self.values.get(key)
        if not isinstance(value, dict):
            raise self._bad(key)
        return type(self)(value, f"{self.path}{key}.")

    def parts(self, key: str) -> list[Self]:
        """The objects in the list below `key`; none where it is left out. Raises BadDelivery."""
        value = self.values.get(key)
        items = [] if value is None else value
        if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
            raise self._bad(key)
        return [type(self)(item, f"{self.path}{key}.") for item in items]

    def whole(self, key: str, largest: int) -> int:
        """A whole number from 1 to `largest`. Raises BadDelivery."""
        value = self.values.get(key)
        if type(value) is not int or not 0 < value <= largest:
            raise self._bad(key)
        return value

    def text(self, key: str, pattern: re.Pattern[str]) -> str:
        """A string that `pattern` matches as a whole. Raises BadDelivery."""
        value = self.values.get(key)
        if not isinstance(value, str) or not pattern.fullmatch(value):
            raise self._bad(key)
        return value

    def word(self, key: str) -> str:
        """A string to compare with known ones; empty where there is none."""
        value = self.values.get(key)
        return value if isinstance(value, str) else ""

    def flag(self, key: str) -> bool:
        """True or false; false where it is left out. Raises BadDelivery."""
        value = self.values.get(key, False)
        if not isinstance(value, bool):
            raise self._bad(key)
        return value

    def _bad(self, key: str) -> BadDelivery:
        return BadDelivery(f"{self.path}{key} is missing or malformed")
