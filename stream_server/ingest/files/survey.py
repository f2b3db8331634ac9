"""Reading the packets of a file once, without decoding any: which pictures it holds, and when.

What a container says of its length is a claim. It is wrong where recordings were joined, where a
track of subtitles outlasts the video, where a clock starts late, runs back or jumps, and where the
file breaks off; the times of the packets are what a player goes by.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from stream_server.ingest.files.timeline import Timeline

_DAY = 86400.0  # seconds: a step as long as that is a clock that was set anew
_RECOVERS = 4  # packets after which a clock that ran back a little is back where it was
_JITTER = 0.5  # seconds
_NONE = np.iinfo(np.int64).min


@dataclass(frozen=True)
class StreamSurvey:
    """``times`` holds the time of each packet in ticks of ``tick`` seconds, ``_NONE`` where it has
    none; ``shifts`` what has to be taken off so that one clock runs through, ``None`` where it does
    so by itself; ``shown`` which packets are shown at all."""

    tick: float
    times: NDArray[np.int64]
    durations: NDArray[np.int64]
    shown: NDArray[np.bool_]
    shifts: NDArray[np.int64] | None
    whole_pictures: bool

    @property
    def packets(self) -> int:
        """Packets with something in them."""
        return len(self.times)

    @property
    def timed(self) -> bool:
        """Whether any packet says when it is shown."""
        return bool((self.times != _NONE).any())

    def timeline(self, origin: int, rate: float) -> Timeline:
        """The pictures by the time since ``origin``, in ticks of the clock that runs through.

        ``rate`` stands in for the pictures per second of a stream that has no times.
        """
        step = self._step(rate)
        times = self.times if self.shifts is None else self.times - self.shifts
        timed = self.shown & (self.times != _NONE)
        if not timed.any():
            count = int(self.shown.sum())
            return Timeline(np.arange(count, dtype=np.float64) * np.float64(step), count * step)
        seconds = (times[timed] - origin) * self.tick
        ends = seconds + np.where(self.durations[timed] > 0, self.durations[timed] * self.tick, 0.0)
        seconds = np.sort(seconds[seconds > -self.tick / 2])
        if not len(seconds):
            return Timeline(np.zeros(1), step)
        # The last packet's own length is often missing, and sometimes nonsense.
        last = float(seconds[-1])
        rest = float(ends.max()) - last
        return Timeline(seconds, last + (rest if rest > 0 else step))

    def before(self, origin: int) -> float:
        """Seconds of pictures that are shown before ``origin``, as ``timeline`` has it."""
        times = self.times if self.shifts is None else self.times - self.shifts
        timed = times[self.shown & (self.times != _NONE)]
        return max(float(origin - timed.min()) * self.tick, 0.0) if len(timed) else 0.0

    def _step(self, rate: float) -> float:
        if rate > 0:
            return 1 / rate
        known = self.durations[self.durations > 0]
        return float(np.median(known)) * self.tick if len(known) else 0.04


@dataclass(frozen=True)
class FileSurvey:
    """``streams`` by their index; ``broken_off`` is how many seconds the file says it goes on
    after the last packet of any kind, 0 where it ends as it says; ``read_bytes`` is where the last
    packet ends in the file; ``stopped`` says that what comes there was not understood."""

    streams: dict[int, StreamSurvey]
    broken_off: float
    read_bytes: int
    stopped: bool = False


@dataclass
class _Notes:
    pts: list[int] = field(default_factory=list)
    dts: list[int] = field(default_factory=list)
    durations: list[int] = field(default_factory=list)
    shown: list[bool] = field(default_factory=list)


def survey(container: Any) -> FileSurvey:
    """What the packets of an opened container say."""
    notes: dict[int, _Notes] = {}
    reached, read_bytes, stopped = 0.0, 0, False
    packets = container.demux()
    while True:
        try:
            packet = next(packets, None)
        except (av.FFmpegError, OSError):
            stopped = True
            break
        if packet is None:
            break
        if not packet.size:
            continue
        if packet.pos is not None:
            read_bytes = max(read_bytes, packet.pos + packet.size)
        stream = packet.stream
        if packet.pts is not None and packet.time_base is not None:
            reached = max(reached, float((packet.pts + (packet.duration or 0)) * packet.time_base))
        if stream.type == "video":
            note = notes.setdefault(stream.index, _Notes())
            note.pts.append(_NONE if packet.pts is None else packet.pts)
            note.dts.append(_NONE if packet.dts is None else packet.dts)
            note.durations.append(packet.duration or 0)
            note.shown.append(not packet.is_discard)
    streams = {i: _surveyed(container.streams[i], note) for i, note in notes.items()}
    return FileSurvey(streams, _broken_off(container, reached), read_bytes, stopped)


def _surveyed(stream: Any, note: _Notes) -> StreamSurvey:
    tick = float(stream.time_base or 1)
    pts, dts = np.array(note.pts, np.int64), np.array(note.dts, np.int64)
    durations = np.array(note.durations, np.int64)
    times = np.where(pts == _NONE, dts, pts)
    codec = stream.codec_context.codec if stream.codec_context is not None else None
    return StreamSurvey(
        tick,
        times,
        durations,
        np.array(note.shown, np.bool_),
        _shifts(times, dts, durations, tick),
        bool(codec is not None and codec.intra_only),
    )


def _shifts(
    times: NDArray[np.int64], dts: NDArray[np.int64], durations: NDArray[np.int64], tick: float
) -> NDArray[np.int64] | None:
    """What to take off each packet's time, where the clock does not run through.

    Packets come in the order of decoding, and their decoding times never fall, so a fall is a
    clock that began anew. A step of a day is no pause either.
    """
    order = dts if (dts != _NONE).any() else times
    known = np.flatnonzero((order != _NONE) & (times != _NONE))
    if len(known) < 2:
        return None
    values = order[known]
    steps = np.diff(values)
    cuts = [
        int(i) + 1
        for i in np.flatnonzero((steps < 0) | (steps * tick > _DAY))
        if not _recovers(values, int(i), tick)
    ]
    if not cuts:
        return None
    shifts = np.zeros(len(times), np.int64)
    step = int(np.median(steps[steps > 0])) if (steps > 0).any() else 1
    end = 0
    borders = [0, *cuts, len(known)]
    for number, (first, last) in enumerate(itertools.pairwise(borders)):
        own = times[known[first:last]]
        shift = 0 if number == 0 else int(own.min()) - end
        begin = int(known[first]) if number else 0
        stop = int(known[last]) if last < len(known) else len(times)
        shifts[begin:stop] = shift
        lengths = np.maximum(durations[known[first:last]], 0)
        end = max(int((own + lengths).max()), int(own.max()) + step) - shift
    return shifts


def _recovers(values: NDArray[np.int64], place: int, tick: float) -> bool:
    """Whether the fall after ``place`` is a trembling: soon the clock is past it again."""
    if (values[place] - values[place + 1]) * tick > _JITTER:
        return False
    return bool((values[place + 2 : place + 2 + _RECOVERS] > values[place]).any())


def _broken_off(container: Any, reached: float) -> float:
    claimed = (container.duration or 0) / av.time_base
    start = (container.start_time or 0) / av.time_base
    # Some formats count from the first packet, others from zero.
    missing = claimed - max(reached - start, reached)
    return missing if missing > max(1.0, 0.05 * claimed) else 0.0
