"""Several recordings, one after the other, as one medium."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from stream_server.ingest.files.media import Media, ReadCounts, Stretch
from stream_server.ingest.files.timeline import Timeline
from stream_server.vision.types import Frame


class Joined:
    """``pieces``, each with a timeline, in their order; see ``Media``. What is said of the picture
    as a whole is that of the first."""

    def __init__(self, pieces: Sequence[Media]) -> None:
        self._pieces = pieces
        timelines = [_timeline(piece) for piece in pieces]
        ends = np.cumsum([timeline.end for timeline in timelines]).tolist()
        self._begins = [0.0, *ends[:-1]]
        times = [one.times + begin for one, begin in zip(timelines, self._begins, strict=True)]
        timeline = Timeline(np.concatenate(times), ends[-1])
        infos = [piece.info for piece in pieces]
        self.info = replace(
            infos[0],
            kind="video",
            duration=timeline.end,
            rate=timeline.rate,
            frames=sum(info.frames for info in infos),
            timeline=timeline,
            broken_off=sum(info.broken_off for info in infos),
            unreadable=sum(info.unreadable for info in infos),
        )

    def read(
        self, stretches: tuple[Stretch, ...], rate: float, counts: ReadCounts
    ) -> Iterator[tuple[Stretch, Frame]]:
        """See ``Media.read``."""
        ends = [*self._begins[1:], math.inf]
        for piece, begin, end in zip(self._pieces, self._begins, ends, strict=True):
            asked = {
                replace(
                    stretch, start=max(stretch.start - begin, 0.0), end=stretch.end - begin
                ): stretch
                for stretch in stretches
                if stretch.start < end and stretch.end > begin
            }
            if not asked:
                continue
            own = ReadCounts(counts.passed, counts.decoded, counts.damaged)
            for stretch, frame in piece.read(tuple(asked), rate, own):
                _take_over(counts, own, begin)
                yield asked[stretch], replace(frame, media_time=frame.media_time + begin)
            _take_over(counts, own, begin)


def _take_over(counts: ReadCounts, own: ReadCounts, begin: float) -> None:
    counts.passed, counts.decoded, counts.damaged = own.passed, own.decoded, own.damaged
    counts.last = max(counts.last, begin + own.last)


def _timeline(piece: Media) -> Timeline:
    if piece.info.timeline is None:
        raise ValueError(f"a {piece.info.form} has no timeline, so nothing can follow it")
    return piece.info.timeline
