"""From an analysis to its report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from stream_server.accuracy import Accuracy
from stream_server.ingest.files.media import Unread
from stream_server.languages import together, worded, worded_n
from stream_server.report.model import (
    Account,
    FaceReport,
    Picture,
    QualitySummary,
    Report,
    most_suspicious,
)
from stream_server.report.words import clock
from stream_server.scan.analysis import faces_at_once
from stream_server.scan.coverage import account, gaps_told
from stream_server.scan.faces.album import FaceRecord
from stream_server.scan.faces.verdict import (
    SUSTAINED,
    decide,
    enough_samples,
    passages,
    robust,
    suspicious_stretches,
)
from stream_server.scan.looking import PartLook
from stream_server.verdict import Verdict, VerdictPolicy


def build_report(
    file: str,
    looks: Sequence[PartLook],
    unread: Sequence[Unread],
    policy: VerdictPolicy,
    pictures: VerdictPolicy,
    *,
    engine: str,
    models: Sequence[str],
    settings: dict[str, Any],
    provenance: dict[str, Any],
    max_faces: int,
    accuracy: Accuracy | None,
) -> Report:
    """The report on ``file``: what came of its parts, at least one, and what could not be read.

    ``policy`` is for videos, ``pictures`` for single pictures; of both the settings tell the lines
    that decided. ``accuracy`` was measured on videos, and is not told of pictures alone.
    """
    faces: list[FaceReport] = []
    for look in looks:
        enough, still = _enough(look), _is_picture(look)
        rate = look.part.media.info.sampling_rate(look.options.sample_hz)
        for record in look.faces:
            record.number = len(faces) + 1
            own = pictures if still else policy
            face = _face(record, enough, own, look.options.window / rate)
            faces.append(replace(face, part=look.part.label, still=still, lines=own.lines))
    decisive = most_suspicious(faces)
    verdict: Verdict = decisive.verdict if decisive else "not_enough_evidence"
    probability = decisive.probability if decisive else None
    alone = all(map(_is_picture, looks))
    still = decisive.still if decisive else alone
    fake, real = (pictures if still else policy).lines
    judged = [face for face in faces if face.probability is not None]
    if all(face.still for face in judged) if judged else alone:
        accuracy = None
    brief = [face for face in faces if _fake_in_brief(face, policy)]
    if brief and verdict == "likely_real":
        # Too little to say that it is fake, and too much to say that nothing is.
        verdict = "unsure"
    accounted = account(looks, unread)
    if accounted.incomplete and (verdict == "likely_real" or _leans_real(decisive, pictures)):
        # What was not looked at may hold anything.
        verdict, probability = "not_enough_evidence", None
    return Report(
        file=file,
        engine=engine,
        models=tuple(models),
        settings=settings | {"threshold_fake": fake, "threshold_real": real},
        duration_s=max(_duration(look) for look in looks),
        frames=sum(_frames(look) for look in looks),
        analysed=sum(look.upright.analysed for look in looks),
        verdict=verdict,
        probability=probability,
        faces=tuple(faces),
        provenance=provenance,
        media=_described(looks),
        left_out=(*_left_out(looks, accounted, max_faces), *map(_told_of_brief, brief)),
        account=accounted,
        accuracy=accuracy,
    )


def _is_picture(look: PartLook) -> bool:
    return look.part.media.info.kind == "picture"


def _leans_real(decisive: FaceReport | None, pictures: VerdictPolicy) -> bool:
    """Whether a single picture decides and leans real: none need be called likely real."""
    if decisive is None or not decisive.still or decisive.verdict == "likely_fake":
        return False
    return (decisive.probability or 0.0) <= (pictures.real or 0.5)


def _enough(look: PartLook) -> int:
    if _is_picture(look):
        return 1
    return enough_samples(look.faces, look.options.window, look.options.first_verdict)


def _face(record: FaceRecord, enough: int, policy: VerdictPolicy, window: float) -> FaceReport:
    timeline = tuple((time, probability) for time, probability, _ in record.scores)
    stretches = suspicious_stretches(timeline, policy.fake)
    scored = [time for time, _ in timeline]
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
        grounds=policy.voting.grounds(members),
        timeline=timeline,
        stretches=tuple(passages(stretches, scored, record.spans, window)),
        quality=_quality(record),
        pictures=tuple(
            Picture(shot.time, shot.jpeg, shot.probability, shot.reasons)
            for shot in record.gallery.telling()
        ),
    )


def _fake_in_brief(face: FaceReport, policy: VerdictPolicy) -> bool:
    """Whether a face with too few samples for a verdict looked fake in those that it had."""
    seen = robust([value for _, value in face.timeline])
    few = face.verdict == "not_enough_evidence"
    return few and seen is not None and decide(seen, policy) == "likely_fake"


def _told_of_brief(face: FaceReport) -> str:
    return worded_n(
        "Face {number}, at {time}, looked manipulated in the {count} look that there was at it,"
        " which is too few to judge it by.",
        "Face {number}, at {time}, looked manipulated in the {count} looks that there were at it,"
        " which are too few to judge it by.",
        face.samples,
        number=face.track,
        time=clock(face.first_s),
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


def _duration(look: PartLook) -> float:
    media = look.part.media.info
    last = max((counts.last for counts in look.upright.counts), default=0.0)
    if media.duration is None:
        return last + (1 / media.rate if media.rate else 0.0)
    return media.duration


def _frames(look: PartLook) -> int:
    media, analysis, plan = look.part.media.info, look.upright, look.plan
    if media.frames:
        return media.frames
    passed = sum(counts.passed for counts in analysis.counts)
    one_reader = plan.whole and len(plan.readers) == 1
    estimate = round(_duration(look) * media.rate)
    return passed if one_reader else max(estimate, analysis.analysed)


def _described(looks: Sequence[PartLook]) -> dict[str, str]:
    """What kind of file it is; of several parts, the one that a player shows first."""
    look = looks[0]
    media = look.part.media.info
    facts = {
        "Kind": media.kind,
        "Format": media.form,
        "Size": f"{media.width}x{media.height}",
    }
    if len(looks) > 1:
        facts["Parts"] = together([one.part.label or worded("the first") for one in looks], by="; ")
    if media.kind != "picture":
        facts["Length"] = clock(_duration(look))
        facts["Frame rate"] = worded("{rate:.4g} per second on average", rate=float(media.rate))
    if media.rotation:
        facts["Orientation"] = worded("turned upright as the file asks for")
    if media.mirrored:
        facts["Orientation"] = worded("mirrored as the file asks for")
    if media.stretched:
        facts["Pixels"] = worded("not square in the file; made so before the analysis")
    if look.tiles > 1:
        facts["Tiles"] = worded("{count}, since it is a long strip", count=look.tiles)
    if media.hdr:
        facts["Colour"] = worded(
            "high dynamic range, converted to standard range before the analysis"
        )
    return facts


def _left_out(looks: Sequence[PartLook], accounted: Account, max_faces: int) -> list[str]:
    """What was not analysed, in sentences."""
    found: list[str] = [
        worded("The sound, and whether the whole scene was generated, were not judged.")
    ]
    for look in looks:
        found += [_told(look, line) for line in _of_part(look, accounted, max_faces)]
    own = {look.part.label for look in looks}
    found += [
        worded("{part!c} was not looked at: {reason}.", part=one.what, reason=one.reason)
        for one in accounted.left_out
        if one.what not in own
    ]
    if all(map(_is_picture, looks)):
        found.append(
            worded("A single picture shows no movement, so it carries less evidence than a video.")
        )
    return found


def _told(look: PartLook, line: str) -> str:
    label = look.part.label
    return worded("{part!c}: {line}", part=label, line=line) if label else line


def _of_part(look: PartLook, accounted: Account, max_faces: int) -> list[str]:
    media, plan, analysis = look.part.media.info, look.plan, look.upright
    duration = _duration(look)
    found: list[str] = []
    if not plan.whole:
        stretches = sum(len(reader) for reader in plan.readers)
        found.append(
            worded(
                "The file is longer than the budget of {samples} looks: {stretches} stretches,"
                " {time} in all of {whole}, spread evenly over it, were analysed. The rest was not"
                " looked at (FAKELIGHT_SCAN_SAMPLES raises the budget).",
                samples=plan.samples,
                stretches=stretches,
                time=clock(plan.seconds),
                whole=clock(duration),
            )
        )
    elif analysis.exhausted:
        found.append(worded("After {samples} looks the analysis stopped.", samples=plan.samples))
    found += [
        one.reason
        for one in accounted.left_out
        if one.what == look.part.label and one.code not in ("budget", "too_many_faces")
    ]
    damaged = sum(counts.damaged for counts in analysis.counts)
    if damaged:
        found.append(
            worded_n(
                "{count} damaged piece of the video could not be decoded.",
                "{count} damaged pieces of the video could not be decoded.",
                damaged,
            )
        )
    if analysis.crowded:
        limit = faces_at_once(look.part.media, max_faces)
        found.append(
            worded(
                "Up to {count} faces were in the picture at once; the {limit} largest were followed"
                " (FAKELIGHT_MAX_FACES).",
                count=analysis.crowded + limit,
                limit=limit,
            )
        )
    found += gaps_told(look)
    if look.turns:
        found.append(
            worded(
                "Faces stood on their side or upside down; there the pictures were turned before"
                " the analysis."
            )
        )
    if media.kind != "picture" and not look.faces and plan.whole:
        found.append(worded("Faces smaller than about 60 pixels are not found."))
    return found
