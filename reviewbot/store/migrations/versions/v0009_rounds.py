"""Posted reviews as later ones go on from them; findings that were published for several heads."""

import sqlalchemy as sa
from alembic import op

from reviewbot.store.columns import Utc

revision = "0009"
down_revision = "0008"

#: The first row of the same finding of the pull request, in another review.
_REPEATS = """
UPDATE posted_findings SET repeats = (
  SELECT MIN(first.id) FROM posted_findings AS first
  WHERE first.installation = posted_findings.installation
    AND first.repository_id = posted_findings.repository_id
    AND first.number = posted_findings.number
    AND first.fingerprint = posted_findings.fingerprint
    AND first.review_id != posted_findings.review_id
    AND first.posted_at = (
      SELECT MIN(earliest.posted_at) FROM posted_findings AS earliest
      WHERE earliest.installation = posted_findings.installation
        AND earliest.repository_id = posted_findings.repository_id
        AND earliest.number = posted_findings.number
        AND earliest.fingerprint = posted_findings.fingerprint
    )
    AND first.posted_at < posted_findings.posted_at
)
"""


def upgrade() -> None:
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "rounds",
        sa.Column("review_id", sa.String(64), primary_key=True),
        sa.Column("installation", sa.BigInteger, nullable=False),
        sa.Column("repository_id", sa.BigInteger, nullable=False),
        sa.Column("number", number, nullable=False),
        sa.Column("at", Utc, nullable=False),
        sa.Column("line", sa.JSON, nullable=False),
        sa.Column("read", sa.JSON, nullable=False),
        sa.Column("lives", sa.JSON, nullable=False),
    )
    op.create_index("rounds_by_pull", "rounds", ["installation", "repository_id", "number", "at"])
    op.add_column("posted_findings", sa.Column("repeats", sa.String(80)))
    op.execute(_REPEATS)
