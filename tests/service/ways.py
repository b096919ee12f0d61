"""Every way to review, and a pull request on which one can see who was asked what, and what for."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from github_simulator.content import Content
from github_simulator.state import Repository
from model_servers.server import Asked
from serving import Service

POLICY = ".github/reviewbot.yml"
LOCAL, FINE = "qwen2.5-coder-32b-instruct", "our-finetune"
CLAUDE, SONNET = "claude-opus-5-5", "claude-sonnet-5-5"

#: It stands beside what changes, in every file: no engine outside may see it.
SECRET = "ghp_" + "a1B2" * 9
#: In a second block of the change: who is asked about one finding has no need to see it.
FAR_AWAY = "FAR_AWAY_LIMIT"
#: In the file that must never be sent.
KEPT = "KEPT_AT_HOME"

LOGIN, PAGES, NOTES = "shop/auth/login.py", "shop/pages.py", "shop/private/notes.py"
_ROOM = "\n" * 12
_HEAD = f'TOKEN = "{SECRET}"\n\n\n'
#: path → (text before, line that changes, line after).
FILES: Mapping[str, tuple[str, str, str]] = {
    LOGIN: (
        f"import hmac\n\n{_HEAD}def login(user, password):\n"
        "    return hmac.compare_digest(user.digest, password)\n",
        "    return hmac.compare_digest(user.digest, password)",
        "    return user.digest == password",
    ),
    PAGES: (
        f"{_HEAD}def pages(total, size):\n    return -(-total // size)\n{_ROOM}{FAR_AWAY} = 10\n",
        "    return -(-total // size)",
        "    return total // size",
    ),
    NOTES: (
        f"{_HEAD}def note(text):\n    return text.strip()  # {KEPT}\n",
        f"    return text.strip()  # {KEPT}",
        f"    return text  # {KEPT}",
    ),
}
#: Branch → files that it changes.
BRANCHES = {"risky": (LOGIN, NOTES), "plain": (PAGES, NOTES)}
#: What each model says is wrong with a file.
LOCALS = {
    LOGIN: "Compares in the open",
    PAGES: "The last page is lost",
    NOTES: "Notes keep their blanks",
}
CLAUDES = {LOGIN: "Timing leaks the digest", PAGES: "Rounds down", NOTES: "Never to be said"}
CORRECTED = "Off by one"

#: Two points of an area: in doubt.
DOUBT = {
    "uncertain": "ask",
    "rules": [
        {"id": "shop.pages", "area": "pages", "why": "Counts", "weight": 2, "added": ["total"]}
    ],
}


@dataclass(frozen=True)
class Way:
    """One way to review, and what is to be seen of it."""

    name: str
    strategy: str
    """What the report calls it."""
    branch: str
    rows: Mapping[tuple[str, str], int]
    """(purpose, model) → calls in the ledger."""
    titles: Mapping[str, str]
    """path → title of the remark on its line."""
    policy: Mapping[str, Any] = field(default_factory=dict)
    verdict: str = "confirm"
    """Of Claude on a doubtful finding."""
    risky: bool = False
    """Of the local model on a doubtful route."""
    says: tuple[str, ...] = ()
    """What the summary must tell."""
    refused: Mapping[tuple[str, str], int] | None = None
    """Questions that no budget covers, where there is none; None: all that are paid for."""
    later: int = 0
    """Calls that are made only after Claude's last answer."""
    mended: bool = False
    """Each remark has a change to take over."""

    def policy_with(self, **more: Any) -> str:
        """The repository's policy as text."""
        return json.dumps(
            _merged({"route": {"never_send": ["shop/private/**"]}}, self.policy, more)
        )

    @property
    def paid(self) -> dict[tuple[str, str], int]:
        """The rows of what a provider bills."""
        return {row: n for row, n in self.rows.items() if row[1] in (CLAUDE, SONNET)}

    @property
    def last(self) -> tuple[str, str]:
        """The row of the last question to Claude."""
        return list(self.paid)[-1]


_MINE = {PAGES: LOCALS[PAGES], NOTES: LOCALS[NOTES]}
_CLAUDES = {LOGIN: CLAUDES[LOGIN], NOTES: LOCALS[NOTES]}
_ESCALATE = {"escalate": {"max_per_pr": 3}}
_ESCALATED = {("review", LOCAL): 1, ("escalate", CLAUDE): 1}
_KEPT_HERE = "second opinion: 1 finding not put to Claude (never_send)"

WAYS = (
    Way("review", "claude", "risky", {("review", CLAUDE): 1, ("review", LOCAL): 1}, _CLAUDES),
    Way(
        "refine",
        "claude+refine",
        "risky",
        {("draft", LOCAL): 1, ("refine", CLAUDE): 1, ("review", LOCAL): 1},
        _CLAUDES,
        {"strategy": "refine"},
        says=("refine: the local model drafted 1, which Claude was shown",),
    ),
    Way(
        "confirmed",
        "local+escalate",
        "plain",
        _ESCALATED,
        _MINE,
        _ESCALATE,
        says=("Claude was asked about 1 finding: 1 confirmed", _KEPT_HERE),
    ),
    Way(
        "corrected",
        "local+escalate",
        "plain",
        _ESCALATED,
        {PAGES: CORRECTED, NOTES: LOCALS[NOTES]},
        _ESCALATE,
        "correct",
        says=("Claude was asked about 1 finding: 1 corrected", _KEPT_HERE),
    ),
    Way(
        "withdrawn",
        "local+escalate",
        "plain",
        _ESCALATED,
        {NOTES: LOCALS[NOTES]},
        _ESCALATE,
        "withdraw",
        says=("Claude was asked about 1 finding: 1 withdrawn", _KEPT_HERE, "withdrawn by Claude"),
    ),
    Way(
        "doubtful route, raised",
        "claude",
        "plain",
        {("route", LOCAL): 1, ("review", CLAUDE): 1, ("review", LOCAL): 1},
        {PAGES: CLAUDES[PAGES], NOTES: LOCALS[NOTES]},
        {"route": DOUBT},
        risky=True,
        says=("asked if it needs care, says yes",),
    ),
    Way(
        "doubtful route, not raised",
        "local",
        "plain",
        {("route", LOCAL): 1, ("review", LOCAL): 1},
        _MINE,
        {"route": DOUBT},
        says=("asked if it needs care, says no",),
    ),
    Way(
        "doubtful route, raised by Claude",
        "claude",
        "plain",
        {("route", CLAUDE): 1, ("review", CLAUDE): 1, ("review", LOCAL): 1},
        {PAGES: CLAUDES[PAGES], NOTES: LOCALS[NOTES]},
        {"route": {**DOUBT, "uncertain": "ask_claude"}},
        risky=True,
        says=("Claude, asked if it needs care, says yes",),
    ),
    Way(
        "doubtful route, not raised by Claude",
        "local",
        "plain",
        {("route", CLAUDE): 1, ("review", LOCAL): 1},
        _MINE,
        {"route": {**DOUBT, "uncertain": "ask_claude"}},
        says=("Claude, asked if it needs care, says no",),
        refused={("route", CLAUDE): 1, ("review", CLAUDE): 1},
        later=1,
    ),
    Way(
        "ordinary change, raised",
        "claude",
        "plain",
        {("route", LOCAL): 1, ("review", CLAUDE): 1, ("review", LOCAL): 1},
        {PAGES: CLAUDES[PAGES], NOTES: LOCALS[NOTES]},
        {"route": {"ordinary": "ask"}},
        risky=True,
        says=("no rule sends it to Claude; the local model, asked if it needs care, says yes",),
    ),
    Way(
        "passes", "local+passes3", "plain", {("review", LOCAL): 3}, _MINE, {"review": {"passes": 3}}
    ),
    Way(
        "verify",
        "local+verify",
        "plain",
        {("review", LOCAL): 1, ("verify", LOCAL): 1},
        {PAGES: LOCALS[PAGES]},
        {"review": {"verify": True}},
        says=("judged wrong",),
    ),
    Way(
        "fixes",
        "claude+fixes",
        "risky",
        {("review", CLAUDE): 1, ("review", LOCAL): 1, ("fix", CLAUDE): 1, ("fix", LOCAL): 1},
        _CLAUDES,
        {"review": {"fixes": True}},
        says=("fixes: 2 proposed for 2 findings, 2 apply",),
        refused={("review", CLAUDE): 1},
        mended=True,
    ),
    Way(
        "an engine for an area",
        "claude",
        "risky",
        {("review", SONNET): 1, ("review", LOCAL): 1},
        _CLAUDES,
        {"route": {"engines": {"areas": {"auth": "sonnet"}}}},
    ),
    Way(
        "an engine for a language",
        "local",
        "plain",
        {("review", FINE): 1},
        _MINE,
        {"route": {"engines": {"languages": {"python": "fine"}}}},
    ),
    Way(
        "an engine for a tier",
        "local",
        "plain",
        {("review", FINE): 1},
        _MINE,
        {"route": {"engines": {"tiers": {"local": "fine"}}}},
    ),
)


def _merged(*parts: Mapping[str, Any]) -> dict[str, Any]:
    whole: dict[str, Any] = {}
    for part in parts:
        for key, value in part.items():
            both = isinstance(value, Mapping) and isinstance(whole.get(key), Mapping)
            whole[key] = _merged(whole[key], value) if both else value
    return whole


def shown(asked: Asked) -> set[str]:
    """The files whose text a model was shown."""
    return set(re.findall(r"^=== (\S+)", asked.user, re.MULTILINE))


def finding(path: str, title: str) -> dict[str, Any]:
    """A severe remark of a model that is not sure of it."""
    text, old, new = FILES[path]
    line = text.replace(old, new).split("\n").index(new) + 1
    return {
        "path": path, "line": line, "end_line": None, "quote": new, "severity": "high",
        "category": "correctness", "title": title, "body": "It is not what it was.",
        "confidence": 0.4, "suggestion": None,
    }  # fmt: skip


def _remarks(asked: Asked, titles: Mapping[str, str]) -> str:
    found = [finding(path, titles[path]) for path in sorted(shown(asked))]
    return json.dumps({"walkthrough": "It changes a line.", "findings": found})


def is_fix(asked: Asked) -> bool:
    """A model is asked how to mend what was found."""
    return "You mend what the review" in asked.system


def purpose_of(asked: Asked) -> str:
    """The ledger's word for a question, by what it says."""
    if "The areas:" in asked.user:
        return "route"
    if "You give a second opinion" in asked.system:
        return "escalate"
    if "A smaller model has drafted" in asked.user:
        return "refine"
    return "fix" if is_fix(asked) else "review"


def _fixes(asked: Asked) -> str:
    """Every line as it was before."""
    paths = re.findall(r"^Finding \d+: ([^,\s]+)", asked.user, re.MULTILINE)
    said = [{"finding": n, "suggestion": FILES[path][1]} for n, path in enumerate(paths, 1)]
    return json.dumps({"fixes": said})


def local_answers(way: Way) -> Callable[[Asked], str]:
    """What the models on our own machines say."""

    def answer(asked: Asked) -> str:
        if "The areas:" in asked.user:
            return _risk(way)
        if is_fix(asked):
            return _fixes(asked)
        if "Finding 1:" in asked.user:  # the worst first: of the pages, and then of the notes
            words = ["real" if PAGES in head else "wrong" for head in _heads(asked)]
            verdicts = [{"finding": n, "verdict": word} for n, word in enumerate(words, 1)]
            return json.dumps({"verdicts": verdicts})
        return _remarks(asked, LOCALS)

    return answer


def _risk(way: Way) -> str:
    word = "pages" if way.risky else "none"
    return json.dumps({"risky": way.risky, "area": word, "why": "It counts."})


def _heads(asked: Asked) -> list[str]:
    return re.findall(r"^Finding \d+: .*$", asked.user, re.MULTILINE)


def claude_answers(way: Way) -> Callable[[Asked], str]:
    """What Claude says."""

    def answer(asked: Asked) -> str:
        if "You give a second opinion" in asked.system:
            return json.dumps(
                {"verdict": way.verdict, "severity": "medium", "title": CORRECTED, "body": "So."}
            )
        if "The areas:" in asked.user:
            return _risk(way)
        return _fixes(asked) if is_fix(asked) else _remarks(asked, CLAUDES)

    return answer


def repository_for(service: Service, way: Way, name: str, **policy: Any) -> Repository:
    """A repository with the way's policy, and its branch."""
    content = Content(service.folder / name)
    before = {path: text for path, (text, _, _) in FILES.items()}
    content.commit("main", {**before, POLICY: way.policy_with(**policy)})
    after = {
        path: text.replace(old, new).replace(f"{FAR_AWAY} = 10", f"{FAR_AWAY} = 20")
        for path in BRANCHES[way.branch]
        for text, old, new in [FILES[path]]
    }
    content.commit(way.branch, after, start="main")
    return service.github.repository(f"acme/{name}", start=content)
