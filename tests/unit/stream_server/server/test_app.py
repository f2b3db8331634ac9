"""The routes."""

from __future__ import annotations

import json
from typing import Any

from stream_server import resources
from stream_server.server.app import create_app
from tests.support.in_process import BEARER


def test_every_route_is_described(client: Any, services: Any) -> None:
    described = client.get("/openapi.json", headers=BEARER).json()
    assert described["openapi"].startswith("3.")
    app = create_app(services)
    paths = {vars(route)["path"] for route in app.routes if hasattr(route, "methods")}
    assert set(described["paths"]) >= paths
    assert json.loads((resources.web_dir() / "openapi.json").read_text()) == described
