"""The payloads of webhooks, from what the simulator knows."""

from collections.abc import Set
from typing import TYPE_CHECKING, Any

from github_simulator import app_shapes, remark_shapes, shapes
from github_simulator.apps import EVENTS, Installation
from github_simulator.records import CheckRun, Comment, LineComment
from github_simulator.state import Pull, Repository

if TYPE_CHECKING:
    from github_simulator.server import GitHubSimulator

Payload = dict[str, Any]


class Payloads:
    """One method for each event; `sender` is who did it."""

    def __init__(self, simulator: "GitHubSimulator") -> None:
        self._simulator = simulator

    def pull_request(
        self,
        repository: Repository,
        pull: Pull,
        action: str = "opened",
        *,
        sender: str = "ada",
        before: str | None = None,
        base_before: str | None = None,
        label: str | None = None,
    ) -> Payload:
        """`before` is the head before a push, `base_before` the base branch before an edit."""
        api = self._simulator.url
        more: Payload = {}
        if before is not None:
            more = {"before": before, "after": repository.ends(pull)[1]}
        if action == "edited":
            more["changes"] = {}
        if base_before is not None:
            sha = repository.content.resolve(base_before)
            more["changes"] = {"base": {"ref": {"from": base_before}, "sha": {"from": sha}}}
        if label is not None:
            more["label"] = shapes.label(api, repository.full_name, label)
        return {
            "action": action,
            "number": pull.number,
            "pull_request": repository.pull_json(api, pull),
            **more,
            **self._around(repository, sender),
        }

    def issue_comment(
        self, repository: Repository, pull: Pull, comment: Comment, action: str = "created"
    ) -> Payload:
        return {
            "action": action,
            "issue": self._issue(repository, pull),
            "comment": remark_shapes.comment(self._simulator.url, repository, comment),
            **self._around(repository, comment.author),
        }

    def review_comment(
        self, repository: Repository, pull: Pull, comment: LineComment, action: str = "created"
    ) -> Payload:
        """Of the event `pull_request_review_comment`."""
        api = self._simulator.url
        return {
            "action": action,
            "comment": remark_shapes.line_comment(api, repository, pull, comment),
            "pull_request": repository.pull_json(api, pull),
            **self._around(repository, comment.author),
        }

    def review_thread(
        self,
        repository: Repository,
        pull: Pull,
        comment: LineComment,
        action: str = "resolved",
        *,
        sender: str = "ada",
    ) -> Payload:
        """Of the event `pull_request_review_thread`; `comment` began the thread. Its pull request
        is GitHub's short form."""
        api = self._simulator.url
        replies = [one for one in pull.threads if one.reply_to == comment.id]
        shown = repository.pull_json(api, pull)
        counts = ("commits", "additions", "deletions", "changed_files", "comments")
        merging = ("merged", "merged_by", "mergeable", "mergeable_state", "maintainer_can_modify")
        left_out = {*counts, *merging, "review_comments"}
        return {
            "action": action,
            "pull_request": {name: shown[name] for name in shown if name not in left_out},
            "thread": {
                "node_id": f"PRRT_{comment.id}",
                "comments": [
                    remark_shapes.line_comment(api, repository, pull, one)
                    for one in (comment, *replies)
                ],
            },
            "updated_at": app_shapes.stamp(self._simulator.now()),
            **self._around(repository, sender),
        }

    def check_run(
        self,
        repository: Repository,
        run: CheckRun,
        action: str = "rerequested",
        *,
        sender: str = "ada",
    ) -> Payload:
        shown = remark_shapes.check_run(self._simulator.url, repository, run)
        suite = {**shown["check_suite"], "head_sha": run.head, "head_branch": None}
        suite["pull_requests"] = shown["pull_requests"]
        return {
            "action": action,
            "check_run": {**shown, "check_suite": suite},
            **self._around(repository, sender),
        }

    def installation(self, known: Installation, action: str = "created") -> Payload:
        return {
            "action": action,
            "installation": app_shapes.installation(self._simulator.url, known),
            "repositories": self._named(known),
            "sender": shapes.user(self._simulator.url, known.account),
        }

    def installation_repositories(
        self, known: Installation, *, added: Set[str] = frozenset(), removed: Set[str] = frozenset()
    ) -> Payload:
        every = self._simulator.repositories
        return {
            "action": "added" if added else "removed",
            "installation": app_shapes.installation(self._simulator.url, known),
            "repository_selection": "all" if known.chosen is None else "selected",
            "repositories_added": [_short(every[name]) for name in sorted(added)],
            "repositories_removed": [_short(every[name]) for name in sorted(removed)],
            "requester": None,
            "sender": shapes.user(self._simulator.url, known.account),
        }

    def ping(self) -> Payload:
        hook = {"type": "App", "id": 1, "active": True, "events": list(EVENTS)}
        return {"zen": "Keep it logically awesome.", "hook_id": 1, "hook": hook}

    def _issue(self, repository: Repository, pull: Pull) -> Payload:
        """A pull request as the issue it also is."""
        api = self._simulator.url
        shown = repository.pull_json(api, pull)
        same = "id node_id number title state locked user labels body comments created_at"
        return {
            **{name: shown[name] for name in f"{same} updated_at closed_at draft".split()},
            "url": shown["issue_url"],
            "html_url": shown["html_url"],
            "comments_url": shown["comments_url"],
            "pull_request": {
                name: shown[name] for name in ("url", "html_url", "diff_url", "patch_url")
            },
            "author_association": "CONTRIBUTOR",
        }

    def _around(self, repository: Repository, sender: str) -> Payload:
        api, name = self._simulator.url, repository.full_name
        known = self._simulator.apps.installations.values()
        mine = (one for one in known if one.covers(name) and not one.deleted)
        installed = next(mine, None)
        around: Payload = {
            "repository": shapes.repository(api, name, private=repository.private),
            "sender": shapes.user(api, sender),
        }
        if installed:
            around["installation"] = {"id": installed.id, "node_id": f"I_{installed.id}"}
        return around

    def _named(self, known: Installation) -> list[Payload]:
        every = self._simulator.repositories.values()
        return [_short(one) for one in every if known.covers(one.full_name)]


def _short(repository: Repository) -> Payload:
    return {
        "id": repository.id,
        "node_id": f"R_{repository.id}",
        "name": repository.full_name.partition("/")[2],
        "full_name": repository.full_name,
        "private": repository.private,
    }
