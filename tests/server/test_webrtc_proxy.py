"""The nginx example as it stands in deploy/: WHIP, events and the WebSocket behind TLS."""

from __future__ import annotations

import json
import shutil
import ssl
import subprocess
import time
from collections.abc import Iterator
from typing import Any

import httpx2 as httpx
import pytest
from websockets.asyncio.client import connect

from tests.support.faces import backdrop, paste, person
from tests.support.paths import ROOT
from tests.support.server import TOKEN, free_port, running_server
from tests.support.whip import Pictures, WhipClient

NGINX = shutil.which("nginx", path="/usr/sbin:/usr/bin:/usr/local/bin")
OPENSSL = shutil.which("openssl")
pytestmark = pytest.mark.skipif(
    not (NGINX and OPENSSL), reason="no nginx and openssl here (Debian: nginx-light openssl)"
)
NAME = "fakelight.example"


@pytest.fixture(scope="module")
def proxied(models: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of a running server behind nginx with a certificate of our own."""
    folder = tmp_path_factory.mktemp("nginx")
    settings = {"FAKELIGHT_ALLOWED_HOSTS": NAME, "FAKELIGHT_WEBRTC_ADDRESSES": "127.0.0.1"}
    make = [OPENSSL, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
    make += ["-subj", f"/CN={NAME}", "-keyout", "privkey.pem", "-out", "fullchain.pem"]
    subprocess.run(make, cwd=folder, check=True, capture_output=True)
    port = free_port()
    with running_server("--models", str(models), environment=settings) as server:
        site = (ROOT / "deploy" / "proxy" / "nginx.conf").read_text()
        for old, new in (
            (f"/etc/letsencrypt/live/{NAME}/", f"{folder}/"),
            ("listen 443 ssl;", f"listen 127.0.0.1:{port} ssl;"),
            ("listen [::]:443 ssl;", ""),
            ("127.0.0.1:8765", f"127.0.0.1:{server.port}"),
        ):
            assert old in site
            site = site.replace(old, new)
        (folder / "site.conf").write_text(site)
        places = "".join(
            f"{name}_temp_path {folder}/{name};"
            for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        (folder / "nginx.conf").write_text(
            f"daemon off; pid {folder}/pid; error_log stderr; events {{}}"
            f" http {{ access_log off; {places} include {folder}/site.conf; }}"
        )
        nginx = subprocess.Popen([NGINX, "-p", folder, "-c", folder / "nginx.conf"])
        try:
            wait_for(f"https://127.0.0.1:{port}/healthz")
            yield f"https://127.0.0.1:{port}"
        finally:
            nginx.terminate()
            nginx.wait(60)


def wait_for(address: str) -> None:
    deadline = time.monotonic() + 60
    while True:
        try:
            trusting = _trusting()
            answer = httpx.get(address, headers={"Host": NAME}, verify=trusting, timeout=60)
            assert answer.status_code == 200
            return
        except httpx.TransportError:
            assert time.monotonic() < deadline, "nginx did not start"
            time.sleep(0.1)


def _trusting() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


async def test_whip_and_events_come_through(proxied: Any) -> None:
    picture = paste(backdrop(), person(), (320, 180), 260)
    async with WhipClient(proxied, verify=_trusting()) as client:
        client.http.headers["Host"] = NAME
        client.video(Pictures([picture]))
        await client.publish()
        kinds = []
        async with client.http.stream("GET", client.location + "/events") as events:
            async for line in events.aiter_lines():
                if line.startswith("data: "):
                    kinds.append(json.loads(line.removeprefix("data: "))["type"])
                if kinds.count("verdict") == 5:
                    break
        assert kinds[0] == "welcome"
        assert (await client.http.delete(client.location)).status_code == 200


async def test_the_websocket_comes_through(proxied: Any) -> None:
    address = proxied.replace("https", "wss") + "/v1/stream"
    hello = {"type": "hello", "protocol": 1, "token": TOKEN}
    async with connect(
        address.replace("127.0.0.1", NAME),
        host="127.0.0.1",
        port=int(proxied.rsplit(":", 1)[1]),
        ssl=_trusting(),
        subprotocols=["fakelight.v1"],
        compression=None,
        open_timeout=60,
    ) as socket:
        await socket.send(json.dumps(hello))
        assert json.loads(await socket.recv())["type"] == "welcome"
