"""How a request finds its handler."""

import re
from collections.abc import Callable
from typing import NamedTuple

from github_simulator.messages import Answer, Request


class Route(NamedTuple):
    """Something of a repository: the path goes on after `/repos/OWNER/NAME`."""

    method: str
    pattern: str
    needs: tuple[str, ...]
    """Permissions, any of which is enough: "checks:write"."""
    handle: Callable[..., Answer]

    def fits(self, request: Request, rest: str) -> tuple[str, ...] | None:
        found = re.fullmatch(self.pattern, rest) if request.method == self.method else None
        return found.groups() if found else None


class AppRoute(NamedTuple):
    """Something for which an App shows its JSON web token; the whole path."""

    method: str
    pattern: str
    handle: Callable[..., Answer]

    def fits(self, request: Request) -> tuple[str, ...] | None:
        found = re.fullmatch(self.pattern, request.path) if request.method == self.method else None
        return found.groups() if found else None
