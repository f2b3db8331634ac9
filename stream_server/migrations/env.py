"""What Alembic runs around the changes of any chain; ``migrations.migrate`` hands it both."""

from __future__ import annotations

from alembic import context

context.configure(
    connection=context.config.attributes["connection"],
    version_table=context.config.attributes["table"],
    render_as_batch=True,  # SQLite alters a table by copying it
)
context.run_migrations()
