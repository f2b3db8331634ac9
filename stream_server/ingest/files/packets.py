"""From the packets of a video to its frames and their times."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import av

from stream_server.ingest.files.media import ReadCounts
from stream_server.rhythm import Rhythm

_SKIPPABLE = 2.5  # frames per sample from which frames that no other frame needs may be left out


class PacketReader:
    """Decodes packet by packet, so that a damaged one costs no more than itself.

    ``rhythm`` is asked which packets need not be decoded at all; without one all are.
    ``source_rate`` is the stream's frames per second, 0 for unknown; ``origin`` is the time of its
    first frame, in seconds.
    """

    def __init__(
        self,
        stream: Any,
        rhythm: Rhythm | None,
        source_rate: float,
        origin: float,
        counts: ReadCounts,
    ) -> None:
        self._stream = stream
        self._step = 1 / source_rate if source_rate > 0 else 0.04
        self._origin = origin
        self._counts = counts
        self._time = -math.inf
        whole_pictures = bool(stream.codec_context.codec.intra_only)
        self._choosing = rhythm if whole_pictures else None
        self._skipping = None
        if rhythm and not whole_pictures and source_rate >= _SKIPPABLE * rhythm.rate:
            self._skipping = rhythm
            stream.codec_context.skip_frame = "NONREF"

    def restart(self) -> None:
        """Begin anew after a seek."""
        self._time = -math.inf

    def read(self, container: Any) -> Iterator[tuple[Any, float]]:
        """Every decoded frame with its time, in seconds since the origin; never backwards."""
        packets = container.demux(self._stream)
        while True:
            try:
                packet = next(packets, None)
            except (av.FFmpegError, OSError):
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
        if self._choosing is None or packet.pts is None or not packet.size:
            return False
        return not self._choosing.peek(float(packet.pts * packet.time_base) - self._origin)

    def _watch_gap(self, time: float) -> None:
        """Some encoders make most frames expendable; then all are decoded after all."""
        if self._skipping and 1.25 / self._skipping.rate < time - self._time < math.inf:
            self._skipping = None
            self._stream.codec_context.skip_frame = "DEFAULT"

    def _time_of(self, frame: Any) -> float:
        if frame.pts is None:
            return self._time + self._step if self._time > -math.inf else 0.0
        return float(frame.time) - self._origin
