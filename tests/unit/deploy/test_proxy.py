"""Which server a client comes to, by nginx.conf as it stands and by what it has as comments."""

from __future__ import annotations

import re
import subprocess
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from stream_server.server.auth import COOKIE
from tests.support import replicas
from tests.support.server import free_port

NGINX = pytest.mark.skipif(not replicas.NGINX, reason="no nginx here (nginx-light)")
CONFIG = replicas.PROXIES / "nginx.conf"


class _Server(BaseHTTPRequestHandler):
    """Answers with its own port."""

    def do_GET(self) -> None:
        body = str(self.server.server_address[1]).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None: ...


@contextmanager
def proxied(folder: Path, monkeypatch: pytest.MonkeyPatch, config: str) -> Iterator[Any]:
    """Asks through nginx with ``config`` in front of two servers; which one answered."""
    (folder / "nginx.conf").write_text(config)
    monkeypatch.setattr(replicas, "PROXIES", folder)
    work = folder / "work"
    work.mkdir()
    with ExitStack() as stack:
        ports = []
        for _ in range(2):
            server = stack.enter_context(ThreadingHTTPServer(("127.0.0.1", 0), _Server))
            threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
            stack.callback(server.shutdown)
            ports.append(server.server_port)
        port = free_port()
        process = subprocess.Popen(
            replicas._nginx(work, port, ports),
            stderr=subprocess.DEVNULL,
        )
        stack.callback(process.wait, 60)
        stack.callback(process.terminate)
        replicas._wait_for(f"http://127.0.0.1:{port}/")

        def ask(**headers: str) -> str:
            connection = HTTPConnection("127.0.0.1", port, timeout=60)
            try:
                named = {name.replace("_", "-"): value for name, value in headers.items()}
                connection.request("GET", "/", headers=named)
                return connection.getresponse().read().decode()
            finally:
                connection.close()

        yield ask


def uncommented(config: str, *lines: str) -> str:
    """``config`` with what stands in it as comments."""
    for line in lines:
        config, count = re.subn(rf"^( *)#   ({re.escape(line)}.*)$", r"\1\2", config, flags=re.M)
        assert count == 1, line
    return config


@NGINX
def test_a_client_comes_to_one_server_by_its_address(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with proxied(tmp_path, monkeypatch, CONFIG.read_text()) as ask:
        told = {ask(X_Forwarded_For=f"10.1.2.{i}", Authorization=f"Bearer {i}") for i in range(20)}
        assert len(told) == 1, "what a client says of itself counts for nothing"


@NGINX
def test_a_balancer_that_passes_addresses_on_is_believed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = uncommented(CONFIG.read_text(), "set_real_ip_from 10", "real_ip_header")
    config = config.replace("set_real_ip_from 10.0.0.0/8", "set_real_ip_from 127.0.0.1")
    with proxied(tmp_path, monkeypatch, config) as ask:
        first = [ask(X_Forwarded_For=f"198.51.100.{i}") for i in range(40)]
        assert len(set(first)) == 2
        assert [ask(X_Forwarded_For=f"198.51.100.{i}") for i in range(40)] == first


@NGINX
def test_behind_one_that_hides_them_the_token_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = CONFIG.read_text().replace("    hash $remote_addr consistent;\n", "")
    config = uncommented(config, "hash $remote_addr$http_authorization")
    with proxied(tmp_path, monkeypatch, config) as ask:
        for header, value in (
            ("Authorization", "Bearer {}"),
            ("Cookie", COOKIE + "={}"),
            ("Sec_WebSocket_Key", "{}"),
        ):
            first = [ask(**{header: value.format(i)}) for i in range(40)]
            assert len(set(first)) == 2, header
            # What a client asks for after its first request is at the same server.
            assert [ask(**{header: value.format(i)}) for i in range(40)] == first
