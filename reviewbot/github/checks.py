"""Check runs: one for each run of ours on a head, however often a step is repeated."""

from typing import TYPE_CHECKING, Any, NamedTuple

from reviewbot.github.calls import Calls, Unclear, id_of
from reviewbot.publishing.check_run import BATCH, NAME, CheckRun

if TYPE_CHECKING:
    from github import Github


class Known(NamedTuple):
    """A check run that is there."""

    id: int
    finished: bool = False
    annotations: int = 0
    """How many it has."""


class Checks:
    """The check runs of one repository. Everything raises GitHubError."""

    def __init__(self, calls: Calls, repository: str, author: str) -> None:
        """`author`: the login of our App's bot."""
        self._calls, self._path, self._author = calls, f"/repos/{repository}", author.casefold()

    def find(self, head: str, external_id: str) -> Known | None:
        """Our own run with that id, by App and id: others may copy an id."""
        runs = self._calls.each(
            f"{self._path}/commits/{head}/check-runs",
            "listing check runs",
            under="check_runs",
            check_name=NAME,
            filter="all",
        )
        for run in runs:
            app = run.get("app")
            bot = f"{app.get('slug')}[bot]" if isinstance(app, dict) else ""
            if run.get("external_id") == external_id and bot.casefold() == self._author:
                return _known(run)
        return None

    def create(self, head: str, external_id: str, content: dict[str, Any]) -> int:
        """Make a run. Unclear where it may be there or not: `find` tells."""
        body = {"name": NAME, "head_sha": head, "external_id": external_id, **content}
        return id_of(self._calls.post(f"{self._path}/check-runs", "a check run", body), "a check")

    def finish(self, check: CheckRun, known: Known | None) -> tuple[int, bool]:
        """Bring the run to its end from wherever it stands: its id, whether anything was written.

        Annotations are counted by what was sent: GitHub's own count may lag behind an answer.
        """
        wrote = False
        if known is None:
            known, wrote = self._begun(check), True
        while not known.finished or known.annotations < len(check.annotations):
            body = {"external_id": check.external_id, **_content(check, known.annotations)}
            self._calls.patch(f"{self._path}/check-runs/{known.id}", "a check run", body)
            known, wrote = Known(known.id, True, known.annotations + BATCH), True
        return known.id, wrote

    def _begun(self, check: CheckRun) -> Known:
        try:
            number = self.create(check.head, check.external_id, _content(check, 0))
        except Unclear:
            found = self.find(check.head, check.external_id)
            if found is None:
                raise
            return found
        return Known(number, True, BATCH)


def start_check(
    client: "Github",
    repository: str,
    head: str,
    *,
    external_id: str,
    title: str,
    author: str,
    first: bool = False,
) -> int:
    """A check run that says what is going on, until `publish` ends it; its id.

    A second time finds the first, and `first` spares the look. `title` is ours: no text of
    others. Raises GitHubError.
    """
    checks = Checks(Calls(client), repository, author)
    found = None if first else checks.find(head, external_id)
    return found.id if found else checks.create(head, external_id, _going_on(title))


def retitle_check(client: "Github", repository: str, check_id: int, title: str) -> None:
    """Say anew what is going on. Raises GitHubError."""
    path = f"/repos/{repository}/check-runs/{check_id}"
    Calls(client).patch(path, "a check run", _going_on(title))


def _going_on(title: str) -> dict[str, Any]:
    return {"status": "in_progress", "output": {"title": title, "summary": title}}


def _content(check: CheckRun, sent: int) -> dict[str, Any]:
    """The finished run with the next annotations: GitHub adds them to those that it has."""
    batch = check.annotations[sent : sent + BATCH]
    return {
        "status": "completed",
        "conclusion": check.conclusion,
        "output": {
            "title": check.title,
            "summary": check.summary,
            "annotations": [annotation.to_json() for annotation in batch],
        },
    }


def _known(run: dict[str, Any]) -> Known:
    output = run.get("output")
    count = output.get("annotations_count") if isinstance(output, dict) else 0
    finished = run.get("status") == "completed"
    return Known(id_of(run, "a check run"), finished, count if isinstance(count, int) else 0)
