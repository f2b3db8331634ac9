"""A client that was written from docs/protocol.md alone, and shares no code with the server."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import pytest

from tests.support import independent_client
from tests.support.independent_client import Fakelight, FakelightError, watch
from tests.support.server import TOKEN

pytestmark = pytest.mark.server


def test_it_knows_nothing_of_the_server() -> None:
    tree = ast.parse(Path(independent_client.__file__).read_text(encoding="utf-8"))
    modules = {
        name
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in (
            [node.module] if isinstance(node, ast.ImportFrom) else [a.name for a in node.names]
        )
    }
    assert not [name for name in modules if name.split(".")[0] in ("stream_server", "tests")]


async def test_it_gets_verdicts(
    server: Any, portrait: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(independent_client, "LAST_ANSWER_S", 60.0)  # on a busy machine
    pictures = [(i / 10, portrait, 640, 360) for i in range(20)]
    verdicts = await watch(server.socket_url, TOKEN, pictures)
    assert verdicts[-1]["media_time"] == 1.9
    faces = verdicts[-1]["faces"]
    assert len(faces) == 1 and 0 <= faces[0]["probability"] <= 1


async def test_it_learns_why_it_is_turned_away(server: Any) -> None:
    with pytest.raises(FakelightError) as caught:
        await Fakelight.connect(server.socket_url, "a wrong token")
    assert caught.value.code == 4003 and "wrong token" in caught.value.reason
