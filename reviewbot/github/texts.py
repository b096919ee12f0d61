"""Whole texts that a diff itself tells: no request is needed for them."""

from collections.abc import Sequence

from reviewbot.change.model import FileChange, Hunk


def added_text(file: FileChange) -> str | None:
    """The text of an added file, if its diff shows all of it."""
    if len(file.hunks) != 1 or file.hunks[0].new_start != 1 or file.hunks[0].old_count:
        return None
    return _joined(file.hunks[0].added, ends_open=file.hunks[0].new_no_newline)


def deleted_text(file: FileChange) -> str | None:
    """The text of a deleted file, if its diff shows all of it."""
    if len(file.hunks) != 1 or file.hunks[0].old_start != 1 or file.hunks[0].new_count:
        return None
    return _joined(file.hunks[0].removed, ends_open=file.hunks[0].old_no_newline)


def text_before(after: str, hunks: Sequence[Hunk]) -> str | None:
    """What `after` was before `hunks`; None if they don't lead to it.

    This is the merge base's text, which is what the diff starts from; the tip of the base branch
    may have moved on.
    """
    lines = after.split("\n")
    ends_open = lines[-1] != ""
    if not ends_open:
        lines.pop()
    before: list[str] = []
    done = 0
    for hunk in hunks:
        start = hunk.new_start - 1 if hunk.new_count else hunk.new_start
        end = start + hunk.new_count
        new = [raw[1:] for raw in hunk.body if raw[:1] != "-"]
        if start < done or lines[start:end] != new:
            return None
        before += lines[done:start]
        before += [raw[1:] for raw in hunk.body if raw[:1] != "+"]
        done = end
    before += lines[done:]
    if done == len(lines) and hunks:
        ends_open = hunks[-1].old_no_newline
    return _joined(before, ends_open=ends_open)


def _joined(lines: Sequence[str], *, ends_open: bool) -> str:
    return "\n".join(lines) + ("" if ends_open or not lines else "\n")
