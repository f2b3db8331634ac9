"""Heat maps for a report: of the faces that are flagged, at their most suspicious moments."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from stream_server.engine.base import EngineError
from stream_server.explain.explainer import Explainer, Heat
from stream_server.explain.paint import heat_over, jpeg
from stream_server.face_look import Look
from stream_server.languages import worded
from stream_server.report.model import Explanation, FaceReport, Report
from stream_server.scan.faces.album import FaceRecord
from stream_server.scan.faces.gallery import SIDE, Shot

_log = logging.getLogger(__name__)
_FACES = 6


async def with_heat_maps(
    report: Report, records: Sequence[FaceRecord], explainer: Explainer
) -> Report:
    """``report`` with heat maps for its flagged faces, the most suspicious six at most.

    Where there are none to be had, it says so among what was not analysed. An engine that fails
    at them costs the report nothing else.
    """
    wanted = sorted(filter(_flagged, report.faces), key=_suspicion, reverse=True)[:_FACES]
    if not wanted:
        return report
    if not explainer.members:
        return _without(
            report,
            worded(
                "Where in a face the evidence lies was not worked out: the models come without heat"
                " maps."
            ),
        )
    found: dict[int, tuple[Explanation, ...]] = {}
    shots = {record.number: record.gallery.suspicious() for record in records}
    try:
        for face in wanted:
            moments = sorted(shots.get(face.track, ()), key=lambda shot: shot.time)
            looks = [(shot, shot.look) for shot in moments if shot.look is not None]
            heats = await explainer.explain_all([look.crop for _, look in looks])
            found[face.track] = tuple(
                _explanation(shot, look, heat)
                for (shot, look), heat in zip(looks, heats, strict=True)
            )
    except EngineError as error:
        _log.warning("no heat maps: %s", error)
        return _without(
            report,
            worded(
                "Where in a face the evidence lies was not worked out: the engine gave no answer."
            ),
        )
    faces = tuple(replace(f, explanations=found.get(f.track, ())) for f in report.faces)
    return replace(report, faces=faces)


def _explanation(shot: Shot, look: Look, heat: Heat) -> Explanation:
    x, y = np.asarray(look.corners).T
    return Explanation(
        time=shot.time,
        probability=shot.probability or 0.0,
        heat=tuple(tuple(float(value) for value in row) for row in heat.grid),
        corners=tuple((float(a), float(b)) for a, b in zip(x, y, strict=True)),
        members=heat.members,
        crop=shot.jpeg,
        over=jpeg(heat_over(look.crop, heat.grid), SIDE),
    )


def _flagged(face: FaceReport) -> bool:
    return face.verdict in ("likely_fake", "unsure") or bool(face.stretches)


def _suspicion(face: FaceReport) -> float:
    return face.probability or 0.0


def _without(report: Report, reason: str) -> Report:
    return replace(report, left_out=(*report.left_out, reason))
