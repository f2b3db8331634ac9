"""What is seen of every face of one file, collected while it goes by."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

import numpy as np

from stream_server.face_look import Look
from stream_server.scan.faces.gallery import Gallery
from stream_server.stream import Face
from stream_server.vision.quality import Quality
from stream_server.vision.types import Floats

_SIGNATURES = 8
_SIGNATURE_EVERY = 1.0  # seconds


@dataclass
class FaceRecord:
    """One face. Times are in seconds, boxes in fractions of the frame (left, top, width, height).

    ``scores`` holds time, smoothed probability and the members' own; ``seen`` the boxes by time,
    those of a reader's lead too; ``signatures`` are looks to know the face by; ``parts``
    are the starts of the stretches of the file that it was seen in.
    """

    number: int
    first: float
    last: float
    boxes: list[tuple[float, float, float, float]] = field(default_factory=list)
    seen: dict[float, tuple[float, float, float, float]] = field(default_factory=dict)
    scores: list[tuple[float, float, dict[str, float]]] = field(default_factory=list)
    looks: int = 0
    good: int = 0
    failed: Counter[str] = field(default_factory=Counter)
    qualities: list[Quality] = field(default_factory=list)
    signatures: list[Floats] = field(default_factory=list)
    gallery: Gallery = field(default_factory=Gallery)
    spans: list[tuple[float, float]] = field(default_factory=list)
    parts: set[float] = field(default_factory=set)

    def absorb(self, later: FaceRecord) -> None:
        """Take over what another track saw of the same face."""
        self.first, self.last = min(self.first, later.first), max(self.last, later.last)
        self.boxes += later.boxes
        self.seen.update(later.seen)
        self.scores = sorted(self.scores + later.scores, key=lambda score: score[0])
        self.looks += later.looks
        self.good += later.good
        self.failed += later.failed
        self.qualities += later.qualities
        both = self.signatures + later.signatures
        self.signatures = both[:: max(len(both) // _SIGNATURES, 1)][:_SIGNATURES]
        self.gallery.merge(later.gallery)
        self.spans = sorted(self.spans + later.spans)
        self.parts |= later.parts


class Album:
    """Collects the faces that one reader's stream sees.

    ``every`` is the time between two scores of a face, in seconds.
    """

    def __init__(self, every: float) -> None:
        self.faces: dict[int, FaceRecord] = {}
        self.lead = 0.0
        self.part = 0.0
        self._every = every
        self._pending: dict[int, Look] = {}

    def looked(self, look: Look) -> None:
        """Note a look at a face of the frame that ``saw`` will tell of."""
        self._pending[look.track] = look

    def saw(self, time: float, faces: list[Face], looks: dict[int, Floats]) -> None:
        """Note a frame's faces; ``looks`` are the signatures of their tracks."""
        pending, self._pending = self._pending, {}
        for face in faces:
            record = self.faces.get(face.track)
            if record is None:
                record = self.faces[face.track] = FaceRecord(face.track, time, time)
                record.spans.append((time, time))
                record.parts.add(self.part)
            record.seen[time] = face.box
            self._know(record, time, looks.get(face.track))
            if time < self.lead:
                record.first = record.last = time
                record.spans = [(time, time)]
                continue
            self._note(record, time, face, pending.get(face.track))

    def _note(
        self,
        record: FaceRecord,
        time: float,
        face: Face,
        look: Look | None,
    ) -> None:
        record.last = time
        record.spans[-1] = (record.spans[-1][0], time)
        record.boxes.append(face.box)
        if look is None:
            return
        record.looks += 1
        record.good += not look.reasons
        record.failed.update(look.reasons)
        record.qualities.append(look.quality)
        waited = time - (record.scores[-1][0] if record.scores else -np.inf)
        if face.probability is not None and waited >= self._every - 0.02:
            record.scores.append((time, face.probability, face.members))
            whole = None if look.reasons else look
            record.gallery.add(time, look.crop, face.probability, look=whole)
        elif look.reasons:
            record.gallery.add(time, look.crop, None, look.reasons)

    def _know(self, record: FaceRecord, time: float, looks: Floats | None) -> None:
        if looks is None or len(record.signatures) >= _SIGNATURES:
            return
        if time - record.first >= len(record.signatures) * _SIGNATURE_EVERY:
            record.signatures.append(looks)
