"""What changed between two commits."""

from typing import Any

from github_simulator import shapes
from github_simulator.messages import Answer, Call, not_found
from github_simulator.routes import Route
from github_simulator.state import Repository


def compare(call: Call, base: str, head: str) -> Answer:
    """From the merge base on, as with three dots; a page of commits, and all files with the
    first."""
    repository, query = call.repository, call.request.query
    content = repository.content
    if not (content.exists(f"{base}^{{commit}}") and content.exists(f"{head}^{{commit}}")):
        raise not_found()
    start, behind = content.merge_base(base, head), content.between(head, base)
    ahead = content.between(base, head)
    size, page = int(query.get("per_page", 250)), int(query.get("page", 1))
    status = "diverged" if ahead and behind else "ahead" if ahead else "behind"
    url = f"{call.api}/repos/{repository.full_name}/compare/{base}...{head}"
    files, _ = repository.page_json(call.api, (base, head), call.simulator.limits, 1, 300)
    return Answer(
        200,
        {
            **dict.fromkeys(("url", "html_url", "permalink_url", "diff_url", "patch_url"), url),
            "base_commit": _commit(call.api, repository, base),
            "merge_base_commit": _commit(call.api, repository, start),
            "status": "identical" if base == head else status,
            "ahead_by": len(ahead),
            "behind_by": len(behind),
            "total_commits": len(ahead),
            "commits": [
                _commit(call.api, repository, sha) for sha in ahead[(page - 1) * size : page * size]
            ],
            "files": files if page == 1 else [],
        },
    )


def _commit(api: str, repository: Repository, sha: str) -> dict[str, Any]:
    url = f"{api}/repos/{repository.full_name}/commits/{sha}"
    who = {"name": "Ada", "email": "ada@example.com", "date": shapes.WHEN}
    return {
        "sha": sha,
        "node_id": f"C_{sha}",
        "url": url,
        "html_url": url,
        "comments_url": f"{url}/comments",
        "author": shapes.user(api, "ada"),
        "committer": shapes.user(api, "ada"),
        "parents": [],
        "commit": {
            "author": who,
            "committer": who,
            "message": "Change",
            "tree": {"sha": sha, "url": url},
            "url": url,
            "comment_count": 0,
        },
    }


ROUTES = (Route("GET", r"/compare/([0-9a-f]+)\.\.\.([0-9a-f]+)", ("contents:read",), compare),)
