"""One client, whatever transport it came by."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import numpy as np
import pytest

from stream_server import session as sessions
from stream_server.live import Job
from stream_server.protocol import MAX_TEXT_BYTES, Close, FrameHeader
from stream_server.server.auth import Caller
from stream_server.session import Ending

GREY = np.full((360, 640, 3), 120, np.uint8)


@pytest.fixture
def sent() -> Any:
    return []


@pytest.fixture
async def session(services: Any, sent: Any) -> AsyncIterator[Any]:
    session = services.streams.open(sent.append, Caller("one", "viewer"), None, None)
    yield session
    session.release()


def frame(number: int) -> Job:
    header = FrameHeader(frame_id=number, media_time=number / 10, width=640, height=360)
    return Job(header, lambda: GREY, 0.0)


async def forever() -> None:
    await asyncio.Event().wait()


async def until(condition: Any) -> None:
    async with asyncio.timeout(60):
        while not condition():
            await asyncio.sleep(0.01)


def kinds(sent: Any) -> list[str]:
    return [message["type"] for message in sent]


async def test_the_welcome_says_what_the_client_may_do(session: Any, services: Any) -> None:
    welcome = session.welcome()
    assert (welcome["type"], welcome["stream"], welcome["window"]) == ("welcome", session.id, 20)
    assert welcome["limits"]["streams"] == services.settings.max_streams
    assert welcome["models"] == ["tiny"] and welcome["engine"] == "embedded"


async def test_frames_are_analysed_and_the_status_counts_them(
    session: Any, sent: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sessions, "_STATUS_EVERY", 0.01)
    running = asyncio.create_task(session.run(forever()))
    session.live.offer(frame(0))
    await until(lambda: "verdict" in kinds(sent))
    sent.clear()
    await until(lambda: "status" in kinds(sent))
    status = next(message for message in sent if message["type"] == "status")
    assert (status["received"], status["analysed"], status["dropped"]) == (1, 1, 0)
    assert (status["engine"], status["fallback"]) == ("embedded", False)
    session.close(Close.NORMAL, "enough")
    assert await running == Ending(Close.NORMAL, "enough")


async def test_controls(session: Any) -> None:
    session.read('{"type":"pause"}')
    assert session.live.paused
    session.read('{"type":"resume"}')
    assert not session.live.paused
    assert not session.ended
    session.read('{"type":"bye"}')
    assert session.ended
    assert await session.run(forever()) == Ending(Close.NORMAL, "bye")


async def test_explain_gets_its_answer(session: Any, sent: Any) -> None:
    session.read('{"type":"explain","track":3}')
    assert (sent[-1]["type"], sent[-1]["track"]) == ("error", 3)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "not JSON"),
        ("[]", "not a JSON object"),
        (b"bytes", "not bytes"),
        (None, "not bytes"),
        ('{"type":"dance"}', "'dance'"),
        ('{"type":"seek","x":1}', "'x'"),
        ("x" * (MAX_TEXT_BYTES + 1), f"the limit is {MAX_TEXT_BYTES}"),
    ],
)
async def test_what_cannot_be_obeyed_is_answered(
    session: Any, sent: Any, text: bytes | str | None, says: str
) -> None:
    session.read(text)
    assert [(message["type"], message["code"]) for message in sent] == [("error", "bad_message")]
    assert says in sent[0]["message"]
    assert session.live.counters.refused == 1
    assert not session.ended


async def test_it_ends_with_the_transport(session: Any, services: Any) -> None:
    async def gone() -> None:
        return

    assert await session.run(gone(), forever()) == Ending(Close.NORMAL, "the source ended")
    assert services.streams.empty.is_set()


async def test_a_transport_that_breaks_ends_it_and_is_logged(
    session: Any, caplog: pytest.LogCaptureFixture
) -> None:
    async def broken() -> None:
        raise RuntimeError("the wire is cut")

    ending = await session.run(broken(), forever())
    assert "internal error" in ending.reason
    assert "the wire is cut" in caplog.text and session.id in caplog.text


async def test_the_first_reason_counts(session: Any) -> None:
    session.close(Close.OVER_LIMIT, "too much")
    session.close(Close.NORMAL, "bye")
    assert await session.run(forever()) == Ending(Close.OVER_LIMIT, "too much")


async def test_cancelled_it_leaves_nothing_running(session: Any, services: Any) -> None:
    stopped = asyncio.Event()

    async def transport() -> None:
        try:
            await forever()
        finally:
            stopped.set()

    running = asyncio.create_task(session.run(transport()))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert stopped.is_set() and services.streams.empty.is_set()
