"""From an analysis to its report."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from stream_server.evidence import StreamOptions
from stream_server.ingest.files.media import MediaInfo
from stream_server.report.model import (
    FaceReport,
    Picture,
    QualitySummary,
    Report,
    most_suspicious,
)
from stream_server.report.words import clock
from stream_server.scan.analysis import Analysis
from stream_server.scan.faces.album import FaceRecord
from stream_server.scan.faces.verdict import (
    SUSTAINED,
    decide,
    enough_samples,
    robust,
    suspicious_stretches,
)
from stream_server.scan.plan import Plan
from stream_server.verdict import VerdictPolicy


def build_report(
    file: str,
    media: MediaInfo,
    plan: Plan,
    options: StreamOptions,
    analysis: Analysis,
    policy: VerdictPolicy,
    *,
    engine: str,
    models: Sequence[str],
    settings: dict[str, Any],
    provenance: dict[str, Any],
    max_faces: int,
) -> Report:
    """The report on ``file``."""
    still = media.kind == "picture"
    enough = 1 if still else enough_samples(analysis.faces, options.window, options.first_verdict)
    faces = tuple(_face(record, enough, policy) for record in analysis.faces)
    decisive = most_suspicious(faces)
    duration = _duration(media, analysis)
    return Report(
        file=file,
        engine=engine,
        models=tuple(models),
        settings=settings,
        duration_s=duration,
        frames=_frames(media, plan, analysis, duration),
        analysed=analysis.analysed,
        verdict=decisive.verdict if decisive else "not_enough_evidence",
        probability=decisive.probability if decisive else None,
        faces=faces,
        provenance=provenance,
        media=_described(media, duration),
        left_out=tuple(_left_out(media, plan, analysis, duration, max_faces)),
    )


def _face(record: FaceRecord, enough: int, policy: VerdictPolicy) -> FaceReport:
    timeline = tuple((time, probability) for time, probability, _ in record.scores)
    stretches = tuple(suspicious_stretches(timeline, policy.fake))
    probability = robust([value for _, value in timeline])
    reasons: tuple[str, ...] = ()
    members: dict[str, float] = {}
    if probability is None or record.good < enough:
        probability, verdict = None, "not_enough_evidence"
        reasons = _obstacles(record)
    else:
        verdict = decide(probability, policy)
        members = _members(record)
        # Much of a face may be untouched and one passage of it replaced: no clean bill then.
        if verdict == "likely_real" and any(b - a >= SUSTAINED for a, b in stretches):
            verdict = "unsure"
    return FaceReport(
        track=record.number,
        first_s=record.first,
        last_s=record.last,
        box=_median_box(record),
        samples=record.good,
        probability=probability,
        verdict=verdict,  # type: ignore[arg-type]  # the literals above are verdicts
        reasons=reasons,
        members=members,
        timeline=timeline,
        stretches=stretches,
        quality=_quality(record),
        pictures=tuple(
            Picture(shot.time, shot.jpeg, shot.probability, shot.reasons)
            for shot in record.gallery.telling()
        ),
    )


def _obstacles(record: FaceRecord) -> tuple[str, ...]:
    """The gates that kept the face from being judged, most frequent first."""
    common = [code for code, count in record.failed.most_common() if 4 * count >= record.looks]
    return tuple(common) or ("few_samples",)


def _members(record: FaceRecord) -> dict[str, float]:
    names = record.scores[0][2]
    summed = {name: robust([members[name] for _, _, members in record.scores]) for name in names}
    return {name: value for name, value in summed.items() if value is not None}


def _median_box(record: FaceRecord) -> tuple[float, float, float, float]:
    left, top, width, height = (float(v) for v in np.median(np.array(record.boxes), axis=0))
    return left, top, width, height


def _quality(record: FaceRecord) -> QualitySummary | None:
    if not record.qualities:
        return None
    measured = {
        name: float(np.median([getattr(quality, name) for quality in record.qualities]))
        for name in ("size", "sharpness", "brightness", "blockiness")
    }
    yaw = float(np.median([abs(quality.yaw) for quality in record.qualities]))
    return QualitySummary(
        **measured, yaw=yaw, looks=record.looks, refused=tuple(record.failed.most_common())
    )


def _duration(media: MediaInfo, analysis: Analysis) -> float:
    last = max((counts.last for counts in analysis.counts), default=0.0)
    if media.duration is None:
        return last + (1 / media.rate if media.rate else 0.0)
    return media.duration


def _frames(media: MediaInfo, plan: Plan, analysis: Analysis, duration: float) -> int:
    if media.frames:
        return media.frames
    passed = sum(counts.passed for counts in analysis.counts)
    one_reader = plan.whole and len(plan.readers) == 1
    return passed if one_reader else max(round(duration * media.rate), analysis.analysed)


def _described(media: MediaInfo, duration: float) -> dict[str, str]:
    facts = {"Kind": media.kind, "Format": media.form, "Size": f"{media.width}x{media.height}"}
    if media.kind != "picture":
        facts["Length"] = clock(duration)
        facts["Frame rate"] = f"{media.rate:.4g} per second on average"
    if media.rotation:
        facts["Orientation"] = "turned upright as the file asks for"
    if media.hdr:
        facts["Colour"] = "high dynamic range, converted to standard range before the analysis"
    return facts


def _left_out(
    media: MediaInfo, plan: Plan, analysis: Analysis, duration: float, max_faces: int
) -> list[str]:
    """What was not analysed, in sentences."""
    found = ["The sound, and whether the whole scene was generated, were not judged."]
    if not plan.whole:
        stretches = sum(len(reader) for reader in plan.readers)
        found.append(
            f"The file is longer than the budget of {plan.samples} samples:"
            f" {stretches} stretches, {clock(plan.seconds)} in all of {clock(duration)}, spread"
            " evenly over it, were analysed. The rest was not looked at."
        )
    if analysis.exhausted and plan.whole:
        found.append(
            f"The file does not say how long it is; after {plan.samples} samples the analysis"
            " stopped. What follows was not looked at."
        )
    last = max((counts.last for counts in analysis.counts), default=0.0)
    missing = (media.duration or 0.0) - last
    if media.kind != "picture" and plan.whole and missing > max(1.0, 0.05 * (media.duration or 0)):
        found.append(
            f"The file says it lasts {clock(media.duration or 0)}, but nothing could be read after"
            f" {clock(last)}: it breaks off."
        )
    damaged = sum(counts.damaged for counts in analysis.counts)
    if damaged:
        found.append(f"{damaged} damaged pieces of the video could not be decoded.")
    if analysis.crowded:
        found.append(
            f"Up to {analysis.crowded + max_faces} faces were in the picture at once;"
            f" the {max_faces} largest were followed."
        )
    if media.kind == "picture":
        found.append(
            "A single picture shows no movement, so it carries less evidence than a video."
        )
    elif math.isfinite(duration) and not analysis.faces and plan.whole:
        found.append("Faces smaller than about 60 pixels are not found.")
    return found
