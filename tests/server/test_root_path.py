"""Served under a path by real proxies, which take the path off or leave it on."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest
from websockets.asyncio.client import connect

from tests.support.faces import backdrop, paste, person
from tests.support.server import TOKEN, free_port, running_server
from tests.support.whip import Pictures, WhipClient

NGINX = shutil.which("nginx", path="/usr/sbin:/usr/bin:/usr/local/bin")
CADDY = shutil.which("caddy")
PREFIX = "/tools/fakelight"
BEARER = {"Authorization": f"Bearer {TOKEN}"}
get = partial(httpx.get, timeout=60)


def nginx(folder: Path, port: int, server: int, strips: bool) -> list[Any]:
    places = "".join(
        f"{name}_temp_path {folder}/{name};"
        for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    to = f"http://127.0.0.1:{server}" + ("/" if strips else "")
    (folder / "nginx.conf").write_text(
        f"daemon off; pid {folder}/pid; error_log stderr; events {{}} http {{ access_log off;"
        f" {places} map $http_upgrade $upgrading {{ default upgrade; '' close; }}"
        f" server {{ listen 127.0.0.1:{port}; location {PREFIX}/ {{ proxy_pass {to};"
        " proxy_http_version 1.1; proxy_buffering off; proxy_set_header Host $http_host;"
        " proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection $upgrading; } } }"
    )
    return [NGINX, "-p", folder, "-c", folder / "nginx.conf"]


def caddy(folder: Path, port: int, server: int, strips: bool) -> list[Any]:
    handle = "handle_path" if strips else "handle"
    (folder / "Caddyfile").write_text(
        "{\n admin off\n auto_https off\n}\n"
        f"http://127.0.0.1:{port} {{\n {handle} {PREFIX}/* {{\n"
        f"  reverse_proxy 127.0.0.1:{server}\n }}\n}}\n"
    )
    return [CADDY, "run", "--adapter", "caddyfile", "--config", folder / "Caddyfile"]


@pytest.fixture(scope="module")
def server(models: Any) -> Iterator[Any]:
    settings = {"FAKELIGHT_ROOT_PATH": PREFIX, "FAKELIGHT_WEBRTC_ADDRESSES": "127.0.0.1"}
    with running_server("--models", str(models), environment=settings) as running:
        yield running


@pytest.fixture(
    scope="module",
    params=[
        pytest.param((make, strips), id=f"{name}-{'strips' if strips else 'keeps'}", marks=mark)
        for name, make, mark in (
            ("nginx", nginx, pytest.mark.skipif(not NGINX, reason="no nginx here")),
            ("caddy", caddy, pytest.mark.skipif(not CADDY, reason="no caddy here")),
        )
        for strips in (True, False)
    ],
)
def proxied(
    request: pytest.FixtureRequest, server: Any, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """The address under which a proxy serves the server."""
    make, strips = request.param
    folder, port = tmp_path_factory.mktemp("proxy"), free_port()
    environment = {"HOME": str(folder), "PATH": "/usr/bin:/bin"}
    proxy = subprocess.Popen(make(folder, port, server.port, strips), env=environment)
    address = f"http://127.0.0.1:{port}{PREFIX}"
    try:
        deadline = time.monotonic() + 60
        while True:
            try:
                assert get(f"{address}/healthz").status_code == 200
                break
            except httpx.TransportError:
                assert time.monotonic() < deadline, "the proxy did not start"
                time.sleep(0.2)
        yield address
    finally:
        proxy.terminate()
        proxy.wait(30)


def test_the_pages_name_everything_beside_them_relatively(proxied: Any) -> None:
    for page in ("/", "/scan", "/monitor"):
        answer = get(proxied + page)
        assert answer.status_code == 200
        base = httpx.URL(proxied + page)
        names = [
            part.split('"')[0]
            for kind in ('href="', 'src="')
            for part in answer.text.split(kind)[1:]
        ]
        assert any(name.startswith("static/") for name in names)
        for name in names:
            found = get(base.join(name))
            assert found.status_code == 200, name


def test_scripts_find_each_other(proxied: Any) -> None:
    seen, todo = set(), [f"{proxied}/static/{name}" for name in ("live.js", "scan.js")]
    todo.append(f"{proxied}/static/monitor/main.js")
    while todo:
        address = todo.pop()
        if address in seen:
            continue
        seen.add(address)
        answer = get(address)
        assert answer.status_code == 200, address
        for line in answer.text.splitlines():
            if line.startswith(("import ", "} from ", "export ")) and ' from "' in line:
                name = line.split(' from "')[1].split('"')[0]
                todo.append(str(httpx.URL(address).join(name)))
    assert len(seen) > 20


def test_the_cookie_is_for_the_path_alone(proxied: Any) -> None:
    with httpx.Client(timeout=60) as client:
        answer = client.post(f"{proxied}/v1/session", json={"token": TOKEN})
        assert answer.status_code == 204
        assert f"Path={PREFIX}/" in answer.headers["set-cookie"]
        assert client.get(f"{proxied}/v1/info").status_code == 200
        outside = proxied.removesuffix(PREFIX)
        assert "cookie" not in client.build_request("GET", f"{outside}/v1/info").headers


def test_a_scan_lies_where_its_location_says(proxied: Any) -> None:
    answer = httpx.post(
        f"{proxied}/v1/scans", headers=BEARER, timeout=60, files={"file": b"no picture"}
    )
    assert answer.status_code == 202
    location = answer.headers["location"]
    assert location.startswith(f"{PREFIX}/v1/scans/")
    assert get(httpx.URL(proxied).join(location), headers=BEARER).status_code == 200


def test_the_description_names_the_path(proxied: Any) -> None:
    described = get(f"{proxied}/openapi.json", headers=BEARER).json()
    assert described["servers"] == [{"url": PREFIX}]


async def test_the_websocket_comes_through(proxied: Any) -> None:
    address = proxied.replace("http", "ws") + "/v1/stream"
    async with connect(address, subprotocols=["fakelight.v1"], open_timeout=60) as socket:
        await socket.send(json.dumps({"type": "hello", "protocol": 1, "token": TOKEN}))
        assert json.loads(await socket.recv())["type"] == "welcome"


async def test_whip_answers_with_an_address_that_works(proxied: Any) -> None:
    picture = paste(backdrop(), person(), (320, 180), 260)
    async with WhipClient(proxied) as client:
        client.video(Pictures([picture]))
        offer = await client.pc.createOffer()
        await client.pc.setLocalDescription(offer)
        answer = await client.http.post(
            "whip", content=client.pc.localDescription.sdp,
            headers={"Content-Type": "application/sdp"},
        )  # fmt: skip
        assert answer.status_code == 201
        location = answer.headers["location"]
        assert location.startswith(f"{PREFIX}/v1/streams/")
        gone = await client.http.delete(httpx.URL(proxied).join(location))
        assert gone.status_code == 200


def test_without_its_last_slash_the_path_leads_to_the_page(server: Any) -> None:
    """A proxy that leaves the path on passes this on too."""
    answer = get(f"http://127.0.0.1:{server.port}{PREFIX}", follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (307, f"{PREFIX}/")


def test_without_a_proxy_it_answers_as_ever(server: Any) -> None:
    assert get(f"http://127.0.0.1:{server.port}/healthz").status_code == 200
