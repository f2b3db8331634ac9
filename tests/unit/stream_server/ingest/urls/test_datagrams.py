from __future__ import annotations

import socket

import pytest

from stream_server.addresses import AllowedHosts
from stream_server.ingest.urls import datagrams as receiving
from stream_server.ingest.urls.datagrams import Datagrams
from stream_server.ingest.urls.refusals import RefusedSourceError, SourceGoneError

ALLOWED = AllowedHosts.parse("127.0.0.1,239.255.7.7,::1")
PACKET = b"G" + bytes(187)


def sent_to(port: int, *parts: bytes, host: str = "127.0.0.1") -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as sender:
        for part in parts:
            sender.sendto(part, (host, port))


def test_what_comes_is_read_in_order() -> None:
    with Datagrams("udp://127.0.0.1:0", ALLOWED) as received:
        sent_to(received.port, PACKET * 7, PACKET * 2)
        assert received.read(100) == (PACKET * 7)[:100]
        assert received.read(10_000) == (PACKET * 7)[100:]
        assert received.read() == PACKET * 2


def test_rtp_is_unpacked() -> None:
    with Datagrams("udp://@127.0.0.1:0", ALLOWED) as received:
        sent_to(received.port, b"\x80\x21" + bytes(10) + PACKET)
        assert received.read() == PACKET


def test_over_ipv6_too() -> None:
    with Datagrams("udp://[::1]:0", ALLOWED) as received:
        sent_to(received.port, PACKET, host="::1")
        assert received.read() == PACKET


def test_a_group_is_joined() -> None:
    with Datagrams("udp://239.255.7.7:0", ALLOWED) as received:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            local = socket.inet_aton("127.0.0.1")
            sender.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, local)
            sender.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_LOOP, 1)
        assert received.port > 0


@pytest.mark.parametrize(
    "url",
    [
        "udp://127.0.0.2:5000", "udp://0.0.0.0:5000", "udp://:5000", "udp://239.1.1.1:5000",
        "udp://8.8.8.8:5000", "udp://127.0.0.1", "udp://127.0.0.1:99999", "udp://0x7f.1:5000",
    ],
)  # fmt: skip
def test_no_port_is_opened_that_nobody_named(url: str) -> None:
    with pytest.raises(RefusedSourceError):
        Datagrams(url, ALLOWED)


def test_a_port_that_is_taken_may_be_free_later() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("127.0.0.1", 0))
        with pytest.raises(SourceGoneError, match="in use"):
            Datagrams(f"udp://127.0.0.1:{other.getsockname()[1]}", ALLOWED)


def test_silence_and_the_end_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(receiving, "_PATIENCE", 0.1)
    received = Datagrams("udp://127.0.0.1:0", ALLOWED)
    with pytest.raises(SourceGoneError, match=r"no datagram for 0\.1 s"):
        received.read()
    received.close()
    assert received.read() == b""


def test_who_does_not_read_loses_the_oldest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(receiving, "_WAITING", 3 * 188)
    with Datagrams("udp://127.0.0.1:0", ALLOWED) as received:
        for number in range(20):
            sent_to(received.port, b"G" + bytes([number]) * 187)
            while not received._parts or received._parts[-1][1] != number:
                pass
        assert [received.read()[1] for _ in range(3)] == [17, 18, 19]
