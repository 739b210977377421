"""The tables of the first version."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make them."""
    op.create_table(
        "meta",
        sa.Column("key", sa.String(64), primary_key=True),
        sa.Column("value", sa.JSON, nullable=False),
    )
    op.create_table(
        "events",
        sa.Column("seq", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("event_id", sa.String(64), nullable=False, unique=True),
        sa.Column("item_id", sa.Text, nullable=False, index=True),
        sa.Column("annotator", sa.Text, nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("answer", sa.JSON(none_as_null=True)),
        sa.Column("target", sa.String(64)),
        sa.Column("draw_id", sa.String(64)),
        sa.Column("shown_at", sa.String(40)),
        sa.Column("answered_at", sa.String(40)),
        sa.Column("stored_at", sa.String(40), nullable=False),
    )
    op.create_table(
        "draws",
        sa.Column("seq", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("draw_id", sa.String(64), nullable=False, unique=True),
        sa.Column("item_id", sa.Text, nullable=False),
        sa.Column("stream", sa.String(16), nullable=False),
        sa.Column("strategy", sa.Text, nullable=False),
        sa.Column("model_version", sa.Integer, nullable=False),
        sa.Column("score", sa.Float),
        sa.Column("q", sa.Float),
        sa.Column("remaining", sa.Integer, nullable=False),
        sa.Column("drawn_at", sa.String(40), nullable=False),
        sa.Column("after", sa.Integer, nullable=False),
    )
    op.create_table(
        "rounds",
        sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("strategy", sa.Text, nullable=False),
        sa.Column("n_train", sa.Integer, nullable=False),
        sa.Column("n_audit", sa.Integer, nullable=False),
        sa.Column("accuracy", sa.Float),
        sa.Column("low", sa.Float),
        sa.Column("high", sa.Float),
        sa.Column("seconds", sa.Float, nullable=False),
        sa.Column("at", sa.String(40), nullable=False),
        sa.Column("revision", sa.Integer, nullable=False),
    )
    op.create_table(
        "switches",
        sa.Column("seq", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("before", sa.Text),
        sa.Column("strategy", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("n_labels", sa.Integer, nullable=False),
        sa.Column("at", sa.String(40), nullable=False),
    )
