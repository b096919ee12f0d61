"""Whether the code that findings flag was changed before the pull request was merged."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from reviewbot.github.blobs import Blob, read_blobs
from reviewbot.github.calls import Denied
from reviewbot.github.conversations import renamed_files
from reviewbot.publishing.feedback import FeedbackKind
from reviewbot.publishing.flagged import still_there
from reviewbot.service.durable import HostBusy
from reviewbot.store.feedback import KnownFinding

if TYPE_CHECKING:
    from github import Github

#: Wait before texts are asked for again of which GitHub gave none, seconds.
TEXTS_WAIT = 60.0


def fates(
    client: "Github", repository: str, findings: Sequence[KnownFinding], head: str
) -> Iterator[tuple[KnownFinding, FeedbackKind]]:
    """`FIXED` or `KEPT` for each finding of which that can be told; `head` is what was merged.

    Takes one request for each 50 texts, a file at two commits being two of them, and two more
    where a file is not there any more: it may have another name. Raises GitHubError, and HostBusy
    if GitHub gives no text at all.
    """
    before = {each.id: f"{each.head}:{each.path}" for each in findings}
    after = {each.id: f"{head}:{each.path}" for each in findings}
    texts = _texts(client, repository, {*before.values(), *after.values()})
    gone = [each for each in findings if texts.get(after[each.id], _UNREAD) is None]
    after |= _moved(client, repository, gone, head)
    texts |= _texts(client, repository, {after[each.id] for each in gone} - texts.keys())
    for each in findings:
        new, old = texts.get(after[each.id], _UNREAD), texts.get(before[each.id], _UNREAD)
        absent = None if each.side == "RIGHT" else ""  # of code that was there: the commit is gone
        before_text, text = old.text if old else absent, new.text if new else ""
        if text is None or (new is None and before_text is None):
            continue
        there = still_there(each.flagged, each.line, each.side, before=before_text, after=text)
        if there is not None:
            yield each, FeedbackKind.KEPT if there else FeedbackKind.FIXED


#: A text that GitHub left out of its answer: as good as a binary file's.
_UNREAD = Blob(None)


def _texts(client: "Github", repository: str, expressions: Iterable[str]) -> dict[str, Blob | None]:
    """What stands at each `COMMIT:path`; None for nothing."""
    wanted = sorted(expressions)
    found = read_blobs(client, repository, wanted)
    if wanted and not found.blobs:
        raise HostBusy(f"texts of the merged files: {found.problem}", TEXTS_WAIT)
    return dict(found.blobs)


def _moved(
    client: "Github", repository: str, gone: Iterable[KnownFinding], head: str
) -> Mapping[str, str]:
    """Where the files are that were renamed after they were flagged, by the findings' ids."""
    by_head: dict[str, list[KnownFinding]] = {}
    for each in gone:
        if each.head != head and each.side == "RIGHT":
            by_head.setdefault(each.head, []).append(each)
    moved: dict[str, str] = {}
    for flagged_at, findings in by_head.items():
        try:
            names = renamed_files(client, repository, flagged_at, head)
        except Denied:  # the commit was pushed away, and is gone
            continue
        moved |= {each.id: f"{head}:{names[each.path]}" for each in findings if each.path in names}
    return moved
