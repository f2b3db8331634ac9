from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from stream_server.foveated import WholeWatch, frame_of
from stream_server.protocol import FrameHeader
from stream_server.vision.views import sight_of

IMAGE = np.zeros((40, 40, 3), np.uint8)
PART = {"of": [100, 100, 40, 40], "at": [0, 0, 40, 40]}
WHOLE = {"of": [0, 0, 400, 400], "at": [0, 0, 20, 20]}


def frame(time: float, *parts: Any) -> Any:
    rect = {"rect": {"video": [400, 400], "parts": list(parts)}} if parts else {}
    fields = {"frame_id": 1, "media_time": time, "width": 40, "height": 40, **rect}
    return frame_of(IMAGE, FrameHeader.model_validate(fields))


def test_parts_lie_in_the_video_at_their_own_scale() -> None:
    sight = sight_of(frame(0.0, {**PART, "at": [0, 0, 20, 20]}, {**WHOLE, "at": [20, 20, 20, 20]}))
    assert sight.size == (400, 400)
    (part,), whole = sight.cut_outs, sight.whole
    assert (part.left, part.top, part.scale) == (100, 100, 0.5)
    assert whole is not None and whole.scale == pytest.approx(0.05)
    assert sight_of(frame(0.0)).whole is not None


def test_three_seconds_without_the_whole_are_told() -> None:
    watch = WholeWatch()
    told = [watch.note(frame(second, PART)) is not None for second in (0, 2, 3, 3.5)]
    assert told == [False, False, False, True]
    assert watch.note(frame(4.0, WHOLE)) is None
    assert watch.note(frame(6.9, PART)) is None
    assert "no part was the whole video for 3 seconds" in str(watch.note(frame(7.1, PART)))
    assert watch.note(frame(7.2)) is None, "a frame without parts is the whole video"
    assert watch.note(frame(11.0, PART)) is not None
    assert watch.note(frame(2.0, PART)) is None, "after a seek it is waited for anew"
