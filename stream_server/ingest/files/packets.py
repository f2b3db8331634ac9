"""From the packets of a video to its frames and their times."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import av

from stream_server.ingest.files.media import ReadCounts
from stream_server.ingest.files.survey import StreamSurvey
from stream_server.ingest.files.timeline import Timeline
from stream_server.rhythm import Rhythm

_SKIPPABLE = 2.5  # frames per sample from which frames that no other frame needs may be left out


class PacketReader:
    """Decodes packet by packet, so that a damaged one costs no more than itself.

    ``rhythm`` is asked which packets need not be decoded at all; without one all are. ``rate`` is
    the stream's frames per second, 0 for unknown. ``survey`` and ``origin``, the time of the first
    frame in ticks, put every packet on the clock of ``timeline``, so that the decoder sees one that
    runs through.
    """

    def __init__(
        self,
        stream: Any,
        rhythm: Rhythm | None,
        survey: StreamSurvey,
        timeline: Timeline,
        origin: int,
        rate: float,
        counts: ReadCounts,
    ) -> None:
        self._stream = stream
        self._survey = survey
        self._timeline = timeline
        self._origin = origin
        self._counts = counts
        self._step = 1 / rate if rate > 0 else 0.04
        self._time = -math.inf
        self._number = -1
        # A held picture counts for more than its place in the rhythm says.
        held = timeline.holds
        self._choosing = rhythm if survey.whole_pictures and not held else None
        self._skipping = None
        many = rhythm is not None and rate >= _SKIPPABLE * rhythm.rate
        # Where packets have no times, a frame's time is that it is counted.
        if rhythm and many and survey.timed and not survey.whole_pictures and not held:
            self._skipping = rhythm
            stream.codec_context.skip_frame = "NONREF"

    def restart(self) -> None:
        """Begin anew after a seek."""
        self._time = -math.inf

    def read(self, container: Any) -> Iterator[tuple[Any, float]]:
        """Every decoded frame with its time, in seconds from the first one; never backwards."""
        packets = container.demux(self._stream)
        while True:
            try:
                packet = next(packets, None)
            except (av.FFmpegError, OSError):
                return
            if packet is None:
                return
            self._counts.passed += packet.size > 0
            self._set_clock(packet)
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
                if frame.is_corrupt:
                    # Patched up from its neighbours, or of what is encrypted: a torn face looks
                    # manipulated, and a grey picture is none that was looked at.
                    self._counts.damaged += 1
                    continue
                self._watch_gap(time)
                self._time = time
                self._counts.last = max(self._counts.last, time)
                yield frame, time

    def _set_clock(self, packet: Any) -> None:
        if not packet.size:
            return
        self._number += 1
        shift = self._origin
        if self._survey.shifts is not None and self._number < len(self._survey.shifts):
            shift += int(self._survey.shifts[self._number])
        if shift:
            if packet.pts is not None:
                packet.pts -= shift
            if packet.dts is not None:
                packet.dts -= shift

    def _may_skip(self, packet: Any) -> bool:
        """A packet that is a whole picture by itself and is not due need not be decoded."""
        if self._choosing is None or packet.pts is None or not packet.size:
            return False
        return not self._choosing.peek(float(packet.pts * packet.time_base))

    def _watch_gap(self, time: float) -> None:
        """Some encoders make most frames expendable; then all are decoded after all."""
        if self._skipping and 1.25 / self._skipping.rate < time - self._time < math.inf:
            self._skipping = None
            self._stream.codec_context.skip_frame = "DEFAULT"

    def _time_of(self, frame: Any) -> float:
        """Frames come in the order of showing; where their times do not, the order counts."""
        if frame.pts is not None and float(frame.time) >= self._time:
            return float(frame.time)
        return self._time + self._step if self._time > -math.inf else 0.0
