"""Brings a database to the tables of this version, or back to those of an earlier one.

Each change is a file in ``migrations/versions``, numbered, with a way forward and back. All of
them happen in one transaction: a server that is killed halfway leaves what was there before.
"""

from __future__ import annotations

import logging
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import text

from stream_server.database import Database
from stream_server.settings import Settings

# What it does is said by its errors; a line at every start says nothing.
logging.getLogger("alembic").setLevel(logging.WARNING)
_LOCK = 0x66616B65  # any number that no other program takes a PostgreSQL advisory lock by


def migrate(database: Database, revision: str = "head") -> None:
    """Go to ``revision``, forward or back; ``base`` is an empty database.

    Several servers may start at once: one of them migrates, the others wait. Raises
    ``alembic.util.CommandError`` for a database of a later version of the server.
    """
    with database.schema() as connection:
        if not database.is_sqlite:  # SQLite's writing transactions wait for one another anyhow
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
        config = Config()
        config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
        config.set_main_option("path_separator", "os")
        config.attributes["connection"] = connection
        if revision == "head":
            command.upgrade(config, revision)
        else:
            command.downgrade(config, revision)


def open_database(settings: Settings) -> Database:
    """The monitors' database, brought to this version.

    SQLite in the state folder unless ``settings.database`` names another. Raises
    ``DatabaseAddressError``, ``sqlalchemy.exc.SQLAlchemyError``, ``alembic.util.CommandError``.
    """
    file = settings.state_dir / "monitors.sqlite"
    database = Database(settings.database or f"sqlite:///{file}")
    try:
        migrate(database)
    except BaseException:
        database.close()
        raise
    return database
