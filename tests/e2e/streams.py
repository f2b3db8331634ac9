"""What the server says of the streams it has open."""

from __future__ import annotations

import json
import urllib.request
from typing import Any

from tests.support.server import TOKEN, Server


def streams(server: Server) -> list[dict[str, Any]]:
    request = urllib.request.Request(
        f"{server.url}/v1/streams", headers={"Authorization": f"Bearer {TOKEN}"}
    )
    with urllib.request.urlopen(request, timeout=60) as answer:
        found: list[dict[str, Any]] = json.load(answer)
        return found


def frames_received(server: Server) -> int:
    """Frames that the open streams have sent."""
    return sum(one["received"] for one in streams(server))
