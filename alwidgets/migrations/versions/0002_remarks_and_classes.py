"""An event can carry a remark of its annotator, and changes of the classes are kept."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Make room for both."""
    op.add_column("events", sa.Column("comment", sa.Text))
    op.create_table(
        "class_changes",
        sa.Column("seq", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("what", sa.String(16), nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("to", sa.Text),
        sa.Column("annotator", sa.Text, nullable=False),
        sa.Column("after", sa.Integer, nullable=False),
        sa.Column("at", sa.String(40), nullable=False),
    )
