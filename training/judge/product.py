"""What the product itself says of labelled videos: the whole way from file to verdict.

The evaluate step judges crops that were extracted beforehand; here the same videos go through
``fakelight scan`` as it is when nobody chooses anything, so that what is abstained on, and what is
lost on the way, shows.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any

import numpy as np

from stream_server.engine.fingerprint import fingerprint
from stream_server.scan.options import ScanOptions
from stream_server.scan.scanner import Scanner
from training.data.layouts import Item
from training.judge.metrics import auc, calibration_figures, interval

_DECIDING = {
    "sample_hz", "verdict_hz", "first_verdict", "scan_samples",
    "detect_every", "detect_side", "min_face", "max_faces",
}  # fmt: skip
_DECIDED = ("likely_fake", "likely_real", "unsure")


@dataclass(frozen=True)
class Judgement:
    """One video. ``face_px`` is the longer side of its decisive face's box, the median over the
    video, in pixels of the picture that was judged; 0 where no face was found."""

    name: str
    dataset: str
    method: str
    label: str
    group: str
    face_px: float
    verdict: str
    probability: float | None
    reasons: tuple[str, ...]


async def judge(scanner: Scanner, item: Item) -> Judgement:
    """What a scan says of one video, told nothing but which part of the picture to look at.

    Raises ``ValueError`` where it cannot be analysed.
    """
    options = ScanOptions.chosen(scanner.settings, region=item.region)
    report = await scanner.scan(item.path, item.name, options)
    if report.error is not None:
        raise ValueError(str(report.error["detail"]))
    sizes = [face.quality.size for face in report.faces if face.quality is not None]
    reasons = sorted({reason for face in report.faces for reason in face.reasons})
    return Judgement(
        item.name, item.dataset, item.method, item.label,
        item.identities[0] if item.identities else item.name,
        max(sizes, default=0.0), report.verdict, report.probability, tuple(reasons),
    )  # fmt: skip


def stamp_of(scanner: Scanner) -> str:
    """What the judgements depend on besides the videos: the networks and a scan's settings."""
    settings = scanner.settings
    chosen = settings.model_dump(mode="json", include=_DECIDING)
    digest = hashlib.sha256(json.dumps(chosen, sort_keys=True).encode())
    digest.update(repr(ScanOptions.chosen(settings)).encode())
    digest.update(fingerprint(settings.models).encode())
    return digest.hexdigest()[:16]


def figures(rows: Sequence[Judgement], least_px: float = 64.0) -> dict[str, Any]:
    """Coverage, verdicts per group, AUC by video, and what abstaining leaves out.

    Coverage counts videos whose face is ``least_px`` or more; a video in which no face was found
    counts as not covered.
    """
    result: dict[str, Any] = {"videos": len(rows), "least_px": least_px}
    large = [row for row in rows if row.face_px >= least_px or row.face_px == 0]
    covered = [row for row in large if row.verdict in _DECIDED]
    result["coverage"] = {"of": len(large), "covered": len(covered)}
    known = [row for row in rows if row.probability is not None]
    reals = [row for row in known if row.label == "real"]
    flagged = [row for row in reals if row.verdict == "likely_fake"]
    groups = [row.group for row in reals]
    share = [row.verdict != "likely_fake" for row in reals]
    result["real_not_flagged"] = {
        "of": len(reals),
        "share": 1 - len(flagged) / len(reals) if reals else None,
        "interval": interval(lambda rows: float(np.mean([share[n] for n in rows])), groups)
        if reals
        else None,
    }
    labels = np.array([row.label == "fake" for row in known])
    values = np.array([row.probability for row in known], np.float64)
    result |= calibration_figures(labels, values) if len(known) else {"ece": None}
    both = labels.any() and not labels.all()
    result["auc"] = auc(labels, values) if both else None
    result["groups"] = {name: _group(members) for name, members in _groups(known).items()}
    result["abstained"] = [asdict(row) for row in rows if row.verdict not in _DECIDED]
    decided = [row for row in known if row.verdict in ("likely_fake", "likely_real")]
    wrong = [row for row in decided if (row.verdict == "likely_fake") != (row.label == "fake")]
    unsure = [row for row in known if row.verdict == "unsure"]
    would = [row for row in unsure if ((row.probability or 0) >= 0.5) != (row.label == "fake")]
    result["decided"] = {"of": len(known), "decided": len(decided), "wrong": len(wrong)}
    result["unsure"] = {"of": len(unsure), "would_have_been_wrong": len(would)}
    return result


def _groups(rows: Sequence[Judgement]) -> Mapping[str, list[Judgement]]:
    result: dict[str, list[Judgement]] = {}
    for row in rows:
        result.setdefault(row.dataset, []).append(row)
    for name in list(result):
        methods = {row.method for row in result[name] if row.label == "fake"}
        if len(methods) > 1:
            reals = [row for row in result[name] if row.label == "real"]
            for method in sorted(methods):
                result[f"{name} / {method}"] = reals + [
                    row for row in result[name] if row.method == method and row.label == "fake"
                ]
    return result


def _group(rows: Sequence[Judgement]) -> dict[str, Any]:
    labels = np.array([row.label == "fake" for row in rows])
    values = np.array([row.probability for row in rows], np.float64)
    both = labels.any() and not labels.all()
    verdicts = {
        f"{kind} {verdict}": sum(row.label == kind and row.verdict == verdict for row in rows)
        for kind in ("real", "fake")
        for verdict in ("likely_fake", "unsure", "likely_real")
    }
    return {
        "real": int((~labels).sum()),
        "fake": int(labels.sum()),
        "auc": auc(labels, values) if both else None,
        "interval": interval(lambda n: auc(labels[n], values[n]), [row.group for row in rows])
        if both
        else None,
        "median_probability": {
            kind: median(
                float(value) for value, fake in zip(values, labels, strict=True) if fake == truth
            )
            for kind, truth in (("real", False), ("fake", True))
            if (labels == truth).any()
        },
        "verdicts": {name: count for name, count in verdicts.items() if count},
    }
