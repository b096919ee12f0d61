"""A pull request as a person would see it, in Markdown."""

from collections.abc import Iterator

from github_simulator.records import CheckRun, Comment, LineComment, Reaction, Review
from github_simulator.remark_shapes import CONTENTS
from github_simulator.state import Pull, Repository

FACES = dict(zip(CONTENTS, ("👍", "👎", "😄", "😕", "❤️", "🎉", "🚀", "👀"), strict=True))
_MARKS = {"success": "✅", "failure": "❌", "neutral": "⬜", None: "🟡"}


def as_markdown(repository: Repository, pull: Pull) -> str:
    """Title, conversation with the comments at their lines, checks of the present head."""
    head = repository.ends(pull)[1]
    parts = [
        f"# {pull.title} #{pull.number}",
        f"**{pull.state}** · {pull.author} wants to merge `{pull.head}` into `{pull.base}` "
        f"of {repository.full_name} · head `{head[:7]}`",
    ]
    if pull.body:
        parts.append(pull.body)
    remarks: list[Review | Comment] = [*pull.reviews, *pull.comments]
    for remark in sorted(remarks, key=lambda one: one.id):
        parts += _review(repository, pull, remark) if isinstance(remark, Review) else _said(remark)
    for run in repository.checks:
        if run.head == head:
            parts += _check(run)
    return "\n\n".join(parts) + "\n"


def _said(comment: Comment) -> Iterator[str]:
    edited = " (edited)" if comment.updated else ""
    yield f"---\n\n**{comment.author}** commented{edited}"
    yield comment.body
    yield from _reactions(comment.reactions)


def _review(repository: Repository, pull: Pull, review: Review) -> Iterator[str]:
    mine = [one for one in pull.threads if one.review == review.id and one.reply_to is None]
    if not mine and not review.body:
        return  # a reply: it is shown in its thread
    verb = review.state.lower().replace("_", " ")
    yield f"---\n\n**{review.author}** reviewed `{review.commit[:7]}`: {verb}"
    if review.body:
        yield review.body
    for comment in mine:
        yield from _thread(repository, pull, comment)


def _thread(repository: Repository, pull: Pull, first: LineComment) -> Iterator[str]:
    line = repository.present_line(pull, first)
    place = f"{first.path}:{first.line}" if line is None else f"{first.path}:{line}"
    yield f"#### `{place}`{' (outdated)' if line is None else ''}"
    yield "\n".join(["````````diff", *excerpt(first), "````````"])
    for comment in (first, *(one for one in pull.threads if one.reply_to == first.id)):
        yield f"**{comment.author}**"
        yield comment.body
        yield from _reactions(comment.reactions)


def excerpt(comment: LineComment) -> list[str]:
    """The hunk's header and its last lines: all that the comment is about, or a few."""
    shown = comment.hunk.split("\n")
    length = 4
    if comment.start_line is not None and comment.start_side == comment.side:
        length = max(length, comment.line - comment.start_line + 1)
    return [shown[0], *shown[1:][-length:]]


def replaced(comment: LineComment) -> list[str]:
    """The lines that a suggestion in the comment stands for."""
    count = comment.line - (comment.start_line or comment.line) + 1
    return [line[1:] for line in comment.hunk.split("\n")[1:] if line[:1] != "-"][-count:]


def _reactions(reactions: list[Reaction]) -> Iterator[str]:
    if reactions:
        yield " ".join(f"{FACES[one.content]} {one.author}" for one in reactions)


def _check(run: CheckRun) -> Iterator[str]:
    mark = _MARKS.get(run.conclusion, "⬜")
    yield f"---\n\n{mark} **{run.name}** ({run.app.slug}): {run.conclusion or run.status}"
    for name in ("title", "summary", "text"):
        if run.output.get(name):
            yield run.output[name]
    if run.annotations:
        yield "\n".join(
            f"- {one['annotation_level']} at `{one['path']}:{one['start_line']}`: "
            f"{one.get('title') or one['message']}"
            for one in run.annotations
        )
