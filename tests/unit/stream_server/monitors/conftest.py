from __future__ import annotations

from collections.abc import Iterator

import pytest

from stream_server.database import Database
from stream_server.migrations import migrate
from stream_server.monitors.store.migrate import CHAIN


@pytest.fixture
def database(address: str) -> Iterator[Database]:
    """A database with the tables of this version."""
    found = Database(address)
    migrate(found, CHAIN)
    yield found
    found.close()
