"""A run of pictures through a video codec, as platforms do to what is uploaded to them."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import av
import cv2
import numpy as np

from stream_server.vision.types import Image
from training.arrays import as_image


@dataclass(frozen=True)
class Codec:
    """``name`` is h264 or vp9; ``crf`` its quality: 23 is good, 30 a platform's, 38 poor."""

    name: str
    crf: int

    @classmethod
    def random(cls, rng: np.random.Generator) -> Codec:
        """A codec of the kinds and qualities that platforms use."""
        if rng.random() < 0.7:
            return cls("h264", int(rng.integers(20, 37)))
        return cls("vp9", int(rng.integers(28, 50)))

    def apply(self, pictures: Sequence[Image], rate: int = 10) -> list[Image]:
        """The pictures decoded again, all in the first one's size (made even).

        Raises ``ValueError`` for an unknown codec.
        """
        if self.name not in _ENCODERS:
            raise ValueError(f"codec is {self.name!r}, it must be one of {', '.join(_ENCODERS)}")
        height, width = (max(side - side % 2, 16) for side in pictures[0].shape[:2])
        encoder, options, container = _ENCODERS[self.name]
        buffer = io.BytesIO()
        with av.open(buffer, "w", format=container) as out:
            settings = {**options, "crf": str(self.crf)}
            stream: Any = out.add_stream(encoder, rate=Fraction(rate), options=settings)
            stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
            stream.thread_count = 1
            for picture in pictures:
                if picture.shape[:2] != (height, width):
                    picture = as_image(cv2.resize(picture, (width, height)))
                out.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
            out.mux(stream.encode(None))
        buffer.seek(0)
        with av.open(buffer, "r") as source:
            frames = [frame.to_ndarray(format="rgb24") for frame in source.decode(video=0)]
        if len(frames) != len(pictures):
            raise ValueError(f"{self.name} gave back {len(frames)} of {len(pictures)} pictures")
        return [as_image(frame) for frame in frames]


_ENCODERS: dict[str, tuple[str, dict[str, str], str]] = {
    "h264": ("libx264", {"preset": "veryfast"}, "matroska"),
    "vp9": ("libvpx-vp9", {"deadline": "realtime", "cpu-used": "8", "b": "0"}, "webm"),
}
