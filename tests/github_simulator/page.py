"""Pull requests as GitHub shows them: one page that needs nothing else and runs nothing."""

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zlib import crc32

from github_simulator.records import CheckRun, Comment, LineComment, Reaction, Review
from github_simulator.render import FACES, excerpt, replaced
from github_simulator.state import Pull, Repository

if TYPE_CHECKING:
    from markdown_it import MarkdownIt

_STYLE = Path(__file__).with_name("page.css")
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
_HUNK = re.compile(r"@@ -(\d+)(?:,\d+)? \+(\d+)(?:,\d+)? @@")
_ALERT = re.compile(r"<blockquote>\n<p>\[!(NOTE|TIP|IMPORTANT|WARNING|CAUTION)\]\n?")
_MARKS = {"success": "✓", "failure": "✗", "neutral": "■", None: "●"}
_KINDS = {"+": "add", "-": "del", "@": "hunk"}


def as_page(repository: Repository, *pulls: Pull, note: str = "") -> str:
    """A page with these pull requests, and an index if there are several; `note` stands on top."""
    title = f"{pulls[0].title} #{pulls[0].number}" if len(pulls) == 1 else "Pull requests"
    body = [f'<p class="note">{escape(note)}</p>'] if note else []
    if len(pulls) > 1:
        body += ['<ul class="index box">', *(_entry(repository, pull) for pull in pulls), "</ul>"]
    for pull in pulls:
        body += _pull(repository, pull)
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        '<meta name="color-scheme" content="light dark">'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
        f"<title>{escape(title)} · {escape(repository.full_name)}</title>"
        f"<style>\n{_STYLE.read_text('utf-8')}</style></head>\n"
        f'<body><header>{escape(repository.full_name).replace("/", " / ")}</header>\n<main id="top">\n'
        + "\n".join(body)
        + "\n</main></body></html>\n"
    )


def _entry(repository: Repository, pull: Pull) -> str:
    runs = "".join(_mark(run) for run in _checks(repository, pull))
    said = len(pull.comments) + len(pull.threads) + sum(bool(one.body) for one in pull.reviews)
    facts = f"#{pull.number} by {pull.author or 'ghost'} · {said} comment{'s' * (said != 1)}"
    return (
        f'<li><a href="#pull-{pull.number}">{escape(pull.title)}</a> {runs}'
        f'<span class="dim">{escape(facts)}</span>'
    )


def _pull(repository: Repository, pull: Pull) -> Iterator[str]:
    author, head = pull.author or "ghost", repository.ends(pull)[1]
    state = "open" if pull.state == "open" else "closed"
    yield f'<article id="pull-{pull.number}">'
    yield f'<h1>{escape(pull.title)} <a class="dim" href="#pull-{pull.number}">#{pull.number}</a></h1>'
    yield (
        f'<p class="facts"><span class="state {state}">{state.capitalize()}</span> '
        f"<b>{escape(author)}</b> wants to merge <code>{escape(pull.head)}</code> into "
        f"<code>{escape(pull.base)}</code> · head <code>{head[:7]}</code> "
        '<a class="dim" href="#top">↑ top</a></p>'
    )
    yield _box(author, "opened this", _html(pull.body or "*No description.*"))
    remarks: list[Review | Comment] = [*pull.reviews, *pull.comments]
    for remark in sorted(remarks, key=lambda one: one.id):
        if isinstance(remark, Review):
            yield from _review(repository, pull, remark)
        else:
            edited = "commented · edited" if remark.updated else "commented"
            yield _box(remark.author, edited, _html(remark.body) + _reactions(remark.reactions))
    for run in _checks(repository, pull):
        yield _check(run)
    yield "</article>"


def _review(repository: Repository, pull: Pull, review: Review) -> Iterator[str]:
    mine = [one for one in pull.threads if one.review == review.id and one.reply_to is None]
    if not mine and not review.body:
        return  # a reply: it is shown in its thread
    verb = "reviewed" if review.state == "COMMENTED" else review.state.lower().replace("_", " ")
    threads = "".join(_thread(repository, pull, comment) for comment in mine)
    yield _box(review.author, f"{verb} {review.commit[:7]}", _html(review.body) + threads)


def _thread(repository: Repository, pull: Pull, first: LineComment) -> str:
    line = repository.present_line(pull, first)
    outdated = ' <span class="tag">Outdated</span>' if line is None else ""
    place = f"{escape(first.path)}:{line or first.line}"
    replies = (one for one in pull.threads if one.reply_to == first.id)
    said = "".join(
        f'<div class="said">{_who(one.author, "")}'
        f"{_html(one.body, replaced(first))}{_reactions(one.reactions)}</div>"
        for one in (first, *replies)
    )
    head = f'<div class="file"><code>{place}</code>{outdated}</div>'
    return f'<div class="thread box">{head}{_diff(first)}{said}</div>'


def _diff(first: LineComment) -> str:
    """The hunk's end, with line numbers of both sides."""
    shown = excerpt(first)
    lines = first.hunk.split("\n")
    header = _HUNK.match(lines[0])
    old, new = (int(header[1]), int(header[2])) if header else (0, 0)
    rows = [_row(lines[0], "", "")]
    for at, line in enumerate(lines[1:], 1):
        if at > len(lines) - len(shown):
            left, right = ("" if line[:1] == "+" else old), ("" if line[:1] == "-" else new)
            rows.append(_row(line, left, right))
        old += line[:1] in ("-", " ")
        new += line[:1] in ("+", " ")
    return f'<table class="diff">{"".join(rows)}</table>'


def _row(line: str, *numbers: int | str) -> str:
    cells = "".join(f'<td class="number">{number}' for number in numbers)
    return f'<tr class="{_KINDS.get(line[:1], "")}">{cells}<td><pre>{escape(line)}</pre>'


def _check(run: CheckRun) -> str:
    texts = [run.output[name] for name in ("title", "summary", "text") if run.output.get(name)]
    title = escape(texts[0] if texts else "")
    noted = "".join(
        f"<li><code>{escape(one['path'])}:{one['start_line']}</code> "
        f"{escape(one['annotation_level'])}: {escape(one.get('title') or one['message'])}"
        for one in run.annotations
    )
    more = "".join(_html(text) for text in texts[1:])
    return (
        f'<details class="check box"><summary>{_mark(run)} <b>{escape(run.name)}</b> '
        f'{escape(run.conclusion or run.status)} · {title} <span class="dim">by '
        f"{escape(run.app.slug)}, {len(run.annotations)} annotations</span></summary>"
        f"<ul>{noted}</ul>{more}</details>"
    )


def _checks(repository: Repository, pull: Pull) -> list[CheckRun]:
    head = repository.ends(pull)[1]
    return [run for run in repository.checks if run.head == head]


def _mark(run: CheckRun) -> str:
    state = run.conclusion or "running"
    return f'<span class="mark {escape(state)}">{_MARKS.get(run.conclusion, "■")}</span>'


def _box(author: str, verb: str, html: str) -> str:
    return (
        f'<section>{_avatar(author)}<div class="box"><div class="head">{_who(author, verb)}</div>'
        f'<div class="text">{html}</div></div></section>'
    )


def _who(author: str, verb: str) -> str:
    name, bot, _ = author.partition("[bot]")
    tag = ' <span class="tag">bot</span>' if bot else ""
    return f'<b>{escape(name)}</b>{tag} <span class="dim">{escape(verb)}</span>'


def _avatar(author: str) -> str:
    hue = crc32(author.encode()) % 360
    return f'<div class="avatar" style="--hue:{hue}">{escape(author[:1].upper())}</div>'


def _reactions(reactions: list[Reaction]) -> str:
    faces = "".join(
        f'<span class="tag">{FACES[one.content]} {escape(one.author)}</span> ' for one in reactions
    )
    return f"<p>{faces}</p>" if faces else ""


def _html(markdown: str, old: Sequence[str] = ()) -> str:
    """`old`: the lines that a suggestion stands for."""
    html = _reader().render(markdown, {"old": old})
    return _ALERT.sub(_alert, html)


def _alert(found: re.Match[str]) -> str:
    name = found[1]
    return f'<blockquote class="alert {name.lower()}">\n<p><b>{name.capitalize()}</b></p><p>'


@cache
def _reader() -> "MarkdownIt":
    from markdown_it import MarkdownIt

    # the HTML in comments is what a reviewer wrote; the page's policy lets it run nothing
    reader = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
    reader.add_render_rule("fence", _fence)
    return reader


def _fence(
    _renderer: Any, tokens: Any, at: int, _options: Any, env: Mapping[str, Sequence[str]]
) -> str:
    language, lines = tokens[at].info.strip(), tokens[at].content.removesuffix("\n").split("\n")
    if language == "suggestion":
        old = "".join(_row(f"-{line}") for line in env["old"])
        new = "".join(_row(f"+{line}") for line in lines)
        head = '<div class="file">Suggested change</div>'
        return f'<div class="box">{head}<table class="diff">{old}{new}</table></div>'
    if language == "diff":
        return f'<table class="diff box">{"".join(_row(line) for line in lines)}</table>'
    return f"<pre><code>{escape(tokens[at].content)}</code></pre>"
