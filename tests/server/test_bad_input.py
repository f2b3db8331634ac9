"""Bad input over real sockets: each gets its own error, and the other streams go on."""

from __future__ import annotations

import asyncio
import io
import json
import os
import struct
from typing import Any

import pytest
from PIL import Image as Pillow
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.support.client import client, frame
from tests.support.raw import masked, upgrade_status, upgraded
from tests.support.server import TOKEN, running_server
from tests.unit.stream_server.ingest.websocket.test_pictures import png_of

pytestmark = pytest.mark.server
HELLO = {"type": "hello", "protocol": 1, "token": TOKEN}


def truncated(portrait: bytes) -> bytes:
    return portrait[: len(portrait) // 2]


@pytest.mark.parametrize(
    ("message", "code", "says"),
    [
        (
            lambda p: frame(5, 0.5, b"not a picture at all"),
            "bad_frame",
            "not a whole JPEG, WebP or PNG",
        ),
        (lambda p: frame(5, 0.5, truncated(p)), "bad_frame", "cannot be decoded"),
        (lambda p: frame(5, 0.5, p, width=641), "bad_frame", "says 641x360"),
        (
            lambda p: frame(5, 0.5, bytes(png_of(10_000, 10_000)), width=10_000, height=10_000),
            "too_many_pixels",
            "10000x10000",
        ),
        (lambda p: struct.pack("<I", 2**30) + p, "bad_frame", "claims 1073741824 bytes"),
        (lambda p: b"\x05", "bad_frame", "a frame of 1 bytes"),
        (lambda p: frame(5, float("nan"), p), "bad_frame", "NaN"),
        (lambda p: frame(5, float("inf"), p), "bad_frame", "Infinity"),
        (lambda p: frame(5, -3.0, p), "bad_frame", "media_time is -3.0"),
        (lambda p: frame(5, 0.5, p, extra=1), "bad_frame", "unknown field 'extra'"),
        (lambda p: "a text where a frame belongs", "bad_message", "not JSON"),
        (lambda p: '{"type":"frame","data":"…"}', "bad_message", "unknown message type 'frame'"),
        (lambda p: '{"type":"seek","to":NaN}', "bad_message", "NaN"),
        (lambda p: json.dumps(HELLO), "bad_message", "a second hello"),
    ],
)
async def test_a_bad_message_gets_an_error_and_the_stream_goes_on(
    server: Any, neighbour: Any, portrait: bytes, message: Any, code: str, says: str
) -> None:
    async with client(server) as one:
        await one.play(portrait, 3)
        await one.send(message(portrait))
        error = await one.next("error")
        assert (error["code"], says in error["message"]) == (code, True), error
        after = await one.verdict_for(6, 0.6, portrait)
    assert after["type"] == "verdict" and after["faces"][0]["samples"] == 4


async def test_time_running_backwards(server: Any, neighbour: Any, portrait: bytes) -> None:
    async with client(server) as one:
        await one.play(portrait, 3, start=10.0)
        error = await one.verdict_for(5, 4.0, portrait)
        assert (error["code"], error["frame_id"]) == ("time_backwards", 5)
        assert "4.0 after 10.2" in error["message"]
        assert (await one.verdict_for(6, 4.1, portrait))["faces"][0]["samples"] == 1


async def test_fifty_faces(server: Any, neighbour: Any, crowd: bytes) -> None:
    async with client(server) as one:
        limit = one.welcome["limits"]["faces"]
        await one.send(frame(0, 0.0, crowd, width=1920, height=1080))
        messages = [await one.next(), await one.next()]
    by_type = {message["type"]: message for message in messages}
    assert by_type["error"]["code"] == "too_many_faces"
    assert f"the limit is {limit}" in by_type["error"]["message"]
    assert len(by_type["verdict"]["faces"]) == limit


async def test_too_many_frames_a_second(server: Any, neighbour: Any, empty: bytes) -> None:
    async with client(server) as one:
        for i in range(400):
            await one.send(frame(i, i / 1000, empty))
        error = await one.next("error")
        assert error["code"] == "too_fast" and "60 frames per second" in error["message"]
        while (await one.next("status"))["received"] < 400:
            pass  # what is on its way counts when it arrives
        await asyncio.sleep(1.0)
        await one.send({"type": "seek"})
        await one.send(frame(999, 9.0, empty))
        while (await one.next("verdict"))["frame_id"] != 999:
            pass


async def closed(one: Any) -> tuple[int, str]:
    with pytest.raises(ConnectionClosed):
        while True:
            await asyncio.wait_for(one.socket.recv(), 60)
    return one.socket.close_code, one.socket.close_reason


@pytest.mark.parametrize(
    ("hello", "code", "says"),
    [
        ({**HELLO, "token": "wrong"}, 4003, "wrong token"),
        ({**HELLO, "token": ""}, 4003, "wrong token"),
        ({**HELLO, "protocol": 2, "token": "x"}, 4004, "protocol 2 is not supported"),
        ({"type": "hello", "protocol": 1}, 4001, "token is missing"),
        ({**HELLO, "token": "x", "shoes": 2}, 4001, "unknown field 'shoes'"),
        ({"type": "seek"}, 4001, "first message must be a hello"),
        ("not json", 4001, "not JSON"),
        (b"bytes", 4001, "in text, not bytes"),
    ],
)
async def test_hellos_that_open_nothing(
    server: Any, neighbour: Any, hello: bytes | dict[str, Any] | str, code: int, says: str
) -> None:
    async with client(server, hello=hello) as one:
        got, reason = await closed(one)
    assert got == code and says in reason


@pytest.mark.parametrize("window", [0, 7, 101, "20", 20.5])
async def test_a_window_out_of_range_is_named(server: Any, window: float | int | str) -> None:
    hello = {**HELLO, "token": "x", "window": window}
    async with client(server, hello=hello) as one:
        got, reason = await closed(one)
    assert got == 4001 and f"window is {window!r}" in reason


async def test_a_message_over_the_limit_closes_with_4008(server: Any, neighbour: Any) -> None:
    async with client(server) as one:
        limit = one.welcome["limits"]["message_bytes"]
        with pytest.raises(ConnectionClosed):
            await one.send(os.urandom(limit + 1))
            await closed_by_server(one)
    assert one.socket.close_code == 4008 and str(limit) in one.socket.close_reason


async def closed_by_server(one: Any) -> None:
    while True:
        await asyncio.wait_for(one.socket.recv(), 60)


async def test_a_gigabyte_announced_is_refused_before_it_is_sent(
    server: Any, neighbour: Any
) -> None:
    """A WebSocket frame whose header says 1 GB; nothing of it follows."""
    reader, writer = await upgraded(server)
    mask = b"\0\0\0\0"
    writer.write(b"\x82" + bytes([0x80 | 127]) + struct.pack(">Q", 2**30) + mask)
    await writer.drain()
    head = await asyncio.wait_for(reader.readexactly(2), 60)
    payload = await asyncio.wait_for(reader.readexactly(head[1] & 0x7F), 60)
    assert head[0] == 0x88
    assert struct.unpack(">H", payload[:2])[0] == 4008
    writer.close()


async def test_no_hello_is_waited_for_ten_seconds_at_most(models: Any) -> None:
    environment = {"FAKELIGHT_HELLO_SECONDS": "0.3"}
    with running_server("--models", str(models), environment=environment) as server:
        async with connect(server.socket_url, open_timeout=60) as silent:
            await asyncio.wait_for(silent.wait_closed(), 60)
    assert silent.close_code == 4001 and "no hello within 0.3 s" in silent.close_reason


async def test_a_socket_that_has_not_said_hello_hears_that_the_server_stops(models: Any) -> None:
    with running_server("--models", str(models)) as server:
        async with connect(server.socket_url, open_timeout=60) as silent:
            stopping = asyncio.create_task(asyncio.to_thread(server.stop))
            await asyncio.wait_for(silent.wait_closed(), 60)
            assert await stopping == 0
    assert silent.close_code == 4010 and "stopping" in silent.close_reason


async def test_refused_frames_count_as_dropped(server: Any, empty: bytes) -> None:
    async with client(server) as one:
        await one.verdict_for(0, 1.0, empty)
        for bad in (b"\x05", frame(1, 1.1, b"nothing"), frame(2, 0.9, empty)):
            await one.send(bad)
            assert (await one.next())["type"] == "error"
        await one.next("status")
        status = await one.next("status")
    assert (status["received"], status["analysed"], status["dropped"]) == (4, 1, 3)


async def test_streams_over_the_limit(models: Any, empty: bytes) -> None:
    environment = {"FAKELIGHT_MAX_STREAMS": "16"}
    with running_server("--models", str(models), environment=environment) as server:
        async with asyncio.TaskGroup() as group:
            full = asyncio.Event()
            open_streams = []

            async def hold() -> None:
                async with client(server) as one:
                    open_streams.append(one)
                    await full.wait()

            for _ in range(16):
                group.create_task(hold())
            while len(open_streams) < 16:
                await asyncio.sleep(0.05)
            async with connect(server.socket_url, open_timeout=60) as extra:
                await extra.send(json.dumps(HELLO))
                await asyncio.wait_for(extra.wait_closed(), 60)
            assert extra.close_code == 4008 and "16 streams" in extra.close_reason
            full.set()


@pytest.mark.parametrize(
    "headers", [{"Host": "evil.test"}, {"Origin": "https://evil.test"}, {"Origin": "null"}]
)
async def test_foreign_hosts_and_origins_get_no_socket(
    server: Any, neighbour: Any, headers: dict[str, Any]
) -> None:
    status = await asyncio.to_thread(upgrade_status, server, headers)
    assert 400 <= status < 500


async def test_a_refused_socket_is_no_error_in_the_log(server: Any) -> None:
    await asyncio.to_thread(upgrade_status, server, {"Host": "evil.test"})
    await asyncio.sleep(0.2)
    assert "handshake" not in server.output


async def test_a_foreign_origin_is_refused_before_its_hello(server: Any) -> None:
    with pytest.raises(InvalidStatus) as caught:
        async with connect(server.socket_url, origin="https://evil.test", open_timeout=60):
            pass
    assert caught.value.response.status_code == 403


async def test_a_client_that_never_reads_holds_nobody_up(
    server: Any, neighbour: Any, empty: bytes
) -> None:
    reader, writer = await upgraded(server)
    del reader
    writer.write(masked(0x1, json.dumps(HELLO).encode()))
    for i in range(50):
        writer.write(masked(0x2, frame(i, i / 10, empty)))
        await writer.drain()
    await asyncio.sleep(0.5)
    writer.transport.abort()


async def test_a_client_that_vanishes_is_forgotten(
    server: Any, neighbour: Any, portrait: bytes
) -> None:
    from tests.server.test_streaming import _get

    async def streams() -> set[str]:
        return {one["id"] for one in await asyncio.to_thread(_get, server, "/v1/streams")}

    others = await streams()
    reader, writer = await upgraded(server)
    del reader
    writer.write(masked(0x1, json.dumps(HELLO).encode()))
    writer.write(masked(0x2, frame(0, 0.0, portrait)))
    await writer.drain()
    async with asyncio.timeout(60):
        while not (own := await streams() - others):
            await asyncio.sleep(0.05)
        writer.transport.abort()  # no goodbye
        while own & await streams():
            await asyncio.sleep(0.05)


async def test_an_empty_hello_token_with_a_forged_cookie_is_refused(server: Any) -> None:
    headers = {"Cookie": "fakelight_session=" + "0" * 64}
    async with connect(server.socket_url, additional_headers=headers, open_timeout=60) as one:
        await one.send(json.dumps({**HELLO, "token": ""}))
        await asyncio.wait_for(one.wait_closed(), 60)
    assert one.close_code == 4003


async def test_a_picture_is_taken_as_it_is_whatever_its_metadata(
    server: Any, portrait: bytes
) -> None:
    out = io.BytesIO()
    exif = Pillow.Exif()
    exif[0x0112] = 6  # rotated by a quarter: browsers send frames upright
    Pillow.open(io.BytesIO(portrait)).save(out, "JPEG", exif=exif)
    async with client(server) as one:
        assert (await one.verdict_for(0, 0.0, out.getvalue()))["type"] == "verdict"
