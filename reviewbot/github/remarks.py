"""Our comments on lines of a pull request: which finding each is about, and what we answered."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from reviewbot.github.calls import Calls, wrote
from reviewbot.publishing.comments import Reply, fixed_reply
from reviewbot.publishing.life import Life, State
from reviewbot.publishing.marker import Marks

#: Answers of one review at most: GitHub takes 80 contents a minute.
MOST_REPLIES = 20


@dataclass(frozen=True)
class Remarks:
    """What a listing of the comments tells of our findings."""

    comments: Mapping[str, int]
    """Id of a finding → id of its comment."""
    replies: tuple[Reply, ...]
    """Answers that are still to be given."""


def wants_remarks(open_: Sequence[Life], fixed: Sequence[Life]) -> bool:
    """Whether the comments must be listed: to find one, or not to answer twice."""
    unknown = any(life.inline and life.comment_id is None for life in open_)
    return unknown or any(life.inline for life in fixed)


def read_remarks(
    calls: Calls,
    repository: str,
    number: int,
    lives: Sequence[Life],
    fixed: Sequence[Life],
    marks: Marks,
    author: str,
) -> Remarks:
    """Takes a request for each 100 comments. Raises GitHubError."""
    path = f"/repos/{repository}/pulls/{number}/comments"
    ours = [each for each in calls.each(path, "listing comments") if wrote(each, author)]
    comments = dict(_found(lives, ours, marks))
    replies = []
    for life in fixed:
        comment = comments.get(life.id)
        said = [str(each.get("body")) for each in ours if each.get("in_reply_to_id") == comment]
        if comment and not any(marks.is_fixed_mark(text, life.mark) for text in said):
            replies.append(fixed_reply(comment, life.mark, marks))
    return Remarks(comments, tuple(replies[:MOST_REPLIES]))


def _found(
    lives: Sequence[Life], ours: Sequence[Mapping[str, Any]], marks: Marks
) -> Iterator[tuple[str, int]]:
    """Which comment began the thread of which finding: by what is known, then by the hidden mark,
    and the head."""
    known = {life.comment_id for life in lives}
    free = {
        number: each
        for each in ours
        if isinstance(number := each.get("id"), int)
        and "in_reply_to_id" not in each
        and number not in known
    }
    for life in lives:
        if life.comment_id is not None:
            yield life.id, life.comment_id
        elif life.inline and life.state is not State.DISMISSED:
            mine = [
                number
                for number, each in free.items()
                if each.get("original_commit_id") == life.since
                and marks.fingerprint_in(str(each.get("body") or "")) == life.mark
            ]
            if mine:
                del free[min(mine)]  # twins come in the order of their findings
                yield life.id, min(mine)
