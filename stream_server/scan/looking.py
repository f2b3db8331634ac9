"""Everything in a file, looked at: each part, a long strip in tiles, and what lies on its side.

Where no face was found for a while, some of the pictures are searched turned by quarters too: a
file may have lost the mark that says which way is up. What is found there is followed in the
turned pictures, and told where it lies in the upright one.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np

from stream_server.evidence import StreamOptions
from stream_server.ingest.files.media import Media, Part, ReadCounts, Stretch
from stream_server.ingest.files.region import WHOLE_PICTURE, Region, tiles, within
from stream_server.ingest.files.turned import Turned
from stream_server.scan.analysis import Analysis, Pipeline, analyse
from stream_server.scan.faces.album import FaceRecord
from stream_server.scan.faces.placing import Box, Place
from stream_server.scan.plan import Plan, make_plan
from stream_server.vision.detect import FaceDetector
from stream_server.vision.types import Image

_PROBES = 8  # pictures that are turned to see whether there is a face
_SURE = 0.95  # face score from which a turned picture counts
_SMALLEST = 48  # pixels
_LONELY = 1.0  # seconds without a face from which turned ones are looked for
_SAME = 0.4  # overlap of two tiles' boxes that are one face
_TURNED_SIDE = 960


@dataclass
class PartLook:
    """What came of one part. ``analyses`` are those of its tiles and turns, the first that of the
    upright whole or of its first tile; ``turns`` are the quarters at which faces were found."""

    part: Part
    plan: Plan
    options: StreamOptions
    tiles: int = 1
    analyses: list[Analysis] = field(default_factory=list)
    faces: list[FaceRecord] = field(default_factory=list)
    turns: list[int] = field(default_factory=list)

    @property
    def upright(self) -> Analysis:
        """The analysis that says what was looked at."""
        return self.analyses[0]


async def look_at(
    part: Part,
    options: StreamOptions,
    pipeline: Pipeline,
    *,
    region: Region,
    budget: int,
    readers: int,
    progress: Callable[[float], None] = lambda done: None,
) -> PartLook:
    """Look at ``part`` with at most ``budget`` samples; raises what ``analyse`` raises."""
    info = part.media.info
    places = tiles(info.width, info.height) if region == WHOLE_PICTURE else (region,)
    budget = max(budget // len(places), 1)
    plan = make_plan(info.duration, options.sample_hz, budget, readers, info.timeline)
    look = PartLook(part, plan, options, len(places))
    for number, place in enumerate(places):
        media = within(part.media, place)
        first = number / len(places)

        def told(share: float, first: float = first) -> None:
            progress(first + share / len(places))

        analysis = await analyse(media, plan, options, pipeline, told)
        _add(look, analysis, Place(place))
        for quarters, lonely in await _turns(media, analysis, options, pipeline.detector):
            turned = await analyse(Turned(media, quarters), lonely, options, pipeline)
            if any(face.good for face in turned.faces):
                look.turns.append(quarters)
                _add(look, turned, Place(place, quarters))
    look.faces.sort(key=lambda face: face.first)
    return look


def _add(look: PartLook, analysis: Analysis, place: Place) -> None:
    """Take in what one tile or turn gave; a face that two tiles saw counts once."""
    for face in analysis.faces:
        place.put(face)
    look.analyses.append(analysis)
    for face in analysis.faces:
        twin = next((other for other in look.faces if _one(other, face)), None)
        if twin is None:
            look.faces.append(face)
        elif (face.good, _size(face)) > (twin.good, _size(twin)):
            look.faces[look.faces.index(twin)] = face


def _one(first: FaceRecord, second: FaceRecord) -> bool:
    shared = sorted(first.seen.keys() & second.seen.keys())
    if not shared:
        return False
    overlaps = [_overlap(first.seen[time], second.seen[time]) for time in shared[:20]]
    return float(np.median(overlaps)) > _SAME


def _overlap(first: Box, second: Box) -> float:
    """What two boxes share, of the smaller one: a tile's border may cut one of them short."""
    width = min(first[0] + first[2], second[0] + second[2]) - max(first[0], second[0])
    height = min(first[1] + first[3], second[1] + second[3]) - max(first[1], second[1])
    smaller = min(first[2] * first[3], second[2] * second[3])
    return max(width, 0.0) * max(height, 0.0) / max(smaller, 1e-9)


def _size(face: FaceRecord) -> float:
    return float(np.median([box[2] * box[3] for box in face.boxes]))


async def _turns(
    media: Media, analysis: Analysis, options: StreamOptions, detector: FaceDetector
) -> list[tuple[int, Plan]]:
    """The quarter turns at which there are faces where upright there are none, and what of the
    medium to look at then."""
    still = media.info.kind == "picture"
    lonely = [(0.0, 0.0)] if still and not analysis.faces else _without_faces(analysis, options)
    if not lonely or (still and analysis.faces):
        return []
    probes = _probes(lonely, analysis.times)
    hits: Counter[int] = Counter()
    for time in probes:
        hits.update(await asyncio.to_thread(_found_turned, media, time, options, detector))
    least = 1 if len(probes) < 2 else 2
    stretches = tuple(
        Stretch(start, np.inf if end >= analysis.times[-1] else end + 1e-3) for start, end in lonely
    )
    samples = sum(len([t for t in analysis.times if a <= t <= b]) for a, b in lonely)
    plan = Plan((stretches,), samples, whole=False)
    return [(quarters, plan) for quarters, count in hits.items() if count >= least]


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
) -> list[int]:
    """The quarters by which the picture of ``time`` has to be turned to show a face."""
    end = time + 2 / options.sample_hz
    pairs = media.read((Stretch(time, end),), options.sample_hz, ReadCounts())
    for _, frame in pairs:
        small = _shrunk(frame.image)
        return [k for k in (1, 2, 3) if _has_face(np.rot90(small, k), detector)]
    return []


def _has_face(image: Image, detector: FaceDetector) -> bool:
    found = detector.detect(np.ascontiguousarray(image))
    if not len(found):
        return False
    sizes = (found.boxes[:, 2:] - found.boxes[:, :2]).min(axis=1)
    return bool(((found.scores > _SURE) & (sizes >= _SMALLEST)).any())


def _shrunk(image: Image) -> Image:
    factor = _TURNED_SIDE / max(image.shape[:2])
    if factor >= 1:
        return image
    size = (max(round(image.shape[1] * factor), 1), max(round(image.shape[0] * factor), 1))
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
