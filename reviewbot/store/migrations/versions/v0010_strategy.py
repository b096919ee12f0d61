"""By which strategy a review was made; of older ones it is not known."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    op.add_column("reviews", sa.Column("strategy", sa.String(80)))
