"""A browser that waits may be let in by a click on the server's own page."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    with op.batch_alter_table("pairing_digits") as table:
        table.add_column(
            sa.Column("allowed", sa.Boolean, nullable=False, server_default=sa.false())
        )


def downgrade() -> None:
    with op.batch_alter_table("pairing_digits") as table:
        table.drop_column("allowed")
