"""What people remarked on the lines of a pull request, to measure reviews by."""

from typing import TYPE_CHECKING

from reviewbot.evaluation.corpus import Case, Remark
from reviewbot.github.client import plain_errors
from reviewbot.github.pulls import PullAddress, read_pull

if TYPE_CHECKING:
    from github import Github
    from github.PullRequestComment import PullRequestComment


def read_case(client: "Github", address: PullAddress, url: str) -> Case:
    """The pull request with what people said of its lines: the first word of each thread, but for
    the author's own and for bots'. A remark on a line that is there no more is on its file.

    Raises SourceError, DiffError.
    """
    repository = f"{address.owner}/{address.repository}"
    fetched = read_pull(client, address.owner, address.repository, address.number)
    with plain_errors(client, f"{repository}#{address.number}"):
        pull = client.get_repo(repository).get_pull(address.number)
        golden = [
            _remark(each)
            for each in pull.get_review_comments()
            if not each.in_reply_to_id and _is_person(each) and each.user.login != fetched.author
        ]
    return Case(url, fetched, tuple(golden))


def _is_person(comment: "PullRequestComment") -> bool:
    return comment.user is not None and comment.user.type == "User"


def _remark(comment: "PullRequestComment") -> Remark:
    return Remark(
        file=comment.path,
        line=comment.line,
        from_line=comment.start_line,
        side=(comment.side or "RIGHT").lower(),
        comment=comment.body,
    )
