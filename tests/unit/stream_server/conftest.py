from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from stream_server.server.app import create_app
from tests.support.in_process import services_in
from tests.support.postgres import Postgres, needs_postgres, running_postgres


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A PostgreSQL server for all tests of one run."""
    with running_postgres() as server:
        yield server


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=needs_postgres)])
def address(request: Any, tmp_path: Path) -> Iterator[str]:
    """The address of an empty database, of each kind that there is."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'monitors.sqlite'}"
        return
    server: Postgres = request.getfixturevalue("postgres")
    with server.lent() as address:
        yield address


@pytest.fixture
def services(tmp_path: Path) -> Any:
    """What a server shares, with nothing open yet."""
    return services_in(tmp_path, allowed_hosts="probe.example")


@pytest.fixture
def client(services: Any) -> Iterator[Any]:
    """An HTTP client of a server in this process."""
    with TestClient(create_app(services), base_url="http://127.0.0.1:8765") as client:
        yield client
