"""A scan's report: the fields of the contract, and what the HTML page tells beside them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from stream_server.accuracy import Accuracy
from stream_server.grounds import Ground
from stream_server.verdict import Verdict

Status = Literal["complete", "incomplete", "failed"]

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

    ``stretches`` are the times in which it looked manipulated, in seconds: half a window before
    the scores in ``timeline`` that say so, which come at its end. ``part`` names the
    stream or page that it is in, where a file has several. ``grounds`` are what the verdict rests
    on, what counted most first. ``still``: whether it is a single picture's. ``lines``: from where
    on it is called likely fake, and up to where likely real.
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
    part: str = ""
    grounds: tuple[Ground, ...] = ()
    still: bool = False
    lines: tuple[float, float] = (1.0, 0.0)

    def as_json(self) -> dict[str, Any]:
        """The face as the contract has it, ``part`` and ``explanations`` where there are any."""
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
            "grounds": [ground.as_json() for ground in self.grounds],
            "passages": [[round(start, 3), round(end, 3)] for start, end in self.stretches],
            "timeline": [[round(time, 3), round(value, 4)] for time, value in self.timeline],
        }
        if self.part:
            told["part"] = self.part
        if self.explanations:
            told["explanations"] = [one.as_json() for one in self.explanations]
        return told


@dataclass(frozen=True)
class LeftOut:
    """Something that was not looked at: ``what`` of the file, empty for a file of one part;
    ``code`` for programs and ``reason`` for people; how many ``seconds`` or ``pictures``."""

    what: str
    code: str
    reason: str
    seconds: float = 0.0
    pictures: int = 0

    def as_json(self) -> dict[str, Any]:
        return {
            "what": self.what,
            "code": self.code,
            "reason": self.reason,
            "seconds": round(self.seconds, 3),
            "pictures": self.pictures,
        }


@dataclass(frozen=True)
class Account:
    """All of a file: ``looked_at_s`` and what is in ``left_out`` add up to ``seconds``, of all
    that moves, and ``looked_at_pictures`` to ``pictures`` that stand alone."""

    seconds: float = 0.0
    looked_at_s: float = 0.0
    pictures: int = 0
    looked_at_pictures: int = 0
    left_out: tuple[LeftOut, ...] = ()

    @property
    def incomplete(self) -> bool:
        """Whether more than a little was not looked at: a second of a short file, 3 % of a long
        one, or one picture."""
        missing = self.seconds - self.looked_at_s
        return missing > max(1.0, 0.03 * self.seconds) or self.looked_at_pictures < self.pictures

    def as_json(self) -> dict[str, Any]:
        return {
            "seconds": round(self.seconds, 3),
            "looked_at_s": round(self.looked_at_s, 3),
            "pictures": self.pictures,
            "looked_at_pictures": self.looked_at_pictures,
            "left_out": [one.as_json() for one in self.left_out],
        }


@dataclass(frozen=True)
class Report:
    """One file. ``error`` is a problem document (RFC 9457) where it could not be analysed.

    ``account`` says how much of the file was looked at; where that is not nearly all of it the
    report is ``incomplete``.

    ``media`` and ``left_out`` are told to people: what kind of file it is, and in whole sentences
    what was not looked at. ``accuracy`` is how often the models were right where it was tried.
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
    account: Account = Account()
    accuracy: Accuracy | None = None

    @property
    def status(self) -> Status:
        """How much of the file the verdict speaks for."""
        if self.error is not None:
            return "failed"
        return "incomplete" if self.account.incomplete else "complete"

    def as_json(self) -> dict[str, Any]:
        """The report as the contract has it."""
        return {
            "file": self.file,
            "status": self.status,
            "duration_s": round(self.duration_s, 3),
            "frames": self.frames,
            "analysed": self.analysed,
            "verdict": self.verdict,
            "probability": _rounded(self.probability),
            "faces": [face.as_json() for face in self.faces],
            "provenance": self.provenance,
            "engine": self.engine,
            "models": list(self.models),
            "account": self.account.as_json(),
            "accuracy": self.accuracy and self.accuracy.as_json(),
            "settings": self.settings | {"left_out": list(self.left_out)},
            "error": self.error,
        }


def most_suspicious(faces: Sequence[FaceReport]) -> FaceReport | None:
    """The face that decides for the file; ``None`` where none could be judged.

    A video beside a picture speaks for both, where a face in it could be judged: then a picture
    may raise an alarm, and nothing else.
    """
    judged = [face for face in faces if face.probability is not None]
    moving = [face for face in judged if not face.still]
    flagged = [face for face in judged if face.verdict == "likely_fake"]
    return max(
        (moving and moving + flagged) or judged,
        key=lambda face: (_SEVERITY[face.verdict], face.probability or 0.0),
        default=None,
    )


def at_least(verdict: Verdict, line: Verdict) -> bool:
    """Whether ``verdict`` is at or above ``line`` in suspicion."""
    return _SEVERITY[verdict] >= _SEVERITY[line]


def _rounded(probability: float | None) -> float | None:
    return None if probability is None else round(probability, 4)
