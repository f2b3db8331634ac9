"""Video files, read by PyAV. Only what is sampled is decoded where the codec allows it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np

from stream_server.ingest.files import tone
from stream_server.ingest.files.media import MAX_SIDE, MediaInfo, ReadCounts, Stretch
from stream_server.ingest.files.unusable import UnusableError, from_os_error
from stream_server.ingest.rhythm import Rhythm
from stream_server.vision.types import Frame, Image

# These read other files or the network, or draw text: a file from a stranger must not choose.
_DENIED = {
    "hls", "concat", "concatf", "dash", "webm_dash_manifest", "imf", "lavfi", "sdp", "rtsp",
    "rtp", "sap", "tty", "bin", "xbin", "adf", "idf", "image2", "image2pipe", "ffmetadata",
}  # fmt: skip
_LONGEST = 30 * 86400.0  # seconds
_SKIPPABLE = 2.5  # frames per sample from which frames that no other frame needs may be left out


class VideoFile:
    """One video; see ``Media``.

    ``name`` is what messages call it, ``max_pixels`` bounds its frames. Raises
    ``UnusableError`` for what cannot be analysed.
    """

    def __init__(self, path: Path, name: str, max_pixels: int, threads: int = 1) -> None:
        self._path = path
        self._name = name
        self._max_pixels = max_pixels
        self._threads = threads
        self._origin = 0.0
        self.info = self._probe()

    def read(
        self, stretches: tuple[Stretch, ...], rate: float, counts: ReadCounts
    ) -> Iterator[tuple[Stretch, Frame]]:
        """See ``Media.read``."""
        with self._opened() as (container, stream):
            reader = _Reader(stream, rate, self.info.rate, self._origin, counts)
            seen, seekable = -math.inf, True
            for stretch in stretches:
                if stretch.start > 0 and seekable:
                    _seek(container, stream, stretch.start + self._origin)
                reader.restart()
                earliest, end = stretch.start, stretch.end
                for frame, time in reader.read(container):
                    if time <= seen:
                        # There is no key frame between: from now on reading straight ahead is
                        # cheaper than going back to the same one again and again.
                        seekable = False
                        continue
                    seen = time
                    if stretch.loose and seekable and time < stretch.start == earliest:
                        # The key frame before will do as well; what counts is the length.
                        earliest, end = time, time + stretch.seconds
                    if time >= end:
                        break
                    if time < earliest or not reader.due(time):
                        continue
                    self._check(frame.width, frame.height)
                    image = upright(picture(frame), frame.rotation)
                    yield stretch, Frame(image, time, counts.passed)

    def _probe(self) -> MediaInfo:
        with self._opened() as (container, stream):
            counts = ReadCounts()
            reader = _Reader(stream, 1e9, 0.0, 0.0, counts)
            first = next(reader.read(container), None)
            if first is None:
                raise UnusableError(
                    "truncated",
                    f"{self._name}: no picture of the video can be decoded;"
                    " the file is damaged or breaks off too early",
                )
            frame, self._origin = first
            self._check(frame.width, frame.height)
            turned = frame.rotation % 180 == 90
            size = (frame.height, frame.width) if turned else (frame.width, frame.height)
            duration = _duration(container, stream)
            rate = float(stream.average_rate or stream.guessed_rate or 0)
            if duration and stream.frames > 1:
                rate = min(rate, stream.frames / duration) if rate else stream.frames / duration
            return MediaInfo(
                "video",
                f"{stream.codec_context.name} in {container.format.name.split(',')[0]}",
                *size,
                duration,
                rate,
                stream.frames,
                frame.rotation,
                frame.color_trc in (tone.PQ, tone.HLG),
            )

    @contextmanager
    def _opened(self) -> Iterator[tuple[Any, Any]]:
        name = self._name
        try:
            container = av.open(
                str(self._path),
                options={"format_whitelist": _allowed_formats(), "protocol_whitelist": "file"},
            )
        except (FileNotFoundError, PermissionError, IsADirectoryError) as error:
            raise from_os_error(error, name) from None
        except (av.FFmpegError, OSError, ValueError):
            raise UnusableError(
                "not_media", f"{name} is not a video or picture that can be read, whatever its name"
            ) from None
        with container:
            streams = [s for s in container.streams.video if not _is_cover(s)]
            if not streams:
                sound = "only sound" if container.streams.audio else "no video"
                raise UnusableError(
                    "no_video", f"{name} holds {sound}; there is nothing to look at"
                )
            stream = streams[0]
            context = stream.codec_context
            if context is None:
                raise UnusableError("codec", f"{name}: its video codec is not supported")
            self._check(context.width or 0, context.height or 0)
            context.options = {"max_pixels": str(self._max_pixels)}
            context.thread_count = self._threads
            # Frame threads hold a picture each; slices do for the sizes where that is a lot.
            big = (context.width or 0) * (context.height or 0) > 3840 * 2160
            context.thread_type = "SLICE" if big else "AUTO"
            yield container, stream

    def _check(self, width: int, height: int) -> None:
        if width * height > self._max_pixels:
            raise UnusableError(
                "too_many_pixels",
                f"{self._name} has {width}x{height} pixels; the limit is {self._max_pixels} in all",
                413,
            )


class _Reader:
    """Decodes packet by packet, so that a damaged one costs no more than itself."""

    def __init__(
        self, stream: Any, rate: float, source_rate: float, origin: float, counts: ReadCounts
    ) -> None:
        self._stream = stream
        self._rate = rate
        self._step = 1 / source_rate if source_rate > 0 else 0.04
        self._origin = origin
        self._counts = counts
        self._time = -math.inf
        self._rhythm = Rhythm(rate)
        self._intra = bool(stream.codec_context.codec.intra_only)
        self._skipping = source_rate >= _SKIPPABLE * rate and not self._intra
        if self._skipping:
            stream.codec_context.skip_frame = "NONREF"

    def restart(self) -> None:
        """Begin anew after a seek."""
        self._rhythm.reset()
        self._time = -math.inf

    def due(self, time: float) -> bool:
        """Whether ``time`` begins a new beat of the sampling rhythm; asked once per frame."""
        return self._rhythm.due(time)

    def read(self, container: Any) -> Iterator[tuple[Any, float]]:
        """Every decoded frame with its time, in seconds since the origin; never backwards."""
        packets = container.demux(self._stream)
        while True:
            try:
                packet = next(packets, None)
            except (av.FFmpegError, OSError):
                self._counts.cut_short = True
                return
            if packet is None:
                return
            self._counts.passed += packet.size > 0
            if self._may_skip(packet):
                continue
            try:
                decoded = packet.decode()
            except (av.FFmpegError, OSError):
                self._counts.damaged += 1
                continue
            for frame in decoded:
                self._counts.decoded += 1
                time = self._time_of(frame)
                if time >= self._time:
                    self._watch_gap(time)
                    self._time = time
                    self._counts.last = max(self._counts.last, time)
                    yield frame, time

    def _may_skip(self, packet: Any) -> bool:
        """A packet that is a whole picture by itself and is not due need not be decoded."""
        if not self._intra or packet.pts is None or not packet.size:
            return False
        return not self._rhythm.peek(float(packet.pts * packet.time_base) - self._origin)

    def _watch_gap(self, time: float) -> None:
        """Some encoders make most frames expendable; then all are decoded after all."""
        if self._skipping and 1.25 / self._rate < time - self._time < math.inf:
            self._skipping = False
            self._stream.codec_context.skip_frame = "DEFAULT"

    def _time_of(self, frame: Any) -> float:
        if frame.pts is None:
            return self._time + self._step if self._time > -math.inf else 0.0
        return float(frame.time) - self._origin


def picture(frame: Any) -> Image:
    """A decoded frame as RGB uint8 ``[H, W, 3]``, its longer side at most ``MAX_SIDE``."""
    factor = MAX_SIDE / max(frame.width, frame.height)
    size = (max(round(frame.width * factor), 1), max(round(frame.height * factor), 1))
    if frame.color_trc in (tone.PQ, tone.HLG):
        size = size if factor < 1 else (frame.width, frame.height)
        deep = frame.to_ndarray(
            format="rgb48le", width=size[0], height=size[1], interpolation="AREA"
        )
        return tone.to_sdr(deep, frame.color_trc)
    if factor < 0.5:
        # Converting all of a 4K picture to RGB only to shrink it would cost more than decoding it.
        small = frame.to_ndarray(
            format="rgb24", width=size[0], height=size[1], interpolation="AREA"
        )
        return np.asarray(small, np.uint8)
    image = np.asarray(frame.to_ndarray(format="rgb24"), np.uint8)
    if factor < 1:
        image = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
    return image


def upright(image: Image, rotation: int) -> Image:
    """``image`` turned by ``rotation`` degrees counterclockwise, in steps of 90."""
    quarters = round(rotation / 90) % 4
    return np.ascontiguousarray(np.rot90(image, quarters)) if quarters else image


@lru_cache(maxsize=1)
def _allowed_formats() -> str:
    return ",".join(sorted(av.formats_available - _DENIED))


def _is_cover(stream: Any) -> bool:
    """The picture on a song's sleeve is no video."""
    return bool(stream.disposition & av.stream.Disposition.attached_pic)


def _duration(container: Any, stream: Any) -> float | None:
    if stream.duration and stream.time_base:
        seconds = float(stream.duration * stream.time_base)
    else:
        seconds = (container.duration or 0) / av.time_base
    # A damaged header may claim anything; then it is better not to believe it at all.
    return seconds if 0 < seconds < _LONGEST else None


def _seek(container: Any, stream: Any, seconds: float) -> None:
    try:
        container.seek(int(seconds / stream.time_base), stream=stream, backward=True)
    except (av.FFmpegError, OSError):
        # A file without an index: reading on from where we are gets there too.
        return
