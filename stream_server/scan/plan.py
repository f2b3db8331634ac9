"""Which parts of a file are looked at.

A file within the budget is sampled from end to end; a longer one in stretches that lie evenly over
its whole length, so that nothing hides in a part that is never looked at. The budget is in
samples, because they are what costs time.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from stream_server.ingest.files.media import WHOLE, Stretch
from stream_server.ingest.files.timeline import Timeline

_STRETCH = 6.0  # seconds: two windows of 20 at 10 Hz and the time to find the faces
_LEAD = 1.2  # seconds that a second reader begins early, to have its faces and windows ready
_SPLIT = 40.0  # seconds: a shorter file is read by one reader


@dataclass(frozen=True)
class Plan:
    """One list of stretches per reader, in the order of time.

    ``samples`` bounds what all readers give together. ``whole`` says that nothing is left out by
    choice.
    """

    readers: tuple[tuple[Stretch, ...], ...]
    samples: int
    whole: bool

    @property
    def seconds(self) -> float:
        """Seconds of the file that are looked at; infinity where its length is unknown."""
        return sum(stretch.seconds for reader in self.readers for stretch in reader)


def make_plan(
    duration: float | None,
    rate: float,
    budget: int,
    readers: int,
    timeline: Timeline | None = None,
) -> Plan:
    """The plan for a file of ``duration`` seconds, sampled at ``rate`` per second.

    ``budget`` is the largest number of samples; ``readers`` how many may work side by side.
    ``timeline`` tells where there are pictures: what counts is how many there are to look at, not
    how long one of them is held.
    """
    if duration is None:
        return Plan((WHOLE,), budget, True)
    samples = duration * rate if timeline is None else timeline.samples(rate)
    if samples <= budget:
        return Plan(_shared_out(duration, readers), budget, True)
    if timeline is not None:
        seconds = timeline.occupied_seconds
        filled = _spread(seconds, min(round(samples / seconds, 2), rate), budget, readers)
        return Plan(tuple(_by_clock(share, timeline) for share in filled), budget, False)
    return Plan(_spread(duration, rate, budget, readers), budget, False)


def _spread(
    duration: float, rate: float, budget: int, readers: int
) -> tuple[tuple[Stretch, ...], ...]:
    """Stretches that lie evenly over ``duration``, shared out among the readers."""
    count = max(int(budget / rate / _STRETCH), 1)
    spacing = duration / count
    length = min(_STRETCH, spacing)
    stretches = [
        Stretch(
            max(i * spacing + (spacing - length) / 2, 0.0),
            i * spacing + (spacing + length) / 2,
            loose=True,
        )
        for i in range(count)
    ]
    half = math.ceil(count / min(readers, count))
    return tuple(tuple(stretches[i : i + half]) for i in range(0, count, half))


def _by_clock(share: tuple[Stretch, ...], timeline: Timeline) -> tuple[Stretch, ...]:
    """From seconds in which there is something to see to those of the clock."""
    edges = np.array([(stretch.start, stretch.end) for stretch in share], np.float64)
    placed = timeline.occupied(edges).tolist()
    return tuple(Stretch(start, end, loose=True) for start, end in placed)


def _shared_out(duration: float, readers: int) -> tuple[tuple[Stretch, ...], ...]:
    if readers < 2 or duration < _SPLIT:
        return (WHOLE,)
    length = duration / readers
    shares = []
    for i in range(readers):
        border = i * length
        start = max(border - _LEAD, 0.0)
        end = math.inf if i == readers - 1 else border + length
        shares.append((Stretch(start, end, lead=border),))
    return tuple(shares)
