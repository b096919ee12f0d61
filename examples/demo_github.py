"""The simulated GitHub of the demonstration: one repository, one App, pull requests, webhooks."""

import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from demo_service import DemoError, Service
from demo_shop import Branch
from github_simulator.apps import App, Installation
from github_simulator.content import Content
from github_simulator.page import as_page
from github_simulator.records import CheckRun, Comment
from github_simulator.server import GitHubSimulator
from github_simulator.state import Pull, Repository
from github_simulator.webhooks import Response

REPOSITORY = "acme/shop"
#: May write to the repository; the pull requests' authors may not.
MAINTAINER = "robin"


@dataclass(frozen=True)
class GitHub:
    """What the demonstration does on it."""

    simulator: GitHubSimulator
    repository: Repository
    app: App
    installation: Installation

    def environment(self, folder: Path) -> dict[str, str]:
        """Settings of a service for this App; its key and the webhook's secret are in `folder`."""
        secrets_of_app = {
            "GITHUB_PRIVATE_KEY": ("app.pem", self.app.private_key),
            "WEBHOOK_SECRET": ("webhook-secret", self.app.webhook_secret),
        }
        found = {
            "REVIEWBOT_GITHUB_API_URL": self.simulator.url,
            "REVIEWBOT_GITHUB_APP_ID": str(self.app.id),
        }
        for name, (file, value) in secrets_of_app.items():
            path = folder / file
            path.touch(0o600)
            path.write_text(value, "utf-8")
            found[f"REVIEWBOT_{name}_FILE"] = str(path.resolve())
        return found

    def open_pull(self, branch: Branch) -> Pull:
        """As its author would."""
        return self.repository.open_pull(
            branch.name, title=branch.title, body=branch.description, author=branch.author
        )

    def deliver_opened(self, service: Service, pull: Pull) -> Response:
        """The webhook of a pull request that was opened. Raises DemoError if it is not accepted."""
        author = pull.author or ""
        payload = self.simulator.payloads.pull_request(self.repository, pull, sender=author)
        return self._deliver(service, "pull_request", payload)

    def deliver_comment(self, service: Service, pull: Pull, comment: Comment) -> Response:
        """The webhook of a new comment. Raises DemoError if it is not accepted."""
        payload = self.simulator.payloads.issue_comment(self.repository, pull, comment)
        return self._deliver(service, "issue_comment", payload)

    def check(self, pull: Pull) -> CheckRun | None:
        """The check of the pull request's head; that it is finished is the last thing posted."""
        head = self.repository.ends(pull)[1]
        return next((run for run in self.repository.checks if run.head == head), None)

    def write_pages(self, file: Path) -> None:
        """All pull requests as one page."""
        pulls = self.repository.pulls.values()
        file.write_text(as_page(self.repository, *pulls, note=self.simulator.note), "utf-8")

    def address(self, pull: Pull) -> str:
        """The pull request's page while the demonstration runs."""
        return f"{self.simulator.url}/{self.repository.full_name}/pull/{pull.number}"

    def _deliver(self, service: Service, event: str, payload: Mapping[str, object]) -> Response:
        answer = self.simulator.deliver(f"{service.address}/webhook", event, payload)
        if answer.status != 202:
            said = answer.body.decode("utf-8", "replace")[:200].strip()
            told = f"got {answer.status}: {said}" if answer.status else "got no answer"
            raise DemoError(f"the {event} webhook {told}")
        return answer


@contextmanager
def simulated_github(folder: Path, shop: Path, *, note: str) -> Iterator[GitHub]:
    """A GitHub that has the repository at `shop` and an App, until the block ends."""
    folder.mkdir()
    # checked=False: the tests do that; the first check alone takes seconds
    with GitHubSimulator(folder, checked=False, note=note) as simulator:
        repository = simulator.repository(REPOSITORY, start=Content(shop / ".git"))
        repository.private = True
        repository.collaborators[MAINTAINER] = "write"
        app = simulator.app()
        app.webhook_secret = secrets.token_hex(32)
        yield GitHub(simulator, repository, app, simulator.install(app, "acme"))
