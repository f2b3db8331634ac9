from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest

from stream_server.addresses import AllowedHosts
from stream_server.ingest.urls.refusals import RefusedSourceError, SourceGoneError
from stream_server.ingest.urls.relay import Relay, RtspJudge
from tests.support.web import answer, web_server

ALLOWED = AllowedHosts.parse("127.0.0.1")
OK = b"RTSP/1.0 200 OK\r\nCSeq: 1\r\nContent-Length: 5\r\n\r\nv=0\r\n"
PACKET = b"$\x00\x00\x0aRTSP/1.0 3"  # media may hold anything
AWAY = b"RTSP/1.0 302 Found\r\nLocation: rtsp://u:hunter22@169.254.169.254/a\r\n\r\n"


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
def test_what_leads_nowhere_passes_unchanged(size: int) -> None:
    judge = RtspJudge()
    sent = OK + PACKET + b"OPTIONS * RTSP/1.0\r\n\r\n" + PACKET + OK
    parts = [sent[i : i + size] for i in range(0, len(sent), size)]
    assert b"".join(judge(part) for part in parts) == sent


@pytest.mark.parametrize("size", [1, 5, 1000])
@pytest.mark.parametrize(
    "reply", [AWAY, AWAY.replace(b"\r\n", b"\n"), AWAY.replace(b"302", b"305")]
)
def test_a_redirect_is_stopped_before_its_end(reply: bytes, size: int) -> None:
    judge = RtspJudge()
    passed = b""
    sent = OK + PACKET + reply
    with pytest.raises(RefusedSourceError, match=r"redirects to rtsp://\*\*\*@169.254.169.254/a"):
        for i in range(0, len(sent), size):
            passed += judge(sent[i : i + size])
    assert b"302" not in passed and b"305" not in passed


@pytest.mark.parametrize(
    "reply",
    [
        b"HTTP/1.1 200 OK\r\n\r\n",
        OK.replace(b"h: 5", b"h: +5"),
        OK.replace(b"CSeq: 1", b"Content-Length: 5"),
        b"RTSP/1.0 200 OK\r\nX: " + b"x" * 70_000,
        AWAY.replace(b"1.0 302", b"1.0 +302"),
        AWAY.replace(b"1.0 302", b"x 302"),
        AWAY.replace(b"1.0 302", b"1.0 0302"),
        AWAY.replace(b"1.0 302", b"1.0  302"),
        AWAY.replace(b"302", b"3\r02"),
        OK.replace(b"CSeq", b"$\x00\x00\x00CSeq"),
        b"\r\n" + AWAY,
    ],
)
def test_what_could_hide_one_is_refused(reply: bytes) -> None:
    with pytest.raises(RefusedSourceError):
        RtspJudge()(reply)


def test_what_ffmpeg_would_not_see_counts_for_nothing() -> None:
    odd = OK.replace(b"Content-L", b"Content-\rL")
    assert RtspJudge()(odd) == OK


@contextmanager
def echo() -> Iterator[int]:
    """Says back what it is told."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                with connection:
                    while data := connection.recv(100):
                        connection.sendall(data)

        threading.Thread(target=serve, daemon=True).start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)


def test_both_ways_are_joined() -> None:
    with echo() as port, Relay("127.0.0.1", port, ALLOWED) as relay:
        for _ in range(2):
            with socket.create_connection(("127.0.0.1", relay.port), 60) as near:
                near.sendall(b"hello")
                assert near.recv(100) == b"hello"
        assert relay.problem is None


def closed(relay: Relay) -> Exception | None:
    with (
        socket.create_connection(("127.0.0.1", relay.port), 60) as near,
        suppress(ConnectionResetError),
    ):
        near.sendall(AWAY)
        assert near.recv(100) == b""
    return relay.problem


def test_an_address_that_is_not_allowed_is_not_connected_to() -> None:
    with web_server("127.0.0.2") as inner:
        with Relay("127.0.0.2", inner.server_address[1], ALLOWED) as relay:
            assert isinstance(closed(relay), RefusedSourceError)
        assert inner.connections == 0


def test_a_redirect_ends_the_connection() -> None:
    with echo() as port, Relay("127.0.0.1", port, ALLOWED, judge=RtspJudge) as relay:
        assert isinstance(closed(relay), RefusedSourceError)


def test_nobody_there_and_no_tls_there_may_pass() -> None:
    with socket.socket() as deaf:  # has its port to itself and does not listen
        deaf.bind(("127.0.0.1", 0))
        with Relay("127.0.0.1", deaf.getsockname()[1], ALLOWED) as relay:
            assert isinstance(closed(relay), SourceGoneError)
    with web_server() as plain:
        plain.routes["/"] = answer(b"")
        with Relay("127.0.0.1", plain.server_address[1], ALLOWED, tls=True) as relay:
            assert isinstance(closed(relay), SourceGoneError)
