"""Other models in a running server: no stream ends, and what does not pass changes nothing."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest

from tests.support.client import Visit, play_on
from tests.support.paths import ROOT
from tests.support.server import TOKEN, Server, start_server
from tests.support.tiny_repository import tiny_repository

pytestmark = pytest.mark.server
VIEWER = "a-desk-that-operates"


async def until(done: Any) -> None:
    async with asyncio.timeout(240):
        while not done():
            await asyncio.sleep(0.05)


async def swap(server: Server, folder: Path) -> tuple[int, str]:
    """`fakelight models swap` beside the server: exit status and what it says."""
    environment = {"FAKELIGHT_PORT": str(server.port), "FAKELIGHT_TOKEN": TOKEN}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "stream_server.cli", "models", "swap", str(folder)),
        env={**os.environ, **environment, "PYTHONPATH": str(ROOT)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await process.communicate()
    return process.returncode or 0, said.decode()


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="signals are POSIX")
async def test_streams_go_on_over_a_swap(portrait: bytes, tmp_path: Path) -> None:
    first, second, third, broken = (
        tiny_repository(tmp_path / name, (name,)) for name in ("one", "two", "three", "bad")
    )
    tiny_repository(third, ("three",), parameters={"untrained": "made up for a test"})
    vote = broken / "vote" / "1" / "model.onnx"
    vote.write_bytes(vote.read_bytes()[:-20])
    link = tmp_path / "models"
    link.symlink_to(first)
    tokens = json.dumps({"desk": {"role": "operator", "token": VIEWER}})
    server = start_server(
        tmp_path / "state", "--models", str(link), environment={"FAKELIGHT_TOKENS": tokens}
    )
    everyone: list[list[Visit]] = [[], []]
    playing = [asyncio.create_task(play_on(server, portrait, visits)) for visits in everyone]
    try:
        await until(lambda: all(visits and visits[0].members == {"one"} for visits in everyone))

        status, said = await swap(server, second)
        assert (status, said) == (0, f"the server has gone over to {second}: two\n")
        await until(lambda: all(visits[-1].members == {"two"} for visits in everyone))

        status, said = await swap(server, broken)
        assert status == 1 and "nothing was changed" in said and "vote" in said
        status, said = await swap(server, tmp_path / "nowhere")
        assert status == 1 and "no such folder" in said
        async with httpx.AsyncClient(base_url=server.url, timeout=60) as http:
            bearer = {"Authorization": f"Bearer {VIEWER}"}
            asked = await http.post("/v1/models", json={"path": str(third)}, headers=bearer)
            assert asked.status_code == 403
            bearer = {"Authorization": f"Bearer {TOKEN}"}
            asked = await http.post("/v1/models", json={"path": "/" + "x" * 300}, headers=bearer)
            assert (asked.status_code, "nothing was changed" in asked.text) == (422, True)
            info = (await http.get("/v1/info", headers=bearer)).json()
            assert info["models"] == ["two"]

        link.unlink()
        link.symlink_to(third)
        server.process.send_signal(signal.SIGHUP)
        await until(lambda: all(visits[-1].members == {"three"} for visits in everyone))
        await until(lambda: server.output.count("the models from before are freed") == 2)
        assert server.output.count("UNTRAINED MODELS: made up for a test") == 1
        assert [len(visits) for visits in everyone] == [1, 1], "no stream ended"
    finally:
        for task in playing:
            task.cancel()
        await asyncio.gather(*playing, return_exceptions=True)
        assert server.stop() == 0
