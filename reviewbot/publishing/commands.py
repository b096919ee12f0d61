"""What people can ask for in a comment: a closed set of words, without parameters."""

import re
from enum import StrEnum
from typing import Literal

#: The word that a command starts with.
CALL = "/reviewbot"
#: Longest line read as a command, characters.
MAX_LINE = 100

# Four spaces or a tab before it would make it code in Markdown.
_LINE = re.compile(rf" {{0,3}}{CALL}[ \t]+([a-z]+(?:[ \t]+[a-z]+)?)[ \t]*\r?", re.ASCII | re.I)


class Command(StrEnum):
    """A command by its words."""

    REVIEW = "review"
    REVIEW_CLAUDE = "review claude"
    REVIEW_LOCAL = "review local"
    WHY = "why"
    COST = "cost"
    DISMISS = "dismiss"
    PAUSE = "pause"
    RESUME = "resume"
    HELP = "help"

    @property
    def asks_review(self) -> bool:
        """It wants the change reviewed, also where its head was reviewed already."""
        return self in (Command.REVIEW, Command.REVIEW_CLAUDE, Command.REVIEW_LOCAL)

    @property
    def tier(self) -> Literal["claude", "local"] | None:
        """Where it wants the review to go; None for what the router says."""
        if self is Command.REVIEW_CLAUDE:
            return "claude"
        return "local" if self is Command.REVIEW_LOCAL else None


ABOUT: dict[Command, str] = {
    Command.REVIEW: "Review this pull request again, where the rules send it.",
    Command.REVIEW_CLAUDE: "Review it again with Claude, within the budget and the policy.",
    Command.REVIEW_LOCAL: "Review it again with the local model only.",
    Command.WHY: "Say where the review went, and which rules on which lines sent it there.",
    Command.COST: "Say what the reviews of this pull request have cost.",
    Command.DISMISS: "As a reply to a finding: don't report it again.",
    Command.PAUSE: "Stop automatic reviews of this pull request.",
    Command.RESUME: "Start them again.",
    Command.HELP: "Show this list.",
}

_BY_WORDS = {command.value: command for command in Command}


def read_command(text: str) -> Command | None:
    """The command that a comment's first line is; None for anything else.

    Capital letters and spaces around the words make no difference. Nothing else does as much as
    resemble a command: no quoted line, no code, no invisible character, no further word.
    """
    line = text.partition("\n")[0]
    if len(line) > MAX_LINE:
        return None
    found = _LINE.fullmatch(line)
    return _BY_WORDS.get(" ".join(found[1].lower().split())) if found else None


def help_text() -> str:
    """The commands in Markdown, as the answer to `/reviewbot help`."""
    rows = [f"| `{CALL} {command}` | {ABOUT[command]} |" for command in Command]
    head = "Commands for people with write access, alone on the first line of a comment:"
    return "\n".join((head, "", "| Command | What it does |", "|---|---|", *rows, ""))
