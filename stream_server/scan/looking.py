"""Everything in a file, looked at: each part, a long strip in tiles, and what lies on its side.

What is found at a turn (``stream_server/scan/turning.py``) is followed in the turned pictures, and
told where it lies in the upright one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from stream_server.evidence import StreamOptions
from stream_server.ingest.files.media import Part
from stream_server.ingest.files.region import WHOLE_PICTURE, Region, tiles, within
from stream_server.ingest.files.turned import Turned
from stream_server.scan.analysis import Analysis, Pipeline, analyse
from stream_server.scan.faces.album import FaceRecord
from stream_server.scan.faces.placing import Place
from stream_server.scan.plan import Plan, make_plan
from stream_server.scan.turning import overlap, turns

_SAME = 0.4  # overlap of two tiles' boxes that are one face


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

    @property
    def crowds(self) -> int:
        """In how many pictures there were more faces than are followed."""
        return max(analysis.crowds for analysis in self.analyses)


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
        wanted = await turns(media, analysis, options, pipeline.detector)
        _add(look, analysis, Place(place))
        for turn in wanted:
            turned = await analyse(Turned(media, turn.quarters), turn.plan, options, pipeline)
            for face in turned.faces:
                Place(quarters=turn.quarters).put(face)
            turned.faces = [face for face in turned.faces if turn.takes(face)]
            if any(face.good for face in turned.faces):
                look.turns.append(turn.quarters)
                _add(look, turned, Place(place))
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
    overlaps = [overlap(first.seen[time], second.seen[time]) for time in shared[:20]]
    return float(np.median(overlaps)) > _SAME


def _size(face: FaceRecord) -> float:
    return float(np.median([box[2] * box[3] for box in face.boxes]))
