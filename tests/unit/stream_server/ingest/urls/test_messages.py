from __future__ import annotations

import asyncio
import io

import numpy as np
import pytest

from stream_server.ingest.urls.messages import MAX_HEADER, ReaderJob, read_message, write_message
from stream_server.ingest.urls.outbox import Outbox


def test_a_job_comes_down_as_it_was() -> None:
    job = ReaderJob("http://h/ä?a=1", "10.0.0.0/8", "", 5.0, 1000, 960)
    assert ReaderJob.parse(job.line()) == job and job.line().count(b"\n") == 1


async def read_all(data: bytes, max_body: int = 10**6) -> list[tuple[dict[str, object], bytes]]:
    stream = asyncio.StreamReader()
    stream.feed_data(data)
    stream.feed_eof()
    found = []
    while not stream.at_eof():
        found.append(await read_message(stream, max_body))
    return found


async def test_messages_come_up_as_they_were() -> None:
    file = io.BytesIO()
    write_message(file, {"type": "beat"})
    write_message(file, {"type": "frame"}, b"pixels")
    assert await read_all(file.getvalue()) == [
        ({"type": "beat"}, b""),
        ({"type": "frame"}, b"pixels"),
    ]


@pytest.mark.parametrize(
    "data",
    [
        (MAX_HEADER + 1).to_bytes(4, "little") + bytes(4),
        (2).to_bytes(4, "little") + (10**6 + 1).to_bytes(4, "little"),
        (2).to_bytes(4, "little") + bytes(4) + b"[]",
        (2).to_bytes(4, "little") + bytes(4) + b"{]",
    ],
)
async def test_what_no_reader_sends_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError):
        await read_all(data + bytes(8))


async def test_of_pictures_the_newest_goes_out_and_only_when_wanted() -> None:
    file = io.BytesIO()
    outbox = Outbox(file)
    for number in range(3):
        outbox.offer(np.full((2, 3, 3), number, np.uint8), media_time=number)
    outbox.say(type="state", kind="playing")
    outbox.want()
    outbox.close()
    (first, _), (second, pixels) = await read_all(file.getvalue())
    assert first == {"type": "state", "kind": "playing"}
    assert second == {"type": "frame", "width": 3, "height": 2, "media_time": 2}
    assert pixels == bytes([2] * 18)


async def test_a_dropped_picture_does_not_go_out() -> None:
    file = io.BytesIO()
    outbox = Outbox(file)
    outbox.offer(np.zeros((2, 3, 3), np.uint8), media_time=0)
    outbox.drop()
    outbox.want()
    outbox.close()
    assert file.getvalue() == b""


def test_nobody_listening_ends_it() -> None:
    file = io.BytesIO()
    file.close()
    outbox = Outbox(file)
    outbox.say(type="beat")
    outbox.close()
    assert not outbox._thread.is_alive()
