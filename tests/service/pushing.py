"""A pull request that is pushed to ten times, and models that always see the same problems."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from github_simulator.state import Pull, Repository
from model_servers.server import Asked
from serving import Service

LOGIN, SIGNIN = "shop/auth/login.py", "shop/auth/signin.py"
PAGES, GUIDE = "shop/pages.py", "docs/guide.md"
#: Each file goes where its own lines send it.
POLICY = {".github/reviewbot.yml": "route:\n  granularity: file\n"}

_FAR = "".join(f"\n\ndef helper_{n}():\n    return {n}\n" for n in range(6))
LOGIN_BASE = f"""\
import hmac

from shop.keys import digest_of
from shop.logs import log


def login(user, password):
    return hmac.compare_digest(user.digest, password)
{_FAR}

def renew(session):
    return session.token
"""
SAFE = "hmac.compare_digest(user.digest, password)"
WEAK = "user.digest == password"
MENDED = "hmac.compare_digest(user.digest, digest_of(password))"
LOGGED = '    log.info("renewed %s", session.token)\n'
LOGIN_WEAK = LOGIN_BASE.replace(SAFE, WEAK)
LOGIN_MENDED = LOGIN_BASE.replace(SAFE, MENDED)
LOGIN_LOGGED = LOGIN_MENDED.replace("    return session.token", f"{LOGGED}    return session.token")
PAGES_BASE = f"""\
# How many pages there are.
def pages(total, size):
    return -(-total // size)
{_FAR}

def first(items):
    # One of the itemss.
    return items[0]
"""
PAGES_WRONG = PAGES_BASE.replace("-(-total // size)", "total // size")
PAGES_MENDED = PAGES_WRONG.replace("itemss", "items")
GUIDE_BASE = "# Guide\n\nAsk Ada.\n"
GUIDE_HEAD = "# Guide\n\nAsk Ada, or mail ada@example.com your password.\n"
#: What the base branch gets meanwhile, above everything.
ABOVE = "# Part of the shop.\n# All rights reserved.\n"

#: What a model says whenever it is shown a line.
SAYS = {
    f"    return {WEAK}": ("critical", "security", "Timing leaks the digest"),
    LOGGED.rstrip("\n"): ("high", "security", "A session's token is logged"),
    "    return total // size": ("high", "correctness", "The last page is lost"),
    GUIDE_HEAD.split("\n")[2]: ("medium", "security", "Nobody should mail a password"),
}
_ADDED = re.compile(r"^(\d+) \+(.*)$", re.MULTILINE)
_FILE = re.compile(r"^=== (\S+) ", re.MULTILINE)


def answer(asked: Asked) -> str:
    """A finding for each line that is known to be wrong, if the prompt shows it as added."""
    findings = []
    for path, number, line in shown(asked):
        if line in SAYS:
            severity, category, title = SAYS[line]
            findings.append(
                {
                    "path": path, "line": number, "end_line": None, "quote": line,
                    "severity": severity, "category": category, "title": title,
                    "body": "It goes wrong.", "suggestion": None, "confidence": 0.9,
                }
            )  # fmt: skip
    return json.dumps({"walkthrough": "Changes the shop.", "findings": findings})


def shown(asked: Asked) -> Iterator[tuple[str, int, str]]:
    """Path, number and text of the added lines that a prompt shows."""
    for part in re.split(r"(?=^=== )", asked.user, flags=re.MULTILINE):
        if found := _FILE.match(part):
            for number, line in _ADDED.findall(part):
                yield found[1], int(number), line


@dataclass
class Pushed:
    """The pull request, and what each push to it brought about."""

    service: Service
    repository: Repository
    branch: str = "work"
    heads: list[str] = field(default_factory=list)
    asked: list[tuple[list[str], list[str]]] = field(default_factory=list)
    """Added lines shown to Claude and to the local model, for each push."""
    requests: list[int] = field(default_factory=list)
    """To GitHub, tokens apart, for each push."""

    @property
    def pull(self) -> Pull:
        [one] = self.repository.pulls.values()
        return one

    @property
    def summary(self) -> str:
        """The one summary."""
        [one] = [one for one in self.pull.comments if one.author == self.service.app.login]
        return one.body

    @property
    def comments(self) -> list[str]:
        """What stands on lines, and the answers below."""
        return [one.body.rpartition("\n\n<!--")[0] for one in self.pull.threads]

    @property
    def replies(self) -> list[tuple[int | None, str]]:
        """Which comments were answered, and how."""
        return [
            (one.reply_to, one.body.partition("\n")[0])
            for one in self.pull.threads
            if one.reply_to is not None
        ]

    def opened(self, files: dict[str, str], title: str = "Renew sessions") -> None:
        """Push number 1."""
        self.repository.content.commit(self.branch, files, start="main")
        self.repository.open_pull(self.branch, title=title)
        self._delivered("opened")

    def push(self, files: dict[str, str | None]) -> None:
        self.repository.content.commit(self.branch, files)
        self._delivered("synchronize")

    def rebase(self, files: dict[str, str | None]) -> None:
        """All of it anew on the base as it is now."""
        self.repository.content.commit(self.branch, files, start="main", force=True)
        self._delivered("synchronize")

    def back(self, number: int) -> None:
        """A force-push to the head of an earlier push."""
        self.repository.content.put(self.branch, self.heads[number - 1])
        self._delivered("synchronize")

    def _delivered(self, action: str) -> None:
        service = self.service
        service.claude.asked.clear()
        service.local.asked.clear()
        before = len(service.github.requests)
        payload = service.github.payloads.pull_request(self.repository, self.pull, action)
        answered = service.deliver("pull_request", payload)
        assert answered.status == 202
        self.heads.append(self.repository.ends(self.pull)[1])
        job = answered.json()["job"]
        service.until(lambda: service.jobs().get(job) == "SUCCESS", f"push {len(self.heads)}")
        service.at_rest()
        lines = [
            [line for each in server.asked for _, _, line in shown(each)]
            for server in (service.claude, service.local)
        ]
        self.asked.append((lines[0], lines[1]))
        made = service.github.requests[before:]
        self.requests.append(sum("access_tokens" not in one.path for one in made))


def started(service: Service) -> Pushed:
    """A repository with its first files, and models that know what is wrong."""
    service.claude.answering = service.local.answering = answer
    repository = service.repository(pulls=0)
    repository.content.commit(
        "main", {LOGIN: LOGIN_BASE, PAGES: PAGES_BASE, GUIDE: GUIDE_BASE, **POLICY}
    )
    repository.collaborators["grace"] = "write"
    return Pushed(service, repository)


def ten_pushes(service: Service) -> Pushed:
    """Opened, and pushed to nine times more."""
    pushed = started(service)
    pushed.opened({LOGIN: LOGIN_WEAK, PAGES: PAGES_WRONG})
    pushed.push({LOGIN: LOGIN_MENDED})  # 2: a fix
    pushed.push({LOGIN: LOGIN_LOGGED})  # 3: another problem
    pushed.push({PAGES: PAGES_MENDED})  # 4: a typo, mended
    moved = {LOGIN: ABOVE + LOGIN_BASE, PAGES: ABOVE + PAGES_BASE}
    pushed.repository.content.commit("main", moved)
    pushed.rebase({LOGIN: ABOVE + LOGIN_LOGGED, PAGES: ABOVE + PAGES_MENDED})  # 5
    pushed.back(2)  # 6
    pushed.back(5)  # 7: and forth
    pushed.push({PAGES: ABOVE + PAGES_BASE})  # 8: a revert
    pushed.push({LOGIN: None, SIGNIN: ABOVE + LOGIN_LOGGED})  # 9: a rename
    pushed.push({GUIDE: GUIDE_HEAD})  # 10: documentation
    return pushed
