"""A scan's report: the fields of the contract, and what the HTML page tells beside them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from stream_server.verdict import Verdict

_SEVERITY: dict[Verdict, int] = {
    "gathering": 0,
    "not_enough_evidence": 0,
    "likely_real": 1,
    "unsure": 2,
    "likely_fake": 3,
}


@dataclass(frozen=True)
class Picture:
    """A face crop for the contact sheet: JPEG bytes, ``time`` in seconds."""

    time: float
    jpeg: bytes
    probability: float | None
    reasons: tuple[str, ...]


@dataclass(frozen=True)
class Explanation:
    """Where the evidence lies at one moment: ``time`` in seconds, and the crop's heat map.

    ``heat`` is a grid over the aligned face crop, rows from the top, 0 to 1. ``corners`` is where
    the crop lies in fractions of the frame, from its top left clockwise. ``crop`` and ``over``
    are JPEG bytes, the crop and the crop with the heat over it.
    """

    time: float
    probability: float
    heat: tuple[tuple[float, ...], ...]
    corners: tuple[tuple[float, float], ...]
    members: tuple[str, ...]
    crop: bytes = b""
    over: bytes = b""

    def as_json(self) -> dict[str, Any]:
        return {
            "time_s": round(self.time, 3),
            "probability": round(self.probability, 4),
            "corners": [[round(edge, 5) for edge in corner] for corner in self.corners],
            "heat": [[round(value, 3) for value in row] for row in self.heat],
            "members": list(self.members),
        }


@dataclass(frozen=True)
class QualitySummary:
    """Medians over the looks at a face, in the units of ``vision.quality.QualityLimits``."""

    size: float
    sharpness: float
    yaw: float
    brightness: float
    blockiness: float
    looks: int
    refused: tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class FaceReport:
    """One face over the whole file. ``box`` is left, top, width, height in fractions.

    ``stretches`` are the times in which it looked manipulated, in seconds.
    """

    track: int
    first_s: float
    last_s: float
    box: tuple[float, float, float, float]
    samples: int
    probability: float | None
    verdict: Verdict
    reasons: tuple[str, ...]
    members: dict[str, float]
    timeline: tuple[tuple[float, float], ...]
    stretches: tuple[tuple[float, float], ...] = ()
    quality: QualitySummary | None = None
    pictures: tuple[Picture, ...] = ()
    explanations: tuple[Explanation, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """The face as the contract has it, and ``explanations`` where there are any."""
        told: dict[str, Any] = {
            "track": self.track,
            "first_s": round(self.first_s, 3),
            "last_s": round(self.last_s, 3),
            "box": [round(edge, 5) for edge in self.box],
            "samples": self.samples,
            "probability": _rounded(self.probability),
            "verdict": self.verdict,
            "reasons": list(self.reasons),
            "members": {name: round(value, 4) for name, value in self.members.items()},
            "timeline": [[round(time, 3), round(value, 4)] for time, value in self.timeline],
        }
        if self.explanations:
            told["explanations"] = [one.as_json() for one in self.explanations]
        return told


@dataclass(frozen=True)
class Report:
    """One file. ``error`` is a problem document (RFC 9457) where it could not be analysed.

    ``media`` and ``left_out`` are told to people: what kind of file it is, and in whole sentences
    what was not looked at.
    """

    file: str
    engine: str
    models: tuple[str, ...]
    settings: dict[str, Any]
    duration_s: float = 0.0
    frames: int = 0
    analysed: int = 0
    verdict: Verdict = "not_enough_evidence"
    probability: float | None = None
    faces: tuple[FaceReport, ...] = ()
    provenance: dict[str, Any] = field(default_factory=dict)
    error: dict[str, Any] | None = None
    media: dict[str, str] = field(default_factory=dict)
    left_out: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """The report as the contract has it."""
        return {
            "file": self.file,
            "duration_s": round(self.duration_s, 3),
            "frames": self.frames,
            "analysed": self.analysed,
            "verdict": self.verdict,
            "probability": _rounded(self.probability),
            "faces": [face.as_json() for face in self.faces],
            "provenance": self.provenance,
            "engine": self.engine,
            "models": list(self.models),
            "settings": self.settings | {"left_out": list(self.left_out)},
            "error": self.error,
        }


def most_suspicious(faces: Sequence[FaceReport]) -> FaceReport | None:
    """The face that decides for the file; ``None`` where none could be judged."""
    judged = [face for face in faces if face.probability is not None]
    return max(
        judged, key=lambda face: (_SEVERITY[face.verdict], face.probability or 0.0), default=None
    )


def at_least(verdict: Verdict, line: Verdict) -> bool:
    """Whether ``verdict`` is at or above ``line`` in suspicion."""
    return _SEVERITY[verdict] >= _SEVERITY[line]


def _rounded(probability: float | None) -> float | None:
    return None if probability is None else round(probability, 4)
