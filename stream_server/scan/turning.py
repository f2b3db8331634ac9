"""At which quarter turns a medium shows faces that it does not show upright.

A file may have lost the mark that says which way is up, and a group may hold somebody who lies
down. A video is searched where it showed nobody for a while; a picture, which costs little, is
searched for more faces even where it shows some.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from stream_server.evidence import StreamOptions
from stream_server.ingest.files.media import WHOLE, Media, ReadCounts, Stretch
from stream_server.scan.analysis import Analysis
from stream_server.scan.faces.album import FaceRecord
from stream_server.scan.faces.placing import Box, Place
from stream_server.scan.plan import Plan
from stream_server.vision.detect import FaceDetector
from stream_server.vision.types import Image

_PROBES = 8  # pictures that are turned to see whether there is a face
_SURE = 0.95  # face score from which a turned picture counts
_SMALLEST = 48  # pixels
_LONELY = 1.0  # seconds without a face from which turned ones are looked for
_SAME = 0.4  # overlap of two boxes that are one face
_SIDE = 960


@dataclass(frozen=True)
class Turn:
    """What of a medium to look at turned counterclockwise by ``quarters``. ``boxes`` are where, in
    fractions of the upright medium; ``None`` for anywhere."""

    quarters: int
    plan: Plan
    boxes: tuple[Box, ...] | None = None

    def takes(self, face: FaceRecord) -> bool:
        """Whether ``face``, in its upright place, is one that was to be found."""
        return self.boxes is None or any(overlap(face.boxes[0], box) > _SAME for box in self.boxes)


async def turns(
    media: Media, analysis: Analysis, options: StreamOptions, detector: FaceDetector
) -> list[Turn]:
    """The turns at which ``media`` has to be looked at again, after ``analysis`` of it upright."""
    if media.info.kind == "picture":
        found = await asyncio.to_thread(_found_turned, media, 0.0, options, detector)
        known = [box for face in analysis.faces if face.good for box in face.boxes]
        new = {
            quarters: tuple(
                box for box in boxes if all(overlap(box, other) <= _SAME for other in known)
            )
            for quarters, boxes in found.items()
        }
        plan = Plan((WHOLE,), 1, whole=False)
        return [Turn(quarters, plan, boxes) for quarters, boxes in new.items() if boxes]
    lonely = _without_faces(analysis, options)
    probes = _probes(lonely, analysis.times)
    hits: Counter[int] = Counter()
    for time in probes:
        hits.update((await asyncio.to_thread(_found_turned, media, time, options, detector)).keys())
    least = 1 if len(probes) < 2 else 2
    samples = sum(len([t for t in analysis.times if a <= t <= b]) for a, b in lonely)
    stretches = tuple(
        Stretch(start, np.inf if end >= analysis.times[-1] else end + 1e-3) for start, end in lonely
    )
    plan = Plan((stretches,), samples, whole=False)
    return [Turn(quarters, plan) for quarters, count in hits.items() if count >= least]


def overlap(first: Box, second: Box) -> float:
    """What two boxes share, of the smaller one: a tile's border may cut one of them short."""
    width = min(first[0] + first[2], second[0] + second[2]) - max(first[0], second[0])
    height = min(first[1] + first[3], second[1] + second[3]) - max(first[1], second[1])
    smaller = min(first[2] * first[3], second[2] * second[3])
    return max(width, 0.0) * max(height, 0.0) / max(smaller, 1e-9)


def _without_faces(analysis: Analysis, options: StreamOptions) -> list[tuple[float, float]]:
    """From when to when the samples show no face."""
    seen = np.unique([time for face in analysis.faces for time in face.seen] or [-np.inf])
    spans: list[tuple[float, float]] = []
    apart = 3 / options.sample_hz
    before: float | None = None
    for time in analysis.times:
        if np.abs(seen - time).min() < _LONELY / 2:
            before = None
            continue
        if spans and before is not None and time - before <= max(apart, _LONELY):
            spans[-1] = (spans[-1][0], time)
        else:
            spans.append((time, time))
        before = time
    single = len(analysis.times) == 1
    return [(start, end) for start, end in spans if single or end - start >= _LONELY]


def _probes(lonely: Sequence[tuple[float, float]], times: Sequence[float]) -> list[float]:
    inside = [time for time in times if any(a <= time <= b for a, b in lonely)]
    return inside[:: max(len(inside) // _PROBES, 1)][:_PROBES]


def _found_turned(
    media: Media, time: float, options: StreamOptions, detector: FaceDetector
) -> dict[int, list[Box]]:
    """By the quarters that the picture of ``time`` has to be turned to show faces: where they lie
    in it."""
    end = time + 2 / options.sample_hz
    pairs = media.read((Stretch(time, end),), options.sample_hz, ReadCounts())
    for _, frame in pairs:
        small = _shrunk(frame.image)
        found = {k: _faces(np.rot90(small, k), detector) for k in (1, 2, 3)}
        return {
            k: [Place(quarters=k).box(box) for box in boxes] for k, boxes in found.items() if boxes
        }
    return {}


def _faces(image: Image, detector: FaceDetector) -> list[Box]:
    """The faces that are surely there, in fractions of ``image``."""
    found = detector.detect(np.ascontiguousarray(image))
    height, width = image.shape[:2]
    return [
        (float(x0) / width, float(y0) / height, float(x1 - x0) / width, float(y1 - y0) / height)
        for (x0, y0, x1, y1), score in zip(found.boxes, found.scores, strict=True)
        if score > _SURE and min(x1 - x0, y1 - y0) >= _SMALLEST
    ]


def _shrunk(image: Image) -> Image:
    factor = _SIDE / max(image.shape[:2])
    if factor >= 1:
        return image
    size = (max(round(image.shape[1] * factor), 1), max(round(image.shape[0] * factor), 1))
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
