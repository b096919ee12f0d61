"""The hidden mark of a monthly report's issue: one for each month and what the report is about."""

from reviewbot.publishing.marker import Marks, Scope


def report_marks(secret: bytes, repository_id: int, month: str, about: str) -> Marks:
    """`repository_id` is where the issue stands, `month` is `2026-11`, `about` the repository that
    is reported on, empty for all. Service and terminal make the same mark."""
    return Marks(secret, Scope(0, str(repository_id), 0, month, about, "report"))
