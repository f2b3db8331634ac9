"""Frames of a video at a fixed rate, and single pictures, as RGB arrays."""

from __future__ import annotations

import tarfile
from collections.abc import Iterator
from pathlib import Path

import av
import cv2
import numpy as np

from stream_server.ingest.files.media import MAX_SIDE
from stream_server.vision.types import Frame, Image
from training.arrays import as_image


class UnreadableError(ValueError):
    """The file holds no picture that can be decoded."""


def sampled(path: Path, rate: float = 10.0, max_frames: int | None = None) -> Iterator[Frame]:
    """The frames of ``path`` nearest after each 1/``rate`` seconds of media time.

    Raises ``UnreadableError`` where the file is no video or breaks off before its first frame; a
    file that breaks off later gives the frames up to there.
    """
    given = 0
    due = 0.0
    for frame, time in decoded_frames(path):
        if time + 1e-3 < due:
            continue
        due = max(due + 1.0 / rate, time)
        yield Frame(shrunk(as_image(frame.to_ndarray(format="rgb24"))), time, given)
        given += 1
        if max_frames is not None and given >= max_frames:
            return


def decoded_frames(path: Path) -> Iterator[tuple[av.VideoFrame, float]]:
    """Every frame of the first video stream of ``path``, with its time in seconds.

    Raises ``UnreadableError`` where the file is no video or breaks off before its first frame; a
    file that breaks off later gives the frames up to there.
    """
    given = False
    try:
        with av.open(str(path)) as container:
            if not container.streams.video:
                raise UnreadableError(f"{path} holds no video stream")
            stream = container.streams.video[0]
            stream.thread_count = 1
            for frame in container.decode(stream):
                given = True
                yield frame, float(frame.time or 0.0)
    except (av.FFmpegError, OSError) as error:
        if not given:
            raise UnreadableError(f"{path}: {error}") from error
    if not given:
        raise UnreadableError(f"{path} holds no frame")


def shrunk(image: Image, max_side: int = MAX_SIDE) -> Image:
    """``image`` with its longer side at most ``max_side``."""
    factor = max_side / max(image.shape[:2])
    if factor >= 1:
        return image
    size = (round(image.shape[1] * factor), round(image.shape[0] * factor))
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA)  # type: ignore[return-value]


def part(image: Image, region: tuple[float, float, float, float]) -> Image:
    """The part of ``image`` inside ``region`` (left, top, right, bottom in fractions)."""
    height, width = image.shape[:2]
    left, top, right, bottom = region
    return image[
        round(top * height) : round(bottom * height), round(left * width) : round(right * width)
    ]


def decoded(data: bytes, what: str) -> Image:
    """A JPEG, PNG or WebP as RGB. Raises ``UnreadableError`` naming ``what``."""
    picture = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR) if data else None
    if picture is None:
        raise UnreadableError(f"{what} is not a picture that can be decoded")
    return cv2.cvtColor(picture, cv2.COLOR_BGR2RGB)  # type: ignore[return-value]  # uint8 in and out


class TarReader:
    """Reads single members of tar archives; keeps the archives open."""

    def __init__(self) -> None:
        self._open: dict[Path, tarfile.TarFile] = {}

    def read(self, path: Path, member: str) -> bytes:
        if path not in self._open:
            self._open[path] = tarfile.open(path)  # noqa: SIM115  # closed by close()
            self._open[path].getmembers()
        handle = self._open[path].extractfile(member)
        if handle is None:
            raise UnreadableError(f"{path} holds no file {member}")
        return handle.read()

    def close(self) -> None:
        for archive in self._open.values():
            archive.close()
        self._open.clear()
