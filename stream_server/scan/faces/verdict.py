"""From everything that was seen of a face to one probability and one verdict."""

from __future__ import annotations

import math
from collections.abc import Sequence

from stream_server.scan.faces.album import FaceRecord
from stream_server.verdict import Verdict, VerdictPolicy

_EDGE = 0.002  # a window that is surer than this counts no more than one that is just this sure
SUSTAINED = 3.0
"""Seconds above the line without a break from which a face is not called likely real."""
_BREAK = 1.0  # seconds between two scores that still belong to one stretch


def robust(probabilities: Sequence[float]) -> float | None:
    """The interquartile mean of ``probabilities`` in logits; ``None`` for none.

    A quarter of the track may be wild on either side without a say, so a bad second in a long
    shot changes nothing; within the middle half everything counts, which is steadier than the
    median.
    """
    if not probabilities:
        return None
    logits = sorted(_logit(value) for value in probabilities)
    trim = len(logits) // 4
    middle = logits[trim : len(logits) - trim]
    return 1 / (1 + math.exp(-sum(middle) / len(middle)))


def enough_samples(faces: Sequence[FaceRecord], window: int, first_verdict: int) -> int:
    """Samples from which a face counts: a window's worth, or less where no face has that many.

    A face that flits by in a long video gives too few verdicts to be sure of one; in a clip that
    is short altogether there is nothing better.
    """
    most = max((face.good for face in faces), default=0)
    full = min(window, 20)
    return full if most >= full else min(first_verdict, full)


def decide(probability: float, policy: VerdictPolicy) -> Verdict:
    """The verdict on a probability that sums up a whole track."""
    if probability >= policy.fake:
        return "likely_fake"
    return "likely_real" if policy.clears and probability <= policy.real else "unsure"


def suspicious_stretches(
    timeline: Sequence[tuple[float, float]], line: float, least: float = 1.0
) -> list[tuple[float, float]]:
    """Where ``timeline`` (time, probability) stays at or above ``line`` for ``least`` seconds."""
    found: list[tuple[float, float]] = []
    start = last = None
    for time, probability in timeline:
        if probability >= line and (last is None or time - last <= _BREAK):
            start = time if start is None else start
            last = time
            continue
        if start is not None and last is not None and last - start >= least:
            found.append((start, last))
        start = last = time if probability >= line else None
    if start is not None and last is not None and last - start >= least:
        found.append((start, last))
    return found


def passages(
    stretches: Sequence[tuple[float, float]],
    scored: Sequence[float],
    spans: Sequence[tuple[float, float]],
    window: float,
) -> list[tuple[float, float]]:
    """Where in the video that lies which ``stretches`` of scores tell of.

    A score sums up the ``window`` seconds before it, of a face that has just come those since it
    came, and stands for their middle. ``scored`` are the times of its scores, ``spans`` from when
    to when it was looked at without a break: what is there from a span's first score on, or until
    its last, was there from its first picture on, or until its last.
    """

    def told(time: float, end: bool) -> float:
        first, last = next(span for span in spans if span[0] <= time <= span[1])
        if end and not any(time < one <= last for one in scored):
            return last
        if not end and not any(first <= one < time for one in scored):
            return first
        return time - min(window, time - first) / 2

    return [(told(start, end=False), told(end, end=True)) for start, end in stretches]


def _logit(probability: float) -> float:
    clipped = min(max(probability, _EDGE), 1 - _EDGE)
    return math.log(clipped / (1 - clipped))
