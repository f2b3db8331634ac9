"""A whole run's log as JSON, at its most talkative: every line is read, and no secret is in it."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest

from tests.support.client import client, frame
from tests.support.server import TOKEN, start_server

pytestmark = pytest.mark.server
PLANTED = "planted-secret"
ORIGIN = "chrome-extension://" + "a" * 32


async def test_nothing_that_a_client_sent_is_in_the_log(
    models: Any, portrait: bytes, tmp_path: Path
) -> None:
    environment = {
        "FAKELIGHT_LOG_FORMAT": "json",
        "FAKELIGHT_LOG_LEVEL": "debug",
        "FAKELIGHT_TOKENS": json.dumps(
            {"viewer": {"role": "viewer", "token": f"{PLANTED}-viewer"}}
        ),
    }
    server = start_server(tmp_path, "--models", str(models), environment=environment)
    try:
        source = {"kind": "tab", "title": PLANTED, "url": f"https://{PLANTED}.example/{PLANTED}"}
        for token in (TOKEN, f"{PLANTED}-viewer", f"wrong-{PLANTED}"):
            hello = {"type": "hello", "protocol": 1, "token": token, "source": source}
            async with client(server, hello=hello) as one:
                if token.startswith("wrong"):
                    await one.socket.wait_closed()
                    continue
                if token == TOKEN:
                    stream = one.welcome["stream"]
                else:
                    stream = (await one.next("welcome"))["stream"]
                await one.play(portrait, 12)
                await one.send({"type": PLANTED})
                await one.next("error")
                await one.verdict_for(90, 9.0, PLANTED.encode())
                await one.send(frame(91, PLANTED, portrait))
                await one.send({"type": "bye"})
                await one.socket.wait_closed()
        async with httpx.AsyncClient(base_url=server.url, timeout=60) as http:
            bearer = {"Authorization": f"Bearer {TOKEN}"}
            await http.get(f"/{PLANTED}?{PLANTED}", headers={"Authorization": f"Bearer {PLANTED}"})
            await http.get("/healthz", headers={"Host": f"{PLANTED}.example"})
            await http.post("/whip", content=PLANTED, headers=bearer)
            pairing = (await http.post("/v1/pairings", headers={"Origin": ORIGIN})).json()
            await http.post(f"/v1/pairings/{pairing['id']}", json={"code": PLANTED})
            files = {"file": (f"{PLANTED}.mp4", PLANTED.encode() * 100)}
            job = await http.post("/v1/scans", files=files, headers=bearer)
            async with asyncio.timeout(60):
                while (await http.get(f"/v1/scans/{job.json()['id']}", headers=bearer)).json()[
                    "status"
                ] in ("queued", "running"):
                    await asyncio.sleep(0.1)
            monitor = {"url": f"https://{PLANTED}.example/live.m3u8?key={PLANTED}", "name": PLANTED}
            await http.post("/v1/monitors", json=monitor, headers=bearer)
    finally:
        server.stop()
    said = server.output
    assert PLANTED not in said and TOKEN not in said
    lines = [json.loads(line) for line in said.splitlines()]
    assert all({"time", "level", "logger", "message"} <= line.keys() for line in lines)
    about = [line["message"] for line in lines if line.get("stream") == stream]
    assert about[0] == "opened (tab)" and about[-1].startswith("closed (normal)")
    assert any("the digits are" in line["message"] for line in lines)
