"""What Alembic runs around the migrations; ``store.migrate`` hands it the connection."""

from __future__ import annotations

from alembic import context

from stream_server.monitors.store.webhook_tables import Webhook  # which brings all the others

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Webhook.metadata,
    render_as_batch=True,  # SQLite alters a table by copying it
)
context.run_migrations()
