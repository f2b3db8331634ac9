"""In which language people are told of a scan."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    with op.batch_alter_table("scans") as table:
        table.add_column(sa.Column("language", sa.String, nullable=False, server_default="en"))


def downgrade() -> None:
    with op.batch_alter_table("scans") as table:
        table.drop_column("language")
