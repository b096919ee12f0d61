"""A diff file as a change, with the title that a mail or `git show` put above it."""

import re
from dataclasses import replace
from email import message_from_string
from email.errors import HeaderParseError
from email.header import decode_header, make_header
from email.utils import parseaddr
from typing import NamedTuple

from reviewbot.change.parse import parse_diff
from reviewbot.change.source import Fetched
from reviewbot.errors import DiffError
from reviewbot.git.objects import as_text

#: Longest text above the diff that is read, bytes: a cover letter, no mailbox.
MAX_HEAD_BYTES = 100_000

_DIFF_STARTS = re.compile(rb"^(?:diff --|--- \S|Index: |@@ -)", re.MULTILINE)
_MAIL = re.compile(rb"\A(?:From [0-9a-f]{40,64} .*\r?\n)?(?:[A-Za-z-]+: .*\r?\n(?:[ \t].*\r?\n)*)+")
_SHOWN = re.compile(r"\Acommit [0-9a-f]{40,64}.*\n(?:\w+:.*\n)*\n((?:    .*\n|\n)+)")
_SHOWN_AUTHOR = re.compile(r"^Author: +(.*?) <", re.MULTILINE)
_TAG = re.compile(r"^(?:\s*\[[^\]]*\])+\s*")


class Heading(NamedTuple):
    """What stands above a diff."""

    title: str = ""
    description: str = ""
    author: str = ""


def read_diff(text: bytes, name: str) -> Fetched:
    """The change of a diff file, or of standard input; `name` is what to call it in errors.

    Raises DiffError if it is not a unified diff.
    """
    try:
        change = parse_diff(text)
    except DiffError as error:
        raise DiffError(f"{name}: {error}") from None
    heading = read_heading(text)
    described = replace(change, title=heading.title or name, description=heading.description)
    return Fetched(change=described, author=heading.author)


def read_heading(text: bytes) -> Heading:
    """The title above a diff, from `git format-patch` or `git show`; empty where there is none."""
    starts = _DIFF_STARTS.search(text[:MAX_HEAD_BYTES])
    head = text[: starts.start()] if starts else b""
    if mail := _MAIL.match(head):
        return _of_mail(head[: mail.end()], head[mail.end() :])
    plain = as_text(head).replace("\r\n", "\n")
    if shown := _SHOWN.match(plain):
        lines = [line[4:] for line in shown[1].splitlines()]
        title, _, description = "\n".join(lines).strip().partition("\n")
        author = _SHOWN_AUTHOR.search(plain)
        return Heading(title.strip(), description.strip(), author[1] if author else "")
    return Heading()


def _of_mail(header: bytes, body: bytes) -> Heading:
    """The first patch's title and message of a mail; its diffstat is left out."""
    if header.startswith(b"From "):
        header = header.partition(b"\n")[2]
    message = message_from_string(as_text(header).replace("\r\n", "\n"))
    title = _TAG.sub("", " ".join(_plain(message.get("Subject", "")).split()))
    author = parseaddr(_plain(message.get("From", "")))[0]
    described = as_text(body).replace("\r\n", "\n").partition("\n---\n")[0]
    return Heading(title, described.strip(), author)


def _plain(value: str) -> str:
    """A mail's header with its encoded words decoded, if they can be."""
    try:
        return str(make_header(decode_header(value)))
    except (HeaderParseError, LookupError, ValueError):
        return value
