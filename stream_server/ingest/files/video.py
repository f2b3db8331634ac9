"""Video files, read by PyAV: the frames that are due."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import av

from stream_server.ingest.files.container import opened, shown_first
from stream_server.ingest.files.file_range import Place
from stream_server.ingest.files.geometry import orientation_of, pixel_aspect, shown_size
from stream_server.ingest.files.media import MediaInfo, ReadCounts, Stretch
from stream_server.ingest.files.packets import PacketReader
from stream_server.ingest.files.region import longest_side
from stream_server.ingest.files.rgb import is_hdr, upright_rgb
from stream_server.ingest.files.survey import FileSurvey, StreamSurvey, survey
from stream_server.ingest.files.timeline import Timeline
from stream_server.ingest.files.unusable import UnusableError
from stream_server.languages import worded
from stream_server.picture_limits import MAX_PICTURE_SIDE, MAX_SIDE, MAX_VIDEO_PIXELS
from stream_server.rhythm import Rhythm
from stream_server.vision.types import Frame

_AGREES = 0.05  # of the frame rate
_LARGE, _HUGE = 1920 * 1088, 3840 * 2160  # pixels


class VideoFile:
    """One stream of a video; see ``Media``.

    ``name`` is what messages call it, ``max_pixels`` bounds its frames, ``stream`` is its number in
    the file: unless it is said the one that players show. Raises ``UnusableError`` for what cannot
    be analysed.
    """

    def __init__(
        self,
        place: Place,
        name: str,
        max_pixels: int = MAX_VIDEO_PIXELS,
        threads: int = 1,
        stream: int | None = None,
        surveyed: FileSurvey | None = None,
    ) -> None:
        self._place = place
        self._name = name
        self._max_pixels = max_pixels
        self._threads = threads
        self._index = stream
        self._origin = 0
        if surveyed is None:
            with opened(place, name) as container:
                surveyed = survey(container)
        self._survey, self._timeline, self.info = self._probe(surveyed)
        picture = self.info.kind == "picture"
        self._side = longest_side(
            self.info.width, self.info.height, MAX_PICTURE_SIDE if picture else MAX_SIDE
        )

    def read(
        self, stretches: tuple[Stretch, ...], rate: float, counts: ReadCounts
    ) -> Iterator[tuple[Stretch, Frame]]:
        """See ``Media.read``."""
        left = list(stretches)
        yield from self._read(left, rate, counts, seekable=self._survey.shifts is None)
        if left:
            # Going to a place of this file leads nowhere: what is left is read straight through.
            yield from self._read(left, rate, counts, seekable=False)

    def _read(
        self, left: list[Stretch], rate: float, counts: ReadCounts, *, seekable: bool
    ) -> Iterator[tuple[Stretch, Frame]]:
        """The frames of the stretches in ``left``, from which those that are done are taken; one
        that should hold frames and gave none ends it."""
        going = seekable
        with self._opened() as (container, stream, aspect):
            rhythm = Rhythm(rate)
            reader = self._reader(stream, rhythm, counts)
            seen = -math.inf
            while left:
                stretch = left[0]
                if stretch.start > 0 and going:
                    _seek(container, stream, self._origin, stretch.start)
                reader.restart()
                rhythm.reset()
                earliest, end = stretch.start, stretch.end
                given = 0
                for frame, time in reader.read(container):
                    if time <= seen:
                        # There is no key frame between: from now on reading straight ahead is
                        # cheaper than going back to the same one again and again.
                        going = False
                        continue
                    seen = time
                    if stretch.loose and going and time < stretch.start == earliest:
                        # The key frame before will do as well; what counts is the length.
                        earliest, end = time, time + stretch.seconds
                    if time >= end:
                        break
                    held = self._timeline.holds_at(time)
                    if time < earliest or not (rhythm.due(time) or held):
                        continue
                    self._check(frame.width, frame.height)
                    image = upright_rgb(frame, self._side, aspect)
                    given += 1
                    yield stretch, Frame(image, time, counts.passed)
                    for again in self._timeline.looks_at_held(time, rate) if held else ():
                        if again < end and rhythm.due(again):
                            yield stretch, Frame(image, again, counts.passed)
                if not given and seekable and self._timeline.holds_pictures(earliest, end):
                    return
                left.pop(0)

    def every_frame(self) -> Iterator[Frame]:
        """All frames in their own size, upright RGB, for what is not sampled."""
        counts = ReadCounts()
        with self._opened() as (container, stream, aspect):
            for frame, time in self._reader(stream, None, counts).read(container):
                self._check(frame.width, frame.height)
                yield Frame(upright_rgb(frame, math.inf, aspect), time, counts.passed)

    def _reader(self, stream: Any, rhythm: Rhythm | None, counts: ReadCounts) -> PacketReader:
        return PacketReader(
            stream, rhythm, self._survey, self._timeline, self._origin, self.info.rate, counts
        )

    def _probe(self, surveyed: FileSurvey) -> tuple[StreamSurvey, Timeline, MediaInfo]:
        with self._opened() as (container, stream, aspect):
            self._index = stream.index
            own = surveyed.streams.get(stream.index)
            guess = float(stream.average_rate or stream.guessed_rate or 0)
            first = None
            if own is not None:
                timeline = own.timeline(0, guess)
                reader = PacketReader(stream, None, own, timeline, 0, 0.0, ReadCounts())
                first = next(reader.read(container), None)
            if own is None or first is None:
                raise UnusableError(
                    "truncated",
                    worded(
                        "{file}: no picture of the video can be decoded; the file is damaged,"
                        " encrypted or breaks off too early",
                        file=self._name,
                    ),
                )
            frame, _ = first
            self._origin = frame.pts or 0
            self._check(frame.width, frame.height)
            timeline = own.timeline(self._origin, guess)
            orientation = orientation_of(frame)
            size = shown_size(frame.width, frame.height, aspect)
            form = container.format.name.split(",")[0]
            single = len(timeline.times) == 1
            info = MediaInfo(
                "picture" if single else "video",
                f"{stream.codec_context.name} in {form}",
                *(size[::-1] if orientation.transposed else size),
                0.0 if single else timeline.end,
                _rate(stream, timeline),
                len(timeline.times),
                frame.rotation if not orientation.mirrored else 0,
                is_hdr(frame),
                orientation.mirrored,
                aspect != 1,
                timeline,
                surveyed.broken_off,
                own.before(self._origin),
            )
            return own, timeline, info

    @contextmanager
    def _opened(self) -> Iterator[tuple[Any, Any, float]]:
        name = self._name
        with opened(self._place, name) as container:
            stream = (
                shown_first(container, name)
                if self._index is None
                else container.streams[self._index]
            )
            context = stream.codec_context
            if context is None:
                raise UnusableError(
                    "codec", worded("{file}: its video codec is not supported", file=name)
                )
            self._check(context.width or 0, context.height or 0)
            context.options = {"max_pixels": str(self._max_pixels)}
            pixels = (context.width or 0) * (context.height or 0)
            # What is looked at in a smaller picture takes longer than decoding it does beside that,
            # and one thread need not wait for another.
            context.thread_count = self._threads if pixels > _LARGE else 1
            # Frame threads hold a picture each; slices do for the sizes where that is a lot.
            context.thread_type = "SLICE" if pixels > _HUGE else "AUTO"
            yield container, stream, pixel_aspect(stream.sample_aspect_ratio)

    def _check(self, width: int, height: int) -> None:
        if width * height > self._max_pixels:
            raise UnusableError(
                "too_many_pixels",
                worded(
                    "{file} has {width}x{height} pixels; the limit is {limit} in all",
                    file=self._name,
                    width=width,
                    height=height,
                    limit=self._max_pixels,
                ),
                413,
            )


def _rate(stream: Any, timeline: Timeline) -> float:
    """Frames per second: what the file says of it where the times of its frames agree."""
    said = float(stream.average_rate or stream.guessed_rate or 0)
    if stream.duration and stream.time_base and stream.frames > 1:
        counted = stream.frames / float(stream.duration * stream.time_base)
        said = min(said, counted) if said else counted
    measured = timeline.rate
    return said if abs(said - measured) < _AGREES * measured else measured


def _seek(container: Any, stream: Any, origin: int, seconds: float) -> None:
    try:
        container.seek(int(seconds / stream.time_base) + origin, stream=stream, backward=True)
    except (av.FFmpegError, OSError):
        # A file without an index: reading on from where we are gets there too.
        return
