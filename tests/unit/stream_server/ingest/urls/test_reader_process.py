"""A reader's process ends with whoever waits for it."""

from __future__ import annotations

import asyncio
import os
import signal

import pytest

from stream_server.ingest.urls.messages import ReaderJob
from stream_server.ingest.urls.reader_process import ReaderProcess


async def test_who_is_cancelled_while_stopping_leaves_no_process() -> None:
    # Nothing answers there for as long as the reader may take to open it.
    job = ReaderJob("udp://127.0.0.1:9", "127.0.0.1", "", 5.0, 1_000_000, 640)
    reader = await ReaderProcess.start(job)
    os.kill(reader.pid, signal.SIGSTOP)  # held: it cannot end by itself
    stopping = asyncio.create_task(reader.stop(grace=60))
    await asyncio.sleep(0.1)
    stopping.cancel()
    with pytest.raises(asyncio.CancelledError):
        await stopping
    with pytest.raises(ProcessLookupError):
        os.kill(reader.pid, 0)
