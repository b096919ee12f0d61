"""A GitHub pull request as a change."""

import re
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

from reviewbot.change.kinds import with_kinds
from reviewbot.change.model import Change
from reviewbot.change.parse import parse_diff
from reviewbot.change.source import Fetched
from reviewbot.errors import SourceError
from reviewbot.github.client import failure, not_github, plain_errors
from reviewbot.github.context import read_context, read_sources
from reviewbot.github.listing import FileList

if TYPE_CHECKING:
    from github import Github

_DIFF = "application/vnd.github.v3.diff"
#: GitHub's word for a diff that is too long to give (406), and its failures on long ones.
_NO_DIFF = frozenset((406, 422, 500, 502, 503, 504))

_OWNER = r"[A-Za-z0-9](?:[A-Za-z0-9_-]{0,98})"
_NAME = r"(?!\.{1,2}/)[A-Za-z0-9._-]{1,100}"
_PATH = re.compile(rf"/({_OWNER})/({_NAME})/pull/([1-9][0-9]{{0,9}})(?:/.*)?", re.ASCII)


class PullAddress(NamedTuple):
    """Which pull request."""

    owner: str
    repository: str
    number: int


def parse_pr_url(url: str, api_url: str) -> PullAddress:
    """The pull request at `url`, as a browser shows it, on the server of `api_url`.

    Raises SourceError for any other host, so that a token goes only where the operator said.
    """
    try:
        given, api = urlsplit(url.strip()), urlsplit(api_url)
        place, ours = given.netloc.lower(), _web_host(api.netloc.lower())
    except ValueError:
        given, place, ours = urlsplit(""), "", ""
    if "@" in place:
        raise SourceError("no user or password belongs in the address of a pull request")
    found = _PATH.fullmatch(given.path)
    if given.scheme not in ("https", "http") or not found or not url.strip().isprintable():
        shown = ascii(url[:100])[1:-1]
        raise SourceError(
            f"not a pull request: {shown} (expected https://github.com/OWNER/REPOSITORY/pull/NUMBER)"
        )
    if place != ours:
        raise SourceError(
            f"{ascii(place[:100])[1:-1]} is not {ours}: set REVIEWBOT_GITHUB_API_URL for another GitHub"
        )
    return PullAddress(found[1], found[2], int(found[3]))


def _web_host(api_host: str) -> str:
    """The host of the pages: Enterprise Server has its API below them, github.com and ghe.com
    on `api.`."""
    on_its_own = api_host == "api.github.com" or api_host.endswith(".ghe.com")
    return api_host.removeprefix("api.") if on_its_own else api_host


class _Pull(NamedTuple):
    """What the pull request says of itself."""

    repository: str
    repository_id: int
    number: int
    title: str
    description: str
    base: str
    head: str
    branch: str
    author: str
    labels: tuple[str, ...]
    draft: bool
    closed: bool
    changed_files: int


def read_pull(
    client: "Github",
    owner: str,
    repository: str,
    number: int,
    *,
    facts: Mapping[str, Any] | None = None,
    also: Collection[str] = (),
) -> Fetched:
    """The pull request with its files, its policy and the texts around.

    `facts` is what GitHub says of it, where that was asked for just now; `also` are files whose
    texts are wanted though they need not be part of it. Takes 4 requests for a
    usual one, 3 with facts. Every file that GitHub counts is in the change, or in its
    `missing_files`. Raises SourceError in one clear line, DiffError for a diff that makes no sense.
    """
    with plain_errors(client, f"{owner}/{repository}#{number}"):
        pull = _read_facts(client, f"{owner}/{repository}", number, facts)
        change, notes = _read_files(client, pull)
    context = read_context(client, pull.repository, pull.base)
    change = with_kinds(change, attributes=context.attributes)
    sources, unread = read_sources(client, pull.repository, change, also)
    return Fetched(
        change=with_kinds(change, attributes=context.attributes, base=sources.base),
        sources=sources,
        policy=context.policy,
        guidelines=context.guidelines,
        author=pull.author,
        labels=pull.labels,
        branch=pull.branch,
        draft=pull.draft,
        closed=pull.closed,
        repository_id=pull.repository_id,
        notes=(*notes, *context.notes, *unread),
    )


def _read_facts(
    client: "Github", repository: str, number: int, facts: Mapping[str, Any] | None
) -> _Pull:
    from github.PullRequest import PullRequest

    if facts is None:
        pull = client.get_repo(repository).get_pull(number)
    else:
        pull = client.create_from_raw_data(PullRequest, dict(facts))
    if pull.number != number or not (pull.base and pull.head and pull.base.repo):
        raise SourceError(not_github(client.requester.hostname))
    return _Pull(
        repository=pull.base.repo.full_name,
        repository_id=pull.base.repo.id,
        number=number,
        title=pull.title or "",
        description=pull.body or "",
        base=pull.base.sha,
        head=pull.head.sha,
        branch=pull.head.ref,
        author=pull.user.login if pull.user else "",
        labels=tuple(label.name for label in pull.labels),
        draft=bool(pull.draft),
        closed=pull.state == "closed",
        changed_files=pull.changed_files,
    )


def _read_files(client: "Github", pull: _Pull) -> tuple[Change, list[str]]:
    """The change without kinds; a note where GitHub gave less than the whole diff."""
    requester = client.requester
    status, headers, text = requester.requestJson(
        "GET", f"/repos/{pull.repository}/pulls/{pull.number}", headers={"Accept": _DIFF}
    )
    if status >= 400 and status not in _NO_DIFF:
        raise failure(client, status, headers, text)
    files = parse_diff(text).files if status < 400 else ()
    notes = []
    if status >= 400 or len(files) < pull.changed_files:
        files = FileList(client, pull.repository, pull.number).read()
        notes.append("GitHub gives no whole diff of this pull request: read file by file")
    change = Change(
        files=files,
        title=pull.title,
        description=pull.description,
        base=pull.base,
        head=pull.head,
        repository=pull.repository,
        number=pull.number,
        missing_files=max(0, pull.changed_files - len(files)),
    )
    if hidden := sum(file.patch_missing for file in files):
        notes.append(f"GitHub shows no text of {hidden} of the files: known by path only")
    if change.missing_files:
        notes.append(f"GitHub lists only {len(files)} of {pull.changed_files} files")
    return change, notes
