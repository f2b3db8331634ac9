"""The migrations, forward and back, in both databases."""

from __future__ import annotations

import stat
import threading
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import inspect, text

from stream_server import migrations
from stream_server.database import Database
from stream_server.migrations import migrate
from stream_server.monitors.store.incidents import IncidentTable
from stream_server.monitors.store.migrate import CHAIN, open_database
from stream_server.monitors.store.tables import Base
from stream_server.settings import load
from tests.support.monitored import stretch

SCRIPTS = ScriptDirectory(migrations.__path__[0], version_locations=[str(CHAIN.folder)])
REVISIONS = [one.revision for one in reversed(list(SCRIPTS.walk_revisions()))]


def difference(database: Database) -> Any:
    with database.engine.connect() as connection:
        return compare_metadata(MigrationContext.configure(connection), Base.metadata)


def tables(database: Database) -> set[str]:
    return set(inspect(database.engine).get_table_names()) - {"alembic_version"}


def test_the_migrations_build_what_the_tables_say(database: Any) -> None:
    assert difference(database) == []
    assert tables(database) == set(Base.metadata.tables)


def test_every_step_goes_back_and_forward_again(database: Any) -> None:
    for revision in [*reversed(REVISIONS[:-1]), "base"]:
        migrate(database, CHAIN, revision)
    assert tables(database) == set()
    migrate(database, CHAIN)
    assert difference(database) == []


def test_what_is_there_stays(database: Any) -> None:
    IncidentTable(database).save([stretch()], None)
    IncidentTable(database).keep_picture("i1", "still", "image/jpeg", b"jpeg")
    migrate(database, CHAIN, REVISIONS[0])
    migrate(database, CHAIN)
    assert IncidentTable(database).picture("i1", "still") == ("image/jpeg", b"jpeg")


def test_servers_that_start_at_once_migrate_once(address: Any) -> None:
    databases = [Database(address) for _ in range(4)]
    failed: list[BaseException] = []

    def run(database: Database) -> None:
        try:
            migrate(database, CHAIN)
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=run, args=(one,)) for one in databases]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == [] and difference(databases[0]) == []
    for database in databases:
        database.close()


def test_a_database_of_a_later_version_is_left_alone(database: Any) -> None:
    with database.write() as session:
        session.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(CommandError, match="9999"):
        migrate(database, CHAIN)


def test_a_step_that_fails_leaves_what_was_there(database: Any) -> None:
    migrate(database, CHAIN, "base")
    with database.schema() as connection:
        connection.execute(text("CREATE TABLE incidents (id VARCHAR)"))
    with pytest.raises(Exception, match="incidents"):
        migrate(database, CHAIN)
    assert tables(database) == {"incidents"}


def test_without_an_address_it_is_a_file_of_its_owner_alone(tmp_path: Path) -> None:
    database = open_database(load(state_dir=tmp_path))
    try:
        IncidentTable(database).save([stretch()], None)
        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
        assert modes["monitors.sqlite"] == 0o600 and set(modes.values()) == {0o600}
    finally:
        database.close()
