"""A server that is asked to stop, twice, while a file is on its way to it and a client is idle."""

from __future__ import annotations

import http.client
import json
import signal
import socket
from pathlib import Path
from typing import Any

import pytest

from tests.support.server import TOKEN, start_server

pytestmark = pytest.mark.server
PART = (
    b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.mp4"\r\n'
    b"Content-Type: video/mp4\r\n\r\n"
)


def test_an_upload_that_is_not_through_is_told_to_come_again(models: Any, tmp_path: Path) -> None:
    server = start_server(tmp_path, "--models", str(models))
    sending = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    try:
        sending.putrequest("POST", "/v1/scans")
        for name, value in (
            ("Authorization", f"Bearer {TOKEN}"),
            ("Content-Type", "multipart/form-data; boundary=b"),
            ("Content-Length", "3000000"),
        ):
            sending.putheader(name, value)
        sending.endheaders(PART + bytes(100_000))
        idle = socket.create_connection(("127.0.0.1", server.port), timeout=60)
        with idle:
            idle.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert idle.recv(12) == b"HTTP/1.1 200"
            server.process.send_signal(signal.SIGTERM)
            while idle.recv(4096):
                pass
        server.process.send_signal(signal.SIGTERM)
        answer = sending.getresponse()
        assert (answer.status, answer.getheader("content-type")) == (
            503,
            "application/problem+json",
        )
        assert "send it again" in json.load(answer)["detail"]
        assert server.process.wait(60) == 0
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", server.port), timeout=60)
    finally:
        sending.close()
        assert server.stop() == 0
    assert "Traceback" not in server.output
    assert not list((tmp_path / "state" / "uploads").iterdir())
