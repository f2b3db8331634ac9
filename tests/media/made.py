"""Pieces of media to put together: two heads that the made-up models tell apart, and containers."""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.stream import Disposition

from stream_server.vision.types import Image
from tests.support.faces import backdrop, paste, person
from tests.support.scan_media import every, write_video

SIZE = (320, 240)
RATE = 12
LINES = {"threshold_fake": "0.77", "threshold_real": "0.74"}
Scene = Callable[[float], Image]


def scene(head: Image, seed: int = 0, size: tuple[int, int] = SIZE, share: float = 0.65) -> Scene:
    """A head that sways before its own background."""
    ground = backdrop(*size, seed=seed)
    width, height = size

    def at(time: float) -> Image:
        centre = (width * (0.5 + 0.02 * np.sin(2 * time)), height * (0.5 + 0.01 * np.cos(3 * time)))
        return paste(ground, head, centre, share * min(size))

    return at


def genuine() -> Scene:
    """What the made-up models call likely real: a greenish head."""
    green = np.clip(person() * np.array([0.7, 1.1, 0.7], np.float32), 0, 255).astype(np.uint8)
    return scene(green, seed=3)


def swapped() -> Scene:
    """What they call likely fake."""
    return scene(person())


def empty() -> Scene:
    """Nobody."""
    return lambda time: backdrop(*SIZE, seed=7)


def video(path: Path, picture: Scene, seconds: float = 3.0, **options: Any) -> Path:
    """``picture`` for some seconds, in whatever container the name says."""
    return write_video(path, picture, every(RATE, seconds), rate=RATE, **options)


def joined(target: Path, *pieces: Path) -> Path:
    """The bytes of one file after those of another, as ``cat`` does it."""
    target.write_bytes(b"".join(piece.read_bytes() for piece in pieces))
    return target


def with_matrix(path: Path, a: float, b: float, c: float, d: float) -> Path:
    """Give an mp4's track a display matrix (ISO/IEC 14496-12, 8.3.2)."""
    content = bytearray(path.read_bytes())
    place = content.index(b"tkhd") + 44
    numbers = (int(value * 65536) for value in (a, b, c, d))
    a_, b_, c_, d_ = numbers
    content[place : place + 36] = struct.pack(">9i", a_, b_, 0, c_, d_, 0, 0, 0, 0x40000000)
    path.write_bytes(content)
    return path


def streams(path: Path, pictures: Sequence[Scene], default: int, seconds: float = 3.0) -> Path:
    """Several video streams side by side, of which one is marked as the default."""
    with av.open(str(path), "w") as output:
        made: list[Any] = []
        for number, picture in enumerate(pictures):
            stream: Any = output.add_stream("libx264", rate=RATE)
            stream.height, stream.width = picture(0.0).shape[:2]
            stream.pix_fmt = "yuv420p"
            stream.options = {"preset": "ultrafast", "crf": "20"}
            stream.disposition = Disposition.default if number == default else Disposition(0)
            made.append(stream)
        for time in every(RATE, seconds):
            for stream, picture in zip(made, pictures, strict=True):
                frame = av.VideoFrame.from_ndarray(picture(time), format="rgb24")
                frame.pts, frame.time_base = round(time * RATE), Fraction(1, RATE)
                output.mux(stream.encode(frame))
        for stream in made:
            output.mux(stream.encode())
    return path


def with_long_sound(path: Path, picture: Scene, seconds: float, sound: float) -> Path:
    """A video beside a track of silence that goes on after it."""
    with av.open(str(path), "w") as output:
        stream: Any = output.add_stream("libx264", rate=RATE)
        stream.height, stream.width = picture(0.0).shape[:2]
        stream.pix_fmt = "yuv420p"
        stream.options = {"preset": "ultrafast", "crf": "20"}
        track: Any = output.add_stream("pcm_s16le", rate=8000, layout="mono")
        for time in every(RATE, seconds):
            frame = av.VideoFrame.from_ndarray(picture(time), format="rgb24")
            frame.pts, frame.time_base = round(time * RATE), Fraction(1, RATE)
            output.mux(stream.encode(frame))
        output.mux(stream.encode())
        silence = np.zeros((1, 8000), np.int16)
        for second in range(round(sound)):
            piece = av.AudioFrame.from_ndarray(silence, format="s16", layout="mono")
            piece.sample_rate, piece.pts = 8000, second * 8000
            output.mux(track.encode(piece))
        output.mux(track.encode())
    return path


def mixed(first: Scene, second: Scene, share: Callable[[float, Image], Any]) -> Scene:
    """``share`` of the second picture laid over the first one, a number or one per pixel."""

    def at(time: float) -> Image:
        a, b = first(time).astype(np.float32), second(time).astype(np.float32)
        part = share(time, a)
        return (a * (1 - part) + b * part).astype(np.uint8)

    return at
