"""Video files, read by PyAV: opening what a stranger sends, and the frames that are due."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

import av

from stream_server.ingest.files.media import MediaInfo, ReadCounts, Stretch
from stream_server.ingest.files.packets import PacketReader
from stream_server.ingest.files.rgb import is_hdr, upright_rgb
from stream_server.ingest.files.unusable import UnusableError, from_os_error
from stream_server.picture_limits import MAX_SIDE, MAX_VIDEO_PIXELS
from stream_server.rhythm import Rhythm
from stream_server.vision.types import Frame

# These read other files or the network, or draw text: a file from a stranger must not choose.
_DENIED = {
    "hls", "concat", "concatf", "dash", "webm_dash_manifest", "imf", "lavfi", "sdp", "rtsp",
    "rtp", "sap", "tty", "bin", "xbin", "adf", "idf", "image2", "image2pipe", "ffmetadata",
}  # fmt: skip
_LONGEST = 30 * 86400.0  # seconds


class VideoFile:
    """One video; see ``Media``.

    ``name`` is what messages call it, ``max_pixels`` bounds its frames. Raises
    ``UnusableError`` for what cannot be analysed.
    """

    def __init__(
        self, path: Path, name: str, max_pixels: int = MAX_VIDEO_PIXELS, threads: int = 1
    ) -> None:
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
            rhythm = Rhythm(rate)
            reader = PacketReader(stream, rhythm, self.info.rate, self._origin, counts)
            seen, seekable = -math.inf, True
            for stretch in stretches:
                if stretch.start > 0 and seekable:
                    _seek(container, stream, stretch.start + self._origin)
                reader.restart()
                rhythm.reset()
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
                    if time < earliest or not rhythm.due(time):
                        continue
                    self._check(frame.width, frame.height)
                    yield stretch, Frame(upright_rgb(frame, MAX_SIDE), time, counts.passed)

    def every_frame(self) -> Iterator[Frame]:
        """All frames in their own size, upright RGB, for what is not sampled."""
        counts = ReadCounts()
        with self._opened() as (container, stream):
            reader = PacketReader(stream, None, self.info.rate, self._origin, counts)
            for frame, time in reader.read(container):
                self._check(frame.width, frame.height)
                yield Frame(upright_rgb(frame, math.inf), time, counts.passed)

    def _probe(self) -> MediaInfo:
        with self._opened() as (container, stream):
            reader = PacketReader(stream, None, 0.0, 0.0, ReadCounts())
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
                is_hdr(frame),
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
