"""One side of a clip that shows two versions side by side."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from stream_server.ingest.files.media import WHOLE, ReadCounts
from stream_server.ingest.files.region import WHOLE_PICTURE, within
from stream_server.ingest.files.video import VideoFile
from tests.support.scan_media import every, two_faces, write_video


def test_a_region_is_a_medium_of_its_own(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mp4", two_faces((640, 360)), every(10, 0.5))
    video = VideoFile(path, path.name)
    right = within(video, (0.5, 0.0, 1.0, 0.5))
    assert (right.info.width, right.info.height) == (320, 180)
    assert right.info.duration == video.info.duration
    whole = [frame for _, frame in video.read(WHOLE, 10.0, ReadCounts())]
    parts = [frame for _, frame in right.read(WHOLE, 10.0, ReadCounts())]
    assert [part.media_time for part in parts] == [frame.media_time for frame in whole]
    for frame, part in zip(whole, parts, strict=True):
        assert np.array_equal(part.image, frame.image[:180, 320:])
        assert part.image.flags.c_contiguous


def test_all_of_the_picture_is_the_medium_itself(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mp4", two_faces(), every(10, 0.2))
    video = VideoFile(path, path.name)
    assert within(video, WHOLE_PICTURE) is video
