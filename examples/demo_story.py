"""What is printed while it happens: deliveries, routes, comments, checks, costs, answers."""

import re
from collections.abc import Iterator, Sequence
from decimal import Decimal
from html import unescape
from typing import Any

from github_simulator.records import CheckRun, Comment, LineComment
from github_simulator.render import FACES, replaced
from github_simulator.state import Pull, Repository
from github_simulator.webhooks import Response
from rich.console import Console
from rich.text import Text

from reviewbot.cli.terminal import stdout_console
from reviewbot.cli.terminal_findings import SEVERITY_STYLES
from reviewbot.cli.terminal_text import Page, clean, code_text
from reviewbot.publishing.figures import usd
from reviewbot.review.answer import Severity
from reviewbot.routing.wording import plural

WIDTH = 100
#: Most reasons that are shown of one route.
REASONS = 3
_LABEL = 9
_SUGGESTION = re.compile(r"^(`{3,})suggestion\n(.*?)\n?^\1$", re.MULTILINE | re.DOTALL)
_MARK = re.compile(r"\n*<!-- .* -->\s*\Z")
_COMMIT = re.compile(r"\b([0-9a-f]{10})[0-9a-f]{30}\b")
_ROW = re.compile(r"(?<!\\)\|")
_CHECK_STYLES = {"success": "bold green", "failure": "bold red"}


class Story:
    """Writes to standard output, at most 100 columns wide."""

    def __init__(self) -> None:
        self.console: Console = stdout_console()
        self.console.width = min(self.console.width, WIDTH)
        self._page = Page(self.console)

    def exactly(self, *lines: str) -> None:
        """Lines that nothing may break: tables, addresses to copy."""
        for line in lines:
            self.console.print(Text(line), soft_wrap=True)

    def rule(self) -> None:
        self._page.put("─" * self.console.width, style="dim")

    def pull(self, repository: Repository, pull: Pull, count: int) -> None:
        """A new pull request's head line."""
        files = repository.files(pull)
        added = sum(file.additions for file in files)
        removed = sum(file.deletions for file in files)
        self._page.blank()
        self.rule()
        self._page.put(f"#{pull.number} of {count}: {pull.title}", style="bold")
        self._page.put(
            f"{pull.author} wants to merge {pull.head} into {pull.base}: "
            f"{plural(len(files), 'file')}, +{added} −{removed}",
            style="dim",
        )
        self.rule()

    def accepted(self, event: str, answer: Response) -> None:
        """A delivery and its answer."""
        took = f"{answer.status} in {1000 * answer.seconds:.0f} ms"
        self.line("webhook", f"{event}, signed: {took}")
        job = _COMMIT.sub(r"\1…", answer.json().get("job", ""))
        self.line("", f"job {job}", style="dim")

    def reviewed(self, pull: Pull, check: CheckRun, result: Any, seconds: float) -> None:
        """The route, then what GitHub shows of the review; it took `seconds`."""
        self._route(result["route"])
        marked = ", SCRIPTED" if result["scripted"] else ""
        first = [one for one in pull.threads if one.reply_to is None]
        count = plural(len(first), "comment") if first else "no comment"
        self.line("review", f"{count} on lines, after {seconds:.1f} s{marked}")
        for comment in first:
            self._comment(comment)
        if first:
            self._page.blank()
        style = _CHECK_STYLES.get(check.conclusion or "", "bold")
        title = clean(check.output["title"])
        self.line("check", Text.assemble((f"{check.conclusion}", style), f": {title}"))
        self._cost(result)

    def question(self, pull: Pull, comment: Comment) -> None:
        """A comment that a person wrote under a pull request."""
        self._page.blank()
        self.rule()
        self._page.put(f"#{pull.number}: {comment.author} comments {comment.body}", style="bold")
        self.rule()

    def answered(self, question: Comment, answers: Sequence[Comment]) -> None:
        """The reactions to a comment, and the comments that answer it."""
        faces = " ".join(FACES[one.content] for one in question.reactions)
        self.line("reviewbot", f"{faces}{'' if answers else ' and no word'}")
        for answer in answers:
            self._page.blank()
            self._markdown(_MARK.sub("", answer.body), indent=2)

    def _route(self, route: Any) -> None:
        tier, scores = route["tier"], route["scores"]
        areas = ", ".join(f"{area} {scores.get(area, 0):g}" for area in route["areas"])
        unsure = "" if route["certainty"] == "sure" else " (uncertain)"
        style = "bold magenta" if tier == "claude" else "bold green"
        because = areas or route["why"].partition(": ")[2] or route["why"]
        self.line("route", Text.assemble((tier, style), f"{unsure}: {clean(because)}"))
        reasons = sorted(route["reasons"], key=lambda reason: -abs(reason["weight"]))
        for reason in reasons[:REASONS]:
            place = f"{reason['path']}:{reason['line']}" if reason["line"] else reason["path"]
            why = f"{reason['weight']:+g} {reason['why']}"
            self.line("", Text.assemble(f"{clean(why)}  ", (clean(place), "dim")))
        if len(reasons) > REASONS:
            self.line("", f"… and {plural(len(reasons) - REASONS, 'reason')} more", style="dim")

    def _comment(self, comment: LineComment) -> None:
        """As GitHub shows it: its place, its words, the suggestion as a change of the lines."""
        body = _MARK.sub("", comment.body)
        suggestion = _SUGGESTION.search(body)
        words = _SUGGESTION.sub("", body)
        severity, heading = _heading(words)
        self._page.blank()
        place = (_place(comment), "bold blue")
        level = (severity, SEVERITY_STYLES[Severity(severity)])
        self._page.put(Text.assemble(place, "  ", level, f" {heading}"), indent=2, hang=2)
        self._page.prose(unescape(words.partition("\n\n")[2]), indent=4)
        if suggestion:
            self._page.blank()
            self._page.put("suggested change:", indent=4, style="dim")
            for line in replaced(comment):
                self._page.code(Text(f"- {code_text(line)}", "red"), indent=4)
            for line in suggestion[2].split("\n"):
                self._page.code(Text(f"+ {code_text(line)}", "green"), indent=4)

    def _cost(self, result: Any) -> None:
        cost = result["cost"]
        verb = "would cost " if cost["scripted"] else ""
        claude, local = usd(Decimal(cost["claude_usd"])), usd(Decimal(cost["local_usd"]))
        text = f"{verb}Claude {claude}, local {local} ({cost['joules']:,.0f} J)"
        if cost["all_claude_usd"] is not None:
            text += f"; all on Claude {usd(Decimal(cost['all_claude_usd']))}"
        self.line("cost", f"{text}{'; SCRIPTED' if cost['scripted'] else ''}")

    def line(self, label: str, text: Text | str, *, style: str = "") -> None:
        """One fact; further lines of it stand below its first."""
        whole = Text.assemble((f"{label:<{_LABEL}} ", "cyan"))
        whole.append_text(Text(clean(text), style) if isinstance(text, str) else text)
        self._page.put(whole, hang=_LABEL + 1)

    def _markdown(self, markdown: str, *, indent: int) -> None:
        """Headings, tables and prose."""
        for number, (kind, lines) in enumerate(_parts(markdown)):
            if number:
                self._page.blank()
            if kind == "table":
                rows = [[_cell(cell) for cell in _ROW.split(line)[1:-1]] for line in lines]
                self._page.table([row for row in rows if set("".join(row)) - set("-: ")])
            else:
                self._page.prose(unescape("\n".join(lines)), indent=indent)


def _heading(words: str) -> tuple[str, str]:
    """The severity, and the rest of a comment's first line."""
    first = words.partition("\n")[0]
    severity, _, rest = first.removeprefix("**").partition("**")
    return severity, clean(unescape(rest.replace("\\", "")))


def _place(comment: LineComment) -> str:
    first = comment.start_line
    lines = f"{first}–{comment.line}" if first not in (None, comment.line) else str(comment.line)
    return f"{clean(comment.path)}:{lines}{' (removed)' if comment.side == 'LEFT' else ''}"


def _parts(markdown: str) -> Iterator[tuple[str, list[str]]]:
    """Tables apart from the rest; folding is for browsers."""
    for part in re.sub(r"</?(?:details|summary)>", "", markdown).split("\n\n"):
        lines = part.strip().split("\n")
        if lines != [""]:
            yield ("table" if lines[0].startswith("|") else "prose"), lines


def _cell(text: str) -> str:
    return unescape(text.strip().replace("\\", "").replace("`", ""))
