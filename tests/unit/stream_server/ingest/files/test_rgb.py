"""What converting frames takes of the process that does it."""

from __future__ import annotations

from pathlib import Path

import av
import psutil

from stream_server.ingest.files.rgb import upright_rgb
from tests.support.scan_media import every, moving_face, write_video


def test_no_thread_is_left_behind_by_a_frame(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mp4", moving_face(), every(10, 3))
    with av.open(str(path)) as container:
        container.streams.video[0].codec_context.thread_count = 1
        frames = list(container.decode(video=0))
        before = psutil.Process().num_threads()
        for side in (640, 200):
            for frame in frames:
                upright_rgb(frame, side)
        assert psutil.Process().num_threads() == before


def test_pictures_do_not_pile_up(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mp4", moving_face((1280, 720)), every(30, 5))
    held: list[int] = []
    with av.open(str(path)) as container:
        container.streams.video[0].codec_context.thread_count = 1
        for number, frame in enumerate(container.decode(video=0)):
            upright_rgb(frame, 640)
            if number in (30, 149):
                held.append(psutil.Process().memory_info().rss)
    # Those 119 frames are 165 MB.
    assert held[1] - held[0] < 80 * 2**20
