"""Opens the monitors' database and brings it to the tables of this version."""

from __future__ import annotations

from pathlib import Path

from stream_server.database import Database, shared_address
from stream_server.migrations import Chain, migrate
from stream_server.settings import Settings

CHAIN = Chain(Path(__file__).parent / "migrations" / "versions", "alembic_version")


def open_database(settings: Settings) -> Database:
    """The database that servers share, with the monitors' tables.

    Raises ``DatabaseAddressError``, ``sqlalchemy.exc.SQLAlchemyError``,
    ``alembic.util.CommandError``.
    """
    database = Database(shared_address(settings))
    try:
        migrate(database, CHAIN)
    except BaseException:
        database.close()
        raise
    return database
