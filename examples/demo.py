"""`make demo`: the real service reviews five pull requests of a small web shop.

`reviewbot serve` runs as its operator would start it; only GitHub is a simulated one on this
machine, the tests' own. Models that are configured are used; for one that is not, a server on this
machine plays the hand-written answers of `answers/`, and everything it touches is marked SCRIPTED.
DEMO_SCRIPTED=1 plays them in any case, DEMO_EXIT=1 ends it all when it is done.
"""

import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

# the simulated GitHub is the tests' own
sys.path.append(str(Path(__file__).parents[1] / "tests"))

from demo_costs import Result, table
from demo_github import MAINTAINER, GitHub, simulated_github
from demo_models import Models, find_models
from demo_service import DemoError, Service
from demo_shop import Branch, make_repository
from demo_story import Story
from github_simulator.records import CheckRun
from github_simulator.state import Pull
from scripted_server import ScriptedServer, written_answers

from reviewbot.errors import ReviewbotError
from reviewbot.store.pulls import PullStore, open_pull_store

#: Longest wait for one review, seconds: with hand-written answers, and with real models.
SCRIPTED_SECONDS, REAL_SECONDS = 120, 1800
#: The check's title where no review came.
FAILED = "The review failed"
QUESTION = "/reviewbot why"


def main(folder: Path) -> int:
    """Run the demonstration in `folder`, which is emptied first; the exit code."""
    story, models = Story(), find_models()
    with _own(folder):
        branches = make_repository(folder / "shop")
        _banner(story, models, len(branches))
        note = "A demonstration on this machine: GitHub is simulated."
        if models.scripted:
            note += " SCRIPTED: what is marked so was written by hand; no model took part in it."
        with (
            ScriptedServer(written_answers()) as models_server,
            simulated_github(folder / "github", folder / "shop", note=note) as github,
        ):
            environment = {
                **models.environment(models_server.url),
                **github.environment(folder),
                "REVIEWBOT_DATA_DIR": str((folder / "data").resolve()),
            }
            service = Service(environment, folder / "service.log")
            try:
                return Demo(story, models, folder, github, service).run(branches)
            except DemoError as error:
                _explain(story, error, service)
                return 1


class Demo:
    """One run: everything is made, nothing is started."""

    def __init__(
        self, story: Story, models: Models, folder: Path, github: GitHub, service: Service
    ) -> None:
        self._story, self._models, self._folder = story, models, folder
        self._github, self._service = github, service
        self._patience = SCRIPTED_SECONDS if models.scripted else REAL_SECONDS

    def run(self, branches: list[Branch]) -> int:
        """The exit code. Raises DemoError."""
        with self._service:
            self._start()
            with open_pull_store(f"sqlite:///{self._folder / 'data' / 'reviewbot.db'}") as store:
                results = [self._review(store, branch, len(branches)) for branch in branches]
            self._ask(self._github.repository.pulls[1])
            self._github.write_pages(self._folder / "pull-requests.html")
            self._story.exactly("")
            self._story.rule()
            self._story.exactly(table(results), "")
            self._close()
            if _stays():
                with suppress(KeyboardInterrupt):
                    self._stay()
        return 0

    def _start(self) -> None:
        self._story.exactly("")
        with self._story.console.status("starting `reviewbot serve` …"):
            parts = self._service.wait_until_ready()
        self._story.line("service", f"ready, listens on {self._service.address}")
        for name, detail in parts.items():
            self._story.line("", f"{name}: {detail}", style="dim")
        self._story.exactly(f"log       {self._service.log}")

    def _review(self, store: PullStore, branch: Branch, count: int) -> Result:
        """Open a pull request, tell the service, and show what it does."""
        github, story = self._github, self._story
        pull = github.open_pull(branch)
        story.pull(github.repository, pull, count)
        start = time.monotonic()
        story.accepted("pull_request opened", github.deliver_opened(self._service, pull))
        check = self._finished(pull)
        found = store.newest_review(github.installation.id, github.repository.id, pull.number)
        if found is None or check.output["title"] == FAILED:
            raise DemoError(f"pull request #{pull.number}: {check.output['title'].lower()}")
        story.reviewed(pull, check, found.result, time.monotonic() - start)
        if _stays():
            story.exactly(f"page      {self._service.address}/reviews/{found.id}")
        text = json.dumps(found.result, indent=2, ensure_ascii=False)
        (self._folder / f"{branch.name}.json").write_text(f"{text}\n", "utf-8")
        return found.result

    def _finished(self, pull: Pull) -> CheckRun:
        """The pull request's check once it is finished; what it says until then is shown."""
        seen: list[CheckRun] = []
        with self._story.console.status("waiting for the worker …") as status:

            def finished() -> bool:
                check = self._github.check(pull)
                if check and check.conclusion:
                    seen.append(check)
                elif check:
                    status.update(f"{check.output.get('title', 'reviewing')} …")
                return bool(seen)

            self._service.until(finished, self._patience, f"review pull request #{pull.number}")
        return seen[0]

    def _ask(self, pull: Pull) -> None:
        """Somebody with write permission wants to know why a pull request went where it went."""
        github, story = self._github, self._story
        before = len(pull.comments)
        question = github.simulator.person(MAINTAINER).comment(pull, QUESTION)
        story.question(pull, question)
        story.accepted("issue_comment", github.deliver_comment(self._service, pull, question))
        with story.console.status("answering …"):
            # 👀, the answer, 🚀
            self._service.until(
                lambda: len(question.reactions) > 1, SCRIPTED_SECONDS, "answer a comment"
            )
        story.answered(question, pull.comments[before + 1 :])

    def _close(self) -> None:
        """What the table leaves out, and how to go on."""
        if not self._models.local:
            self._story.exactly(
                "The scripted server answers at once: a real local model takes seconds, joules and cents.",
                "",
            )
        self._story.exactly(
            *("Your own repository, this branch against its default branch; no GitHub needed:", ""),
            *("  .venv/bin/reviewbot review --repo PATH", ""),
            "With models: ANTHROPIC_API_KEY=… and REVIEWBOT_LOCAL_URL=http://127.0.0.1:8000/v1",
            "Only where a change would go, and why: .venv/bin/reviewbot route --repo PATH",
            "",
            f"The pull requests as GitHub shows them: {self._folder / 'pull-requests.html'}",
            f"Each review as JSON: {self._folder}/*.json; all that the service keeps: {self._folder}/data",
        )

    def _stay(self) -> None:
        """Until ^C. Raises DemoError if the service ends before."""
        first = self._github.address(self._github.repository.pulls[1])
        self._story.exactly(
            f"The same while this runs: {first} (… /2, /3)",
            "The service's own pages, the month and each review; this link signs you in, once:",
            "",
            f"  {self._service.login}",
            "",
            "It all stays up until you press ^C.",
        )
        self._service.wait_for_end()
        raise DemoError("the service ended by itself")


def _stays() -> bool:
    return os.environ.get("DEMO_EXIT", "") in ("", "0")


@contextmanager
def _own(folder: Path) -> Iterator[None]:
    """The folder, emptied, and no one else's until the block ends. Raises DemoError."""
    folder.mkdir(exist_ok=True)
    handle = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise DemoError(f"another demonstration uses {folder}: end it first (^C)") from None
        for path in folder.iterdir():
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink()
        yield
    finally:
        os.close(handle)


def _banner(story: Story, models: Models, pulls: int) -> None:
    """What is real in this run and what is not."""
    story.rule()
    story.exactly(
        f"reviewbot: its service reviews {pulls} pull requests of a small web shop (examples/)",
        "",
        "Real here:   `reviewbot serve` with its listener, queue and worker; git, signatures, tokens,",
        "             routing, packing, analysers, anchoring, posting, prices, the ledger.",
        "GitHub:      SIMULATED by a server on this machine that refuses what GitHub would refuse.",
        *models.lines(),
    )
    story.rule()


def _explain(story: Story, error: DemoError, service: Service) -> None:
    """What went wrong, what the service said last, and what to do."""
    story.exactly("", *(f"  {line[:500]}" for line in service.last_lines()))
    print(f"\ndemo: {error}", file=sys.stderr)
    print(f"Above is the end of the service's log; all of it: {service.log}", file=sys.stderr)
    print("If it names a model or a key, DEMO_SCRIPTED=1 make demo needs neither.", file=sys.stderr)


def _end(_number: int, _frame: object) -> None:
    """A signal to end unwinds as ^C does: nothing stays behind."""
    raise KeyboardInterrupt


if __name__ == "__main__":
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _end)
    try:
        sys.exit(main(Path(".demo")))
    except ReviewbotError as error:
        sys.exit(f"demo: {error}")
    except OSError as error:
        sys.exit(f"demo: {error}")
    except subprocess.CalledProcessError as error:
        sys.exit(f"demo: {' '.join(error.cmd[:2])} failed (exit code {error.returncode})")
    except KeyboardInterrupt:
        sys.exit(130)
