from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from stream_server.server.app import create_app
from tests.support.in_process import BEARER, services_in


@contextmanager
def server_in(folder: Path) -> Iterator[TestClient]:
    """An HTTP client of a server in this process, which may deliver to 127.0.0.1."""
    services = services_in(folder, monitor_hosts="127.0.0.1", port=8765)
    with TestClient(create_app(services), base_url="http://127.0.0.1:8765") as client:
        client.headers.update(BEARER)
        yield client


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Any]:
    """Of a server with nothing in it; its database is ``tmp_path / "monitors.sqlite"``."""
    with server_in(tmp_path) as client:
        yield client


@pytest.fixture(scope="module")
def refusing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """The same for tests in which nothing is set up."""
    with server_in(tmp_path_factory.mktemp("server")) as client:
        yield client
        assert client.get("/v1/webhooks").json() == []
