"""One face, several tracks: what our own way of reading a file tore apart is joined again.

Two readers share a seam, where both saw the same faces in the same places. Between the stretches of
a long file a face is known again by its looks, if they agree nearly pixel for pixel; where they do
not it stays two, which costs nothing but a second entry. A cut in the video itself ends a track:
what comes after it may be another person, or another take with other hands on it.
"""

from __future__ import annotations

import numpy as np

from stream_server.scan.faces.album import FaceRecord
from stream_server.vision.association import iou
from stream_server.vision.identity import likeness

_ALIKE = 0.9  # different people under the same light reach 0.84
_OVERLAP = 0.5
_TOGETHER = 0.15  # seconds within which two readers saw the same moment


def linked(shares: list[list[FaceRecord]], by_looks: bool = False) -> list[FaceRecord]:
    """The faces of all readers, joined and numbered anew in the order of their first sight.

    ``shares`` is one list of records per reader, in the order of time; ``by_looks`` joins over the
    gaps between stretches too.
    """
    faces: list[FaceRecord] = []
    for share in shares:
        earlier = len(faces)
        taken: set[int] = set()
        for record in sorted(share, key=lambda r: r.first):
            match = _match(record, faces, earlier, taken, by_looks)
            if match is None:
                faces.append(record)
            else:
                faces[match].absorb(record)
    kept = sorted((face for face in faces if face.boxes), key=lambda face: face.first)
    for number, face in enumerate(kept, start=1):
        face.number = number
    return kept


def _match(
    record: FaceRecord,
    faces: list[FaceRecord],
    earlier: int,
    taken: set[int],
    by_looks: bool,
) -> int | None:
    # The first ``earlier`` faces are other readers'; their end overlaps with this one's lead.
    for index, face in enumerate(faces[:earlier]):
        if index not in taken and _same_place(face, record):
            taken.add(index)
            return index
    best, found = _ALIKE, None
    for index, face in enumerate(faces if by_looks else ()):
        if face.parts & record.parts:
            continue
        alike = _likeness(face, record)
        if alike >= best:
            best, found = alike, index
    return found


def _same_place(face: FaceRecord, record: FaceRecord) -> bool:
    """Whether two readers saw both at one moment in one place."""
    if record.first > face.last + _TOGETHER or not record.seen:
        return False
    times = [time for time in list(record.seen)[:40] if time <= face.last + _TOGETHER]
    hits = 0
    for time in times:
        near = [t for t in list(face.seen)[-40:] if abs(t - time) <= _TOGETHER]
        if near:
            closest = min(near, key=lambda t: abs(t - time))
            hits += _shared(face.seen[closest], record.seen[time]) >= _OVERLAP
    return hits > 0 and 2 * hits >= len(times)


def _shared(first: tuple[float, ...], second: tuple[float, ...]) -> float:
    boxes = np.array([first, second], np.float32)
    boxes[:, 2:] += boxes[:, :2]
    return float(iou(boxes[:1], boxes[1:])[0, 0])


def _likeness(face: FaceRecord, record: FaceRecord) -> float:
    pairs = [likeness(a, b) for a in face.signatures for b in record.signatures]
    return max(pairs, default=0.0)
