"""Scans, as servers made the table that knew no steps yet."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    if sa.inspect(op.get_bind()).has_table("scans"):
        return
    op.create_table(
        "scans",
        sa.Column("id", sa.String, nullable=False),
        sa.Column("file", sa.String, nullable=False),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("window", sa.String, nullable=False),
        sa.Column("keep", sa.Boolean, nullable=False),
        sa.Column("status", sa.String, nullable=False),
        sa.Column("created", sa.Double, nullable=False),
        sa.Column("started", sa.Double),
        sa.Column("finished", sa.Double),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("verdict", sa.String),
        sa.Column("probability", sa.Double),
        sa.Column("detail", sa.String),
        sa.Column("report", sa.Text),
        sa.Column("page", sa.Text),
        sa.PrimaryKeyConstraint("id", name="scans_pkey"),
    )
    op.create_index("ix_scans_status", "scans", ["status"])
    op.create_index("ix_scans_created", "scans", ["created"])


def downgrade() -> None:
    op.drop_table("scans")
