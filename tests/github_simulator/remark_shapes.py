"""GitHub's JSON for reviews, comments, reactions and check runs."""

from collections import Counter
from typing import Any

from github_simulator import app_shapes, shapes
from github_simulator.records import CheckRun, Comment, Issue, LineComment, Reaction, Review
from github_simulator.state import Pull, Repository

CONTENTS = ("+1", "-1", "laugh", "confused", "heart", "hooray", "rocket", "eyes")


def review(api: str, repository: Repository, pull: Pull, known: Review) -> dict[str, Any]:
    address = f"{api}/repos/{repository.full_name}/pulls/{pull.number}"
    page = f"{address}#pullrequestreview-{known.id}"
    return {
        "id": known.id,
        "node_id": f"PRR_{known.id}",
        "user": shapes.user(api, known.author),
        "body": known.body,
        "state": known.state,
        "html_url": page,
        "pull_request_url": address,
        "author_association": association(repository, known.author),
        "_links": {"html": {"href": page}, "pull_request": {"href": address}},
        "submitted_at": known.when,
        "commit_id": known.commit,
    }


def line_comment(
    api: str, repository: Repository, pull: Pull, known: LineComment
) -> dict[str, Any]:
    root = f"{api}/repos/{repository.full_name}/pulls"
    url, page = f"{root}/comments/{known.id}", f"{root}/{pull.number}#discussion_r{known.id}"
    line = repository.present_line(pull, known)
    start = known.start_line and line and known.start_line + line - known.line
    reply = {} if known.reply_to is None else {"in_reply_to_id": known.reply_to}
    return {
        "url": url,
        "pull_request_review_id": known.review,
        "id": known.id,
        "node_id": f"PRRC_{known.id}",
        "diff_hunk": known.hunk,
        "path": known.path,
        "position": line and known.position,
        "original_position": known.position,
        "commit_id": repository.ends(pull)[1],
        "original_commit_id": known.commit,
        "user": shapes.user(api, known.author),
        "body": known.body,
        "created_at": known.when,
        "updated_at": known.updated or known.when,
        "html_url": page,
        "pull_request_url": f"{root}/{pull.number}",
        "author_association": association(repository, known.author),
        "_links": {
            "self": {"href": url},
            "html": {"href": page},
            "pull_request": {"href": f"{root}/{pull.number}"},
        },
        "line": line,
        "original_line": known.line,
        "side": known.side,
        "start_line": start,
        "original_start_line": known.start_line,
        "start_side": known.start_side,
        "subject_type": "line",
        "reactions": rollup(url, known.reactions),
        **reply,
    }


def comment(api: str, repository: Repository, known: Comment) -> dict[str, Any]:
    issue = f"{api}/repos/{repository.full_name}/issues/{known.number}"
    url = f"{api}/repos/{repository.full_name}/issues/comments/{known.id}"
    return {
        "id": known.id,
        "node_id": f"IC_{known.id}",
        "url": url,
        "html_url": f"{issue}#issuecomment-{known.id}",
        "issue_url": issue,
        "body": known.body,
        "user": shapes.user(api, known.author),
        "created_at": known.when,
        "updated_at": known.updated or known.when,
        "author_association": association(repository, known.author),
        "performed_via_github_app": app_shapes.app(api, known.app) if known.app else None,
        "reactions": rollup(url, known.reactions),
    }


def issue(api: str, repository: Repository, known: Issue) -> dict[str, Any]:
    facts = {
        "id": known.id,
        "node_id": f"I_{known.id}",
        "number": known.number,
        "state": known.state,
        "title": known.title,
        "body": known.body,
        "created_at": known.when,
        "updated_at": known.updated or known.when,
        "performed_via_github_app": app_shapes.app(api, known.app) if known.app else None,
    }
    return _issue(api, repository, known.author, facts)


def pull_as_issue(api: str, repository: Repository, pull: Pull) -> dict[str, Any]:
    """How a pull request stands among the issues."""
    url = f"{api}/repos/{repository.full_name}/pulls/{pull.number}"
    links = dict.fromkeys(("url", "html_url", "diff_url", "patch_url"), url)
    number = shapes.id_of(url)
    facts = {
        "id": number,
        "node_id": f"PR_{number}",
        "number": pull.number,
        "state": pull.state,
        "title": pull.title,
        "body": pull.body,
        "created_at": shapes.WHEN,
        "updated_at": shapes.WHEN,
        "pull_request": links,
    }
    return _issue(api, repository, pull.author or "ghost", facts)


def _issue(api: str, repository: Repository, author: str, facts: dict[str, Any]) -> dict[str, Any]:
    root = f"{api}/repos/{repository.full_name}"
    url = f"{root}/issues/{facts['number']}"
    return {
        **dict.fromkeys(("assignee", "milestone", "closed_at")),
        "url": url,
        "repository_url": root,
        "labels_url": f"{url}/labels{{/name}}",
        "comments_url": f"{url}/comments",
        "events_url": f"{url}/events",
        "html_url": url,
        "labels": [],
        "assignees": [],
        "locked": False,
        "comments": 0,
        "user": shapes.user(api, author),
        "author_association": association(repository, author),
        "reactions": rollup(url, []),
        **facts,
    }


def reaction(api: str, known: Reaction) -> dict[str, Any]:
    return {
        "id": known.id,
        "node_id": f"REA_{known.id}",
        "user": shapes.user(api, known.author),
        "content": known.content,
        "created_at": known.when,
    }


def rollup(url: str, known: list[Reaction]) -> dict[str, Any]:
    counts = Counter(one.content for one in known)
    listed = {content: counts[content] for content in CONTENTS}
    return {"url": f"{url}/reactions", "total_count": len(known), **listed}


def association(repository: Repository, author: str) -> str:
    if author == repository.full_name.partition("/")[0]:
        return "OWNER"
    return "COLLABORATOR" if author in repository.collaborators else "NONE"


def check_run(api: str, repository: Repository, known: CheckRun) -> dict[str, Any]:
    url = f"{api}/repos/{repository.full_name}/check-runs/{known.id}"
    texts = {name: known.output.get(name) for name in ("title", "summary", "text")}
    return {
        "id": known.id,
        "head_sha": known.head,
        "node_id": f"CR_{known.id}",
        "external_id": known.external_id,
        "url": url,
        "html_url": url,
        "details_url": known.details_url or "http://127.0.0.1",
        "status": known.status,
        "conclusion": known.conclusion,
        "started_at": known.started,
        "completed_at": known.completed,
        "output": {
            **texts,
            "annotations_count": len(known.annotations),
            "annotations_url": f"{url}/annotations",
        },
        "name": known.name,
        "check_suite": {"id": shapes.id_of(known.head)},
        "app": app_shapes.app(api, known.app),
        "pull_requests": [
            minimal_pull(api, repository, pull)
            for pull in tuple(repository.pulls.values())
            if repository.ends(pull)[1] == known.head and not pull.head_repository
        ],
    }


def minimal_pull(api: str, repository: Repository, pull: Pull) -> dict[str, Any]:
    """As check runs name it; they don't name those of forks."""
    url = f"{api}/repos/{repository.full_name}"
    name = repository.full_name.partition("/")[2]
    here = {"id": repository.id, "url": url, "name": name}
    base, head = repository.ends(pull)
    return {
        "id": shapes.id_of(f"{url}/pulls/{pull.number}"),
        "number": pull.number,
        "url": f"{url}/pulls/{pull.number}",
        "head": {"ref": pull.head, "sha": head, "repo": here},
        "base": {"ref": pull.base, "sha": base, "repo": here},
    }


def annotation(api: str, repository: Repository, run: CheckRun, known: dict[str, Any]) -> Any:
    optional = ("start_column", "end_column", "title", "raw_details")
    return {
        **dict.fromkeys(optional),
        **known,
        "blob_href": f"{api}/repos/{repository.full_name}/git/blobs/{run.head}",
    }
