"""What goes wrong on request."""

import re
from dataclasses import dataclass
from typing import Literal

from github_simulator.messages import Answer, Request

SECONDARY = (
    "You have exceeded a secondary rate limit. Please wait a few minutes before you try again."
)

#: How an answer gets lost after the request was done.
How = Literal["502", "hang-up", "silence"]
LOST: dict[str, Answer] = {
    "502": Answer(502, {"message": "Server Error"}),
    "hang-up": Answer(200, {}, hang_up=True),
    "silence": Answer(200, {}, seconds=3_600.0, hang_up=True),
}


@dataclass
class Fault:
    """An answer that takes the place of the real one."""

    pattern: str
    """Found in "METHOD /path"."""
    answer: Answer
    times: int
    accept: str = ""
    """Only for requests whose Accept header has this."""
    applied: bool = False
    """The request is done all the same."""

    def takes(self, request: Request) -> bool:
        fits = re.search(self.pattern, f"{request.method} {request.path}")
        if not fits or not self.times or self.accept not in request.headers.get("accept", ""):
            return False
        self.times -= 1
        return True
