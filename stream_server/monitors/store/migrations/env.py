"""What Alembic runs around the migrations; ``store.migrate`` hands it the connection."""

from __future__ import annotations

from alembic import context

from stream_server.monitors.store.tables import Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    render_as_batch=True,  # SQLite alters a table by copying it
)
context.run_migrations()
