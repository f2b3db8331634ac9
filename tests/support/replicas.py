"""Two servers behind the proxies as they stand in ``deploy/proxy``, without TLS."""

from __future__ import annotations

import shutil
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.support.paths import ROOT
from tests.support.server import TOKEN, Server, free_port, start_server

NGINX = shutil.which("nginx", path="/usr/sbin:/usr/bin:/usr/local/bin")
CADDY = shutil.which("caddy")
PROXIES = ROOT / "deploy" / "proxy"


@dataclass(frozen=True)
class Replicas:
    """``url`` is the proxy's address."""

    url: str
    servers: tuple[Server, Server]
    token: str = TOKEN

    @property
    def socket_url(self) -> str:
        """Where the WebSocket is, behind the proxy."""
        return self.url.replace("http", "ws", 1) + "/v1/stream"

    def other(self, server: Server) -> Server:
        """The one that ``server`` is not."""
        return self.servers[self.servers.index(server) == 0]


@contextmanager
def running_replicas(
    folder: Path, proxy: str, *arguments: str, **settings: str
) -> Iterator[Replicas]:
    """Two servers with ``arguments`` and ``settings`` in their environment, each with a state
    folder of its own (in ``one`` and ``two``), and a ``proxy`` (nginx or caddy) in front."""
    settings = {"FAKELIGHT_WEBRTC_ADDRESSES": "127.0.0.1", **settings}
    servers: list[Server] = []
    port = free_port()
    try:
        servers += [
            start_server(folder / name, *arguments, environment=settings) for name in ("one", "two")
        ]
        make = {"nginx": _nginx, "caddy": _caddy}[proxy]
        command = make(folder, port, [server.port for server in servers])
        environment = {"HOME": str(folder), "PATH": "/usr/bin:/bin"}
        with (folder / "proxy.log").open("wb") as log:
            process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
        try:
            _wait_for(f"http://127.0.0.1:{port}/healthz")
            yield Replicas(f"http://127.0.0.1:{port}", (servers[0], servers[1]))
        finally:
            process.terminate()
            process.wait(30)
    finally:
        for server in servers:
            server.stop()


def _nginx(folder: Path, port: int, servers: list[int]) -> list[str]:
    site = (PROXIES / "nginx.conf").read_text()
    upstream = "server 127.0.0.1:8765 max_fails=0;"
    live = "/etc/letsencrypt/live/fakelight.example"
    for old, new in (
        ("listen 443 ssl;", f"listen 127.0.0.1:{port};"),
        ("listen [::]:443 ssl;", ""),
        (f"ssl_certificate     {live}/fullchain.pem;", ""),
        (f"ssl_certificate_key {live}/privkey.pem;", ""),
        (upstream, "".join(upstream.replace("8765", str(one)) for one in servers)),
    ):
        assert old in site, old
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
    return [str(NGINX), "-p", str(folder), "-c", str(folder / "nginx.conf")]


def _caddy(folder: Path, port: int, servers: list[int]) -> list[str]:
    site = (PROXIES / "Caddyfile").read_text()
    for old, new in (
        ("fakelight.example {", f"http://127.0.0.1:{port} {{"),
        ("reverse_proxy 127.0.0.1:8765 {", f"reverse_proxy {_places(servers)} {{"),
    ):
        assert old in site, old
        site = site.replace(old, new)
    file = folder / "Caddyfile"
    file.write_text("{\n\tadmin off\n\tauto_https off\n}\n" + site)
    return [str(CADDY), "run", "--adapter", "caddyfile", "--config", str(file)]


def _places(servers: list[int]) -> str:
    return " ".join(f"127.0.0.1:{one}" for one in servers)


def _wait_for(address: str) -> None:
    deadline = time.monotonic() + 60
    while True:
        try:
            with urllib.request.urlopen(address, timeout=5):
                return
        except OSError:
            assert time.monotonic() < deadline, "the proxy did not start"
            time.sleep(0.1)
