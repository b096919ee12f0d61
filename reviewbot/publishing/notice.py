"""What is posted where there is no review: the check while it is made, and why none came."""

from typing import NamedTuple

from reviewbot.publishing.check_run import CheckRun
from reviewbot.publishing.comments import Publication, Texts
from reviewbot.publishing.marker import Marks

#: Titles of a check run.
READING, WAITING = "Reading the change", "Waiting for the model"
#: Between a notice and the summary of an earlier head, which stays.
_BELOW = "\n\n---\n\n"
_EARLIER = "Below is the summary of an earlier review.\n\n"
_FAILED = "## reviewbot: the review failed"
#: Below GitHub's longest comment, characters.
_COMMENT = 65_000


class Place(NamedTuple):
    """Which head of which pull request."""

    repository: str
    """`owner/name`."""
    number: int
    head: str


def failure_notice(place: Place, marks: Marks, review_id: str) -> Publication:
    """Says that there is no review, and the id that leads to the log; why stands only there."""
    text = (
        f"{_FAILED}\n\nNothing of {place.head[:12]} was reviewed."
        f" Id for whoever runs reviewbot: `{review_id}`.\n\n`/reviewbot review` tries again."
    )
    texts = Texts(review="", summary=f"{text}\n\n{marks.mark('summary')}")
    check = ended_check(place, marks, "The review failed", text)
    return Publication(*place, marks, (), texts, texts, check, notice=True)


def ended_check(place: Place, marks: Marks, title: str, summary: str = "") -> CheckRun:
    """The check of a head that got no review."""
    return CheckRun(
        head=place.head,
        external_id=marks.external_id(),
        conclusion="neutral",
        title=title[:250],
        summary=summary or title,
    )


def noticed(earlier: str, notice: str) -> str:
    """The notice above the summary that is there; it takes the place of an older notice."""
    body, _, mark = earlier.rstrip().rpartition("\n")
    below = body.partition(_BELOW + _EARLIER)[2] if body.startswith(_FAILED) else body
    text, _, _ = notice.rstrip().rpartition("\n")
    if not below.strip():  # nothing but an older notice was there
        return notice
    room = _COMMENT - len(text) - len(mark) - 100
    return f"{text.rstrip()}{_BELOW}{_EARLIER}{below.strip()[:room]}\n\n{mark}"
