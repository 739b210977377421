"""An event says which bulk answer it is part of, and what the model had suggested."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Make room for both."""
    op.add_column("events", sa.Column("bulk", sa.String(64)))
    op.add_column("events", sa.Column("suggested", sa.JSON(none_as_null=True)))
    op.add_column("events", sa.Column("suggestion_shown", sa.Boolean))
    some = sa.text("bulk IS NOT NULL")
    op.create_index("ix_events_bulk", "events", ["bulk"], sqlite_where=some, postgresql_where=some)
