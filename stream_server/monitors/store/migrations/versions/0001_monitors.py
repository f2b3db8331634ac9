"""Monitors, incidents and what is kept of them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "monitors",
        sa.Column("id", sa.String, nullable=False),
        sa.Column("name", sa.String, nullable=False),
        sa.Column("url", sa.Text, nullable=False),
        sa.Column("sample_hz", sa.Double, nullable=False),
        sa.Column("evidence", sa.Boolean, nullable=False),
        sa.Column("paused", sa.Boolean, nullable=False),
        sa.Column("created", sa.Double, nullable=False),
        sa.Column("generation", sa.Integer, nullable=False),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("since", sa.Double, nullable=False),
        sa.Column("lag_s", sa.Double),
        sa.Column("faces", sa.JSON, nullable=False),
        sa.Column("seen_at", sa.Double),
        sa.PrimaryKeyConstraint("id", name="pk_monitors"),
    )
    op.create_table(
        "incidents",
        sa.Column("id", sa.String, nullable=False),
        sa.Column("monitor", sa.String, nullable=False),
        sa.Column("track", sa.Integer, nullable=False),
        sa.Column("opened_at", sa.Double, nullable=False),
        sa.Column("closed_at", sa.Double),
        sa.Column("media_start_s", sa.Double, nullable=False),
        sa.Column("media_end_s", sa.Double, nullable=False),
        sa.Column("peak", sa.Double, nullable=False),
        sa.Column("mean", sa.Double, nullable=False),
        sa.Column("verdict", sa.String, nullable=False),
        sa.Column("members", sa.JSON, nullable=False),
        sa.Column("acknowledged", sa.Boolean, nullable=False),
        sa.Column("wrong", sa.Boolean, nullable=False),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("marked_by", sa.String),
        sa.Column("marked_at", sa.Double),
        sa.Column("samples", sa.Integer, nullable=False),
        sa.Column("suspicious_at", sa.Double, nullable=False),
        sa.Column("box", sa.JSON, nullable=False),
        sa.Column("monitor_name", sa.String, nullable=False),
        sa.Column("timeline", sa.JSON, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_incidents"),
    )
    for column in ("monitor", "opened_at", "closed_at"):
        op.create_index(f"ix_incidents_{column}", "incidents", [column])
    op.create_table(
        "incident_pictures",
        sa.Column("incident", sa.String, nullable=False),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("media_type", sa.String, nullable=False),
        sa.Column("size", sa.Integer, nullable=False),
        sa.Column("data", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("incident", "kind", name="pk_incident_pictures"),
        sa.ForeignKeyConstraint(
            ["incident"],
            ["incidents.id"],
            name="fk_incident_pictures_incident",
            ondelete="CASCADE",
        ),
    )


def downgrade() -> None:
    op.drop_table("incident_pictures")
    op.drop_table("incidents")
    op.drop_table("monitors")
