"""A pull request as a person would see it."""

from collections.abc import Iterator

from github_simulator.records import CheckRun, Comment, LineComment, Reaction, Review
from github_simulator.remark_shapes import CONTENTS
from github_simulator.state import Pull, Repository

_FACES = dict(zip(CONTENTS, ("👍", "👎", "😄", "😕", "❤️", "🎉", "🚀", "👀"), strict=True))
_MARKS = {"success": "✅", "failure": "❌", "neutral": "⬜", None: "🟡"}
_STYLE = """\
body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}
pre{background:#f6f8fa;padding:.7rem;overflow:auto}table{border-collapse:collapse}
td,th{border:1px solid #d0d7de;padding:.2rem .6rem}hr{border:0;border-top:1px solid #d0d7de}
"""


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


def as_page(title: str, *markdown: str) -> str:
    """A page of its own that runs nothing: the HTML in comments is what a reviewer wrote."""
    from html import escape

    from markdown_it import MarkdownIt

    reader = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
    policy = "default-src 'none'; style-src 'unsafe-inline'"
    body = "<hr>".join(reader.render(text) for text in markdown)
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head><body>{body}</body></html>\n"
    )


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
    shown = first.hunk.split("\n")
    length = 4
    if first.start_line is not None and first.start_side == first.side:
        length = max(length, first.line - first.start_line + 1)
    excerpt = [shown[0], *shown[1:][-length:]]
    yield "\n".join(["````````diff", *excerpt, "````````"])
    for comment in (first, *(one for one in pull.threads if one.reply_to == first.id)):
        yield f"**{comment.author}**"
        yield comment.body
        yield from _reactions(comment.reactions)


def _reactions(reactions: list[Reaction]) -> Iterator[str]:
    if reactions:
        yield " ".join(f"{_FACES[one.content]} {one.author}" for one in reactions)


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
