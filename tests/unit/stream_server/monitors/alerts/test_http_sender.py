from __future__ import annotations

import asyncio
import base64
import socket
import time
from contextlib import suppress
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from stream_server.addresses import AllowedHosts
from stream_server.monitors.alerts.http_sender import HttpSender
from stream_server.monitors.alerts.outcome import Outcome
from tests.support.certificates import certificate
from tests.support.receiver import Receiver, answers, receiver
from tests.support.server import free_port

LOCAL = AllowedHosts.parse("localhost, 127.0.0.0/8")
BODY = b'{"type":"webhook.test"}'


async def post(url: str, seconds: float = 30.0, allowed: AllowedHosts = LOCAL) -> Outcome:
    async with HttpSender(allowed, seconds=seconds) as sender:
        return await sender.post(url, {"webhook-id": "msg_1"}, BODY)


async def test_what_is_posted_arrives_as_it_is() -> None:
    with receiver(answers(204)) as one:
        outcome = await post(one.url + "?a=1&b=%20")
    assert outcome == Outcome(status=204)
    assert outcome.delivered
    (came,) = one.received
    assert came.path == "/hook?a=1&b=%20"
    assert came.body == BODY
    assert came.headers["webhook-id"] == "msg_1"
    assert came.headers["content-type"] == "application/json"
    assert came.headers["host"] == f"127.0.0.1:{one.port}"
    assert came.headers["user-agent"].startswith("fakelight/")


@pytest.mark.parametrize("status", [400, 404, 410, 429, 500, 502, 503, 504])
async def test_any_other_answer_is_a_failure(status: int) -> None:
    with receiver(answers(status, headers={"Retry-After": "7"})) as one:
        outcome = await post(one.url)
    assert outcome == Outcome(f"the receiver answered {status}", status, 7.0)
    assert not outcome.delivered
    assert outcome.gone == (status == 410)
    assert outcome.turned_down == (status not in (429, 502, 503, 504))


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_no_redirect_is_followed(status: int) -> None:
    with receiver() as other, receiver(answers(status, headers={"Location": other.url})) as one:
        outcome = await post(one.url)
    assert "redirects are not followed" in outcome.error
    assert len(one.received) == 1
    assert other.received == []


async def test_the_address_that_is_connected_to_is_checked() -> None:
    with receiver() as one:
        for host in ("127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "0x7f.1", "2130706433"):
            outcome = await post(f"http://{host}:{one.port}/", allowed=AllowedHosts())
            assert "is a loopback address" in outcome.error, host
            assert outcome.status is None
    assert one.received == []


async def test_a_name_that_changes_its_address_gets_nowhere(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked = []

    def rebinding(host: str, port: int, *_: object, **__: object) -> list[object]:
        asked.append(host)
        address = "8.8.8.8" if len(asked) > 1 else "169.254.169.254"
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]

    monkeypatch.setattr(socket, "getaddrinfo", rebinding)
    outcome = await post("http://evil.example/", allowed=AllowedHosts())
    assert "evil.example (169.254.169.254) is a link-local or metadata address" in outcome.error
    assert asked == ["evil.example"]  # one answer is checked and used: there is no second


async def test_nobody_there() -> None:
    outcome = await post(f"http://127.0.0.1:{free_port()}/")
    assert outcome == Outcome("the receiver refuses connections")
    assert not outcome.turned_down
    outcome = await post("http://no-such-name.invalid/")
    assert outcome == Outcome("the name no-such-name.invalid is not found")


async def test_the_next_address_of_a_name_is_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    with receiver() as one:

        def two(*_: object, **__: object) -> list[object]:
            return [
                (socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, one.port))
                for address in ("127.0.0.9", "127.0.0.1")
            ]

        monkeypatch.setattr(socket, "getaddrinfo", two)
        assert (await post(f"http://two.example:{one.port}/")).delivered
    assert one.received[0].headers["host"] == f"two.example:{one.port}"


async def test_a_receiver_that_hangs_is_cut_off() -> None:
    with receiver(lambda handler: time.sleep(20)) as one:
        assert await post(one.url, seconds=0.3) == Outcome("no answer within 0.3 s")


def dribble(handler: BaseHTTPRequestHandler) -> None:
    handler.wfile.write(b"HTTP/1.1 200 OK\r\n")
    for number in range(200):
        handler.wfile.write(f"X-{number}: y\r\n".encode())
        time.sleep(0.1)


async def test_a_receiver_that_dribbles_is_cut_off() -> None:
    with receiver(dribble) as one:
        assert await post(one.url, seconds=0.5) == Outcome("no answer within 0.5 s")


class Flood:
    """Sends without an end, and remembers how much went."""

    def __init__(self, head: bytes, piece: bytes) -> None:
        self.head, self.piece, self.sent = head, piece, 0

    def __call__(self, handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(self.head)
        with suppress(OSError):
            while self.sent < 1 << 30:
                handler.wfile.write(self.piece)
                self.sent += len(self.piece)


async def test_gigabytes_are_not_read() -> None:
    flood = Flood(b"HTTP/1.1 200 OK\r\nContent-Length: 9999999999\r\n\r\n", b"x" * 65536)
    with receiver(flood) as one:
        assert (await post(one.url)).delivered
    assert flood.sent < 64 << 20


async def test_endless_headers_are_not_read() -> None:
    flood = Flood(b"HTTP/1.1 200 OK\r\nX: ", b"x" * 65536)
    with receiver(flood) as one:
        outcome = await post(one.url)
    assert outcome == Outcome("what answered does not speak HTTP as it should")
    assert flood.sent < 64 << 20


async def test_what_is_no_http_is_said_so() -> None:
    with receiver(lambda handler: handler.wfile.write(b"SSH-2.0-x\r\n" * 9) and None) as one:
        outcome = await post(one.url)
    assert outcome == Outcome("what answered does not speak HTTP as it should")


async def test_a_connection_that_breaks_off() -> None:
    def reset(handler: BaseHTTPRequestHandler) -> None:
        handler.connection.setsockopt(
            socket.SOL_SOCKET, socket.SO_LINGER, (1).to_bytes(4, "little") + bytes(4)
        )
        handler.connection.close()

    with receiver(reset) as one:
        assert (await post(one.url)).error in (
            "the connection broke off",
            "what answered does not speak HTTP as it should",
        )


async def test_user_and_password_of_a_url_become_a_header() -> None:
    with receiver() as one:
        await post(f"http://me:p%40ss@127.0.0.1:{one.port}/hook")
    (came,) = one.received
    assert base64.b64decode(came.headers["authorization"].split()[1]) == b"me:p@ss"
    assert came.path == "/hook"
    assert came.headers["host"] == f"127.0.0.1:{one.port}"


async def test_neither_proxies_nor_other_environment_count(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{free_port()}")
    with receiver() as one:
        assert (await post(one.url)).delivered


async def test_tls_is_by_the_name_in_the_url(tmp_path: Path) -> None:
    good = certificate(tmp_path, "localhost")
    names: list[str | None] = []
    good.server.sni_callback = lambda _, name, __: names.append(name)
    with receiver(trust=good.server) as one:
        async with HttpSender(LOCAL, trust=good.client) as sender:
            named = await sender.post(f"https://localhost:{one.port}/", {}, BODY)
            other = await sender.post(one.url, {}, BODY)
        untrusted = await post(f"https://localhost:{one.port}/")
    assert named.delivered
    assert names[0] == "localhost"
    assert "certificate is not good: " in other.error
    assert "certificate is not good: " in untrusted.error
    assert len(one.received) == 1


async def test_tls_where_there_is_none() -> None:
    with receiver() as one:
        outcome = await post(one.url.replace("http:", "https:"))
    assert outcome == Outcome("the receiver does not speak TLS as it should")


async def test_many_go_out_at_once() -> None:
    with (
        receiver(lambda handler: time.sleep(20)) as slow,
        receiver() as quick,
    ):
        async with HttpSender(LOCAL, seconds=15) as sender:
            hung = [asyncio.create_task(sender.post(slow.url, {}, BODY)) for _ in range(40)]
            await asyncio.to_thread(slow.wait_for, 40)
            assert (await sender.post(quick.url, {}, BODY)).delivered
            for task in hung:
                task.cancel()
            await asyncio.gather(*hung, return_exceptions=True)


def test_a_receiver_can_go_and_come_back_at_its_port() -> None:
    with receiver() as one:
        port = one.port
        one.stop()
        one.start()
        assert one.port == port
        assert isinstance(one, Receiver)
