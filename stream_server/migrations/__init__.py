"""Brings tables to those of this version, or back to those of an earlier one.

Whoever keeps something in a database has a chain of changes: numbered files, each with a way
forward and back. All that is to be done of a chain happens in one transaction: a server that is
killed halfway leaves what was there before.
"""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import text

from stream_server.database import Database

# What it does is said by its errors; a line at every start says nothing.
logging.getLogger("alembic").setLevel(logging.WARNING)
_LOCK = 0x66616B65  # any number that no other program takes a PostgreSQL advisory lock by
# ``alembic.context`` is one for the whole process: two at once would use each other's connection.
_one_at_a_time = threading.Lock()


@dataclass(frozen=True)
class Chain:
    """``folder`` holds the files, the database's ``table`` says how far it is. Several chains may
    share a database."""

    folder: Path
    table: str


def migrate(database: Database, chain: Chain, revision: str = "head") -> None:
    """Go to ``revision``, forward to ``head`` or back to any other; ``base`` is without its tables.

    Several servers may start at once: one of them migrates, the others wait. Raises
    ``alembic.util.CommandError`` for a database of a later version of the server, or a revision
    that there is not.
    """
    with database.schema() as connection:
        if not database.is_sqlite:  # SQLite's writing transactions wait for one another anyhow
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
        config = Config()
        config.set_main_option("path_separator", "os")
        for option, folder in (
            ("script_location", Path(__file__).parent),
            ("version_locations", chain.folder),
        ):
            config.set_main_option(option, str(folder).replace("%", "%%"))
        config.attributes.update(connection=connection, table=chain.table)
        with _one_at_a_time:
            if revision == "head":
                command.upgrade(config, revision)
            else:
                command.downgrade(config, revision)


def revision_of(database: Database, chain: Chain) -> str:
    """How far the chain is; ``base`` where there is nothing of it."""
    with database.engine.connect() as connection:
        opts = {"version_table": chain.table}
        context = MigrationContext.configure(connection, opts=opts)
        return context.get_current_revision() or "base"
