from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from stream_server.server.app import create_app
from tests.support.in_process import BEARER, services_in


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Any]:
    """An HTTP client of a server in this process, which may deliver to 127.0.0.1."""
    services = services_in(tmp_path, monitor_hosts="127.0.0.1", port=8765)
    with TestClient(create_app(services), base_url="http://127.0.0.1:8765") as client:
        client.headers.update(BEARER)
        yield client
