"""All that is posted of one review: comments on lines, the review's own text, summary, check."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import NamedTuple

from reviewbot.config.policy import Policy
from reviewbot.publishing import figures
from reviewbot.publishing.check_run import CheckRun, check_run
from reviewbot.publishing.findings import findings_markdown
from reviewbot.publishing.history import earlier_lines
from reviewbot.publishing.inline import MAX_COMMENT, InlineComment, Placed, inline_comment, place
from reviewbot.publishing.markdown import safe_line
from reviewbot.publishing.marker import Marks
from reviewbot.publishing.result import Review
from reviewbot.publishing.summary import LIMIT, summary_markdown
from reviewbot.review.already import short
from reviewbot.review.finding import Finding
from reviewbot.routing.wording import plural

#: Lines of what must not be overlooked, and characters of one, where there is no summary.
_ATTENTION, _LINE = 10, 200


class Texts(NamedTuple):
    """The texts around the comments; each ends with its mark."""

    review: str
    summary: str | None
    """Ends with the run's mark and its own. None where the policy has none."""


class Carried(NamedTuple):
    """What goes from one review of a pull request to the next where there is no database."""

    standing: frozenset[str] = frozenset()
    """Fingerprints of findings whose comments an earlier push has brought: they get no second one."""
    record: Callable[[Sequence[Finding]], str] = lambda inline: ""
    """The summary's hidden record, of the findings that get a comment on their lines; empty: none."""


#: A first review, or one whose past is in a database.
NOTHING_CARRIED = Carried()


class Reply(NamedTuple):
    """An answer in the thread of a comment."""

    comment_id: int
    body: str


#: A pull request without comments of ours.
NO_LINKS: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True)
class Publication:
    """What is posted for one head of a pull request, within GitHub's limits."""

    repository: str
    """`owner/name`."""
    number: int
    head: str
    marks: Marks
    comments: tuple[InlineComment, ...]
    texts: Texts
    moved: Texts
    """The texts if GitHub refuses the comments: no finding is lost."""
    check: CheckRun | None
    inline: tuple[int, ...] = ()
    """Positions of the findings that stand in comments, unless GitHub refuses them."""
    notice: bool = False
    """Its summary only says that a review is missing: an earlier one's stays below it."""
    replies: tuple[Reply, ...] = ()
    """Answers below comments that are there."""
    news: bool = True
    """It says something that no earlier review has said."""

    @property
    def has_review(self) -> bool:
        """A review is posted for comments on lines, or where nothing else would speak."""
        return bool(self.comments) or (self.texts.summary is None and self.news)


def publication(
    review: Review,
    policy: Policy,
    marks: Marks,
    carried: Carried = NOTHING_CARRIED,
    *,
    links: Mapping[str, str] = NO_LINKS,
    replies: Sequence[Reply] = (),
) -> Publication:
    """Decide what is posted where, by the repository's policy. Raises ValueError unless `review`
    is of a pull request's head.

    `links` lead to the comments of earlier findings, by their ids.
    """
    change = review.change
    if not change.repository or not change.number or not change.head:
        raise ValueError("only a pull request's review can be posted")
    progress, inline = review.progress, policy.publish.inline
    placed = place(review.findings, change, lambda finding: inline and progress.is_loud(finding))
    review = replace(review, findings=placed.findings)
    fresh = tuple(each for each in placed.inline if each.fingerprint not in carried.standing)
    check = None
    if policy.publish.check:
        check = check_run(
            review,
            policy,
            external_id=marks.external_id(),
            summary=summary_markdown(review, links=links),
        )
    return Publication(
        repository=change.repository,
        number=change.number,
        head=change.head,
        marks=marks,
        comments=tuple(inline_comment(finding, change, marks) for finding in fresh),
        texts=_texts(review, policy, marks, placed, carried.record(fresh), links, moved=False),
        moved=_texts(review, policy, marks, placed, carried.record(()), links, moved=True),
        check=check,
        inline=tuple(i for i, each in enumerate(placed.findings) if each in fresh),
        replies=tuple(replies),
        news=bool(review.findings or progress.read_at(change.head) or not progress.rounds),
    )


def fixed_reply(comment_id: int, fingerprint: str, marks: Marks) -> Reply:
    """What is said below the comment of a finding that a push has fixed."""
    return Reply(
        comment_id, f"Fixed in {short(marks.scope.head)}.\n\n{marks.fixed_mark(fingerprint)}"
    )


def _texts(
    review: Review,
    policy: Policy,
    marks: Marks,
    placed: Placed,
    record: str,
    links: Mapping[str, str],
    *,
    moved: bool,
) -> Texts:
    note = ""
    if moved:
        verb = "stands" if len(placed.inline) == 1 else "stand"
        note = (
            f"GitHub refused the comments on lines: {plural(len(placed.inline), 'finding')} {verb} "
            f"{'in the summary' if policy.publish.summary else 'here'} instead."
        )
    opening = [f"**reviewbot: {figures.verdict(review)}**", note]
    if scripted := figures.scripted_line(review):
        opening.append(f"**{scripted}**")
    mark = marks.mark("moved" if moved else "review")
    if not policy.publish.summary:
        loose = placed.findings if moved else placed.rest
        return Texts(_alone(review, opening, loose, mark), None)
    opening.append("Why it went where it went, coverage and cost: in the summary comment.")
    known: frozenset[Finding] = frozenset() if moved else frozenset(placed.inline)
    limit = LIMIT - len(record)
    whole = summary_markdown(review, inline=known, links=links, limit=limit)
    title, _, body = whole.partition("\n\n")
    summary = [title, note, body.strip(), record, mark, marks.mark("summary")]
    return Texts(_joined([*opening, mark]), _joined(summary))


def _alone(review: Review, opening: list[str], loose: Sequence[Finding], mark: str) -> str:
    """A review that has to say everything: the policy has no summary."""
    lines = [f"- {safe_line(line[:_LINE])}" for line in review.attention[:_ATTENTION]]
    if left := len(review.attention) - len(lines):
        lines.append(f"- … and {left} more")
    if not review.complete:
        lines.append(f"- {safe_line(figures.coverage_line(review.coverage)[:_LINE])}")
    parts = [*opening, "\n".join(lines)]
    room = min(LIMIT, MAX_COMMENT - len(mark) - 2) - sum(len(part) + 2 for part in parts)
    earlier = earlier_lines(review, {}, room // 3)
    room -= len(earlier) + 2
    return _joined([*parts, findings_markdown(loose, review.change, room), earlier, mark])


def _joined(parts: Sequence[str]) -> str:
    return "\n\n".join(part for part in parts if part)
