from __future__ import annotations

import io
import os

import av
import psutil

from stream_server.ingest.files.geometry import AS_STORED, orientation_of
from tests.support.live_media import live_bytes


def test_frames_that_were_looked_at_are_freed() -> None:
    """What is watched goes on for weeks: a frame that is kept would soon fill the memory."""
    data = live_bytes("mpegts", 8.0, size=(1280, 720))
    before = psutil.Process(os.getpid()).memory_info().rss
    count = kept = 0
    with av.open(io.BytesIO(data)) as container:
        for frame in container.decode(video=0):
            assert orientation_of(frame) == AS_STORED
            count += 1
            kept += frame.width * frame.height * 3 // 2
    grown = psutil.Process(os.getpid()).memory_info().rss - before
    assert count == 200 and grown < kept / 3
