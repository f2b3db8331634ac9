"""Face-crop videos: one track as an H.264 file of aligned crops."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path

import av

from stream_server.atomic import replacing
from stream_server.vision.types import Image


def write_crop_video(path: Path, crops: Iterable[Image], rate: float, crf: int = 12) -> int:
    """Write ``crops`` (uint8 ``[224, 224, 3]``) to ``path``; it appears only when complete.

    ``crf`` is H.264's quality; raising it saves space and wipes out what a detector looks for.
    Returns the number of frames.
    """
    speed = Fraction(rate).limit_denominator(1001)
    count = 0
    with replacing(path) as part, av.open(str(part), "w", format="mp4") as out:
        stream = None
        for crop in crops:
            if stream is None:
                stream = out.add_stream("libx264", rate=speed, options={"crf": str(crf)})
                stream.height, stream.width = crop.shape[:2]
                stream.pix_fmt, stream.thread_count = "yuv420p", 1
            out.mux(stream.encode(av.VideoFrame.from_ndarray(crop, format="rgb24")))
            count += 1
        if stream is not None:
            out.mux(stream.encode(None))
    return count
