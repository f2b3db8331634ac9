from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from stream_server.database import Database
from stream_server.monitors.store.migrate import migrate
from tests.support.postgres import Postgres, needs_postgres, running_postgres


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A PostgreSQL server for all tests of one run."""
    with running_postgres() as server:
        yield server


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=needs_postgres)])
def address(request: Any, tmp_path: Path) -> str:
    """The address of an empty database, of each kind that there is."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'monitors.sqlite'}"
    server: Postgres = request.getfixturevalue("postgres")
    return server.database()


@pytest.fixture
def database(address: str) -> Iterator[Database]:
    """A database with the tables of this version."""
    found = Database(address)
    migrate(found)
    yield found
    found.close()
