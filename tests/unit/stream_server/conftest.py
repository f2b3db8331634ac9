from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from stream_server.server.app import create_app
from tests.support.in_process import services_in


@pytest.fixture
def services(tmp_path: Path) -> Any:
    """What a server shares, with nothing open yet."""
    return services_in(tmp_path, allowed_hosts="probe.example")


@pytest.fixture
def client(services: Any) -> Iterator[Any]:
    """An HTTP client of a server in this process."""
    with TestClient(create_app(services), base_url="http://127.0.0.1:8765") as client:
        yield client
