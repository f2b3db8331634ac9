"""Where the file of a scan lies, and how far the scan is, for servers that share the table."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    with op.batch_alter_table("scans") as table:
        table.add_column(sa.Column("place", sa.String, nullable=False, server_default=""))
        table.add_column(sa.Column("share", sa.Double))
        table.add_column(sa.Column("left_s", sa.Double))
        # Files of more than 2 GiB, which PostgreSQL did not take.
        table.alter_column("size", type_=sa.BigInteger, existing_nullable=False)


def downgrade() -> None:
    with op.batch_alter_table("scans") as table:
        for name in ("left_s", "share", "place"):
            table.drop_column(name)
