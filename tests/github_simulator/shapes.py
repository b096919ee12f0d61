"""GitHub's JSON, with every field that its description demands."""

from typing import Any
from zlib import crc32

WHEN = "2030-01-01T00:00:00Z"

_USER_LINKS = (
    "events followers following gists organizations received_events repos starred subscriptions"
)
_REPOSITORY_LINKS = (
    "archive assignees blobs branches collaborators comments commits compare contents contributors "
    "deployments downloads events forks git_commits git_refs git_tags hooks issue_comment "
    "issue_events issues keys labels languages merges milestones notifications pulls releases "
    "stargazers statuses subscribers subscription tags teams trees"
)


def id_of(name: str) -> int:
    """A number that stays the same."""
    return crc32(name.encode())


def user(api: str, login: str) -> dict[str, Any]:
    url = f"{api}/users/{login}"
    return {
        **{f"{link}_url": f"{url}/{link}" for link in _USER_LINKS.split()},
        "login": login,
        "id": id_of(login),
        "node_id": f"U_{id_of(login)}",
        "avatar_url": f"{url}/avatar",
        "gravatar_id": "",
        "url": url,
        "html_url": url,
        "type": "Bot" if login.endswith("[bot]") else "User",
        "site_admin": False,
    }


def repository(api: str, full_name: str, *, private: bool, fork: bool = False) -> dict[str, Any]:
    owner, _, name = full_name.partition("/")
    url = f"{api}/repos/{full_name}"
    features = ("downloads", "issues", "projects", "wiki", "pages")
    return {
        **{f"{link}_url": f"{url}/{link}" for link in _REPOSITORY_LINKS.split()},
        **{f"has_{feature}": False for feature in features},
        **dict.fromkeys(("clone_url", "git_url", "ssh_url", "svn_url", "html_url"), f"{url}.git"),
        **dict.fromkeys(("forks", "forks_count", "open_issues", "open_issues_count", "size"), 0),
        **dict.fromkeys(("stargazers_count", "watchers", "watchers_count"), 0),
        **dict.fromkeys(("created_at", "updated_at", "pushed_at"), WHEN),
        **dict.fromkeys(("description", "homepage", "language", "license", "mirror_url")),
        "id": id_of(full_name),
        "node_id": f"R_{id_of(full_name)}",
        "name": name,
        "full_name": full_name,
        "owner": user(api, owner),
        "url": url,
        "private": private,
        "fork": fork,
        "archived": False,
        "disabled": False,
        "default_branch": "main",
    }


def label(api: str, full_name: str, name: str) -> dict[str, Any]:
    return {
        "id": id_of(name),
        "node_id": f"LA_{id_of(name)}",
        "url": f"{api}/repos/{full_name}/labels/{name}",
        "name": name,
        "description": None,
        "color": "ededed",
        "default": False,
    }


def end(api: str, repo: dict[str, Any], ref: str, sha: str) -> dict[str, Any]:
    """A pull request's head or base."""
    login = repo["owner"]["login"]
    return {
        "label": f"{login}:{ref}",
        "ref": ref,
        "sha": sha,
        "repo": repo,
        "user": user(api, login),
    }


def pull(api: str, full_name: str, number: int, facts: dict[str, Any]) -> dict[str, Any]:
    """A pull request; `facts` are the fields that the state decides."""
    url = f"{api}/repos/{full_name}/pulls/{number}"
    issue = f"{api}/repos/{full_name}/issues/{number}"
    links = {
        "url": url,
        "html_url": url,
        "diff_url": f"{url}.diff",
        "patch_url": f"{url}.patch",
        "issue_url": issue,
        "commits_url": f"{url}/commits",
        "comments_url": f"{issue}/comments",
        "review_comments_url": f"{url}/comments",
        "review_comment_url": f"{api}/repos/{full_name}/pulls/comments{{/number}}",
        "statuses_url": f"{api}/repos/{full_name}/statuses/{facts['head']['sha']}",
    }
    linked = ("comments", "commits", "statuses", "html", "issue", "review_comments")
    return {
        **links,
        **dict.fromkeys(("assignee", "milestone", "closed_at", "merged_at", "auto_merge")),
        **dict.fromkeys(("merge_commit_sha", "merged_by", "mergeable", "active_lock_reason")),
        **dict.fromkeys(("comments", "review_comments", "commits"), 0),
        **dict.fromkeys(("created_at", "updated_at"), WHEN),
        "_links": {
            **{name: {"href": links[f"{name}_url"]} for name in linked},
            "review_comment": {"href": links["review_comment_url"]},
            "self": {"href": url},
        },
        "id": id_of(url),
        "node_id": f"PR_{id_of(url)}",
        "number": number,
        "state": "open",
        "locked": False,
        "author_association": "CONTRIBUTOR",
        "merged": False,
        "mergeable_state": "unknown",
        "maintainer_can_modify": False,
        **facts,
    }
