"""One face, several tracks: what a cut, a jump in time or two readers tore apart is joined again.

Only a near pixel-for-pixel likeness joins, so two people never become one; a face that is not
recognised stays two, which costs nothing but a second entry in the report.
"""

from __future__ import annotations

import numpy as np

from stream_server.scan.album import FaceRecord
from stream_server.vision.association import iou
from stream_server.vision.identity import likeness

_ALIKE = 0.8
_OVERLAP = 0.5
_TOGETHER = 0.15  # seconds within which two readers saw the same moment


def linked(shares: list[list[FaceRecord]]) -> list[FaceRecord]:
    """The faces of all readers, joined and numbered anew in the order of their first sight.

    ``shares`` is one list of records per reader, in the order of time.
    """
    faces: list[FaceRecord] = []
    for share in shares:
        taken: set[int] = set()
        for record in sorted(share, key=lambda r: r.first):
            match = _match(record, faces, taken)
            if match is None:
                faces.append(record)
            else:
                faces[match].absorb(record)
    kept = sorted((face for face in faces if face.boxes), key=lambda face: face.first)
    for number, face in enumerate(kept, start=1):
        face.number = number
    return kept


def _match(record: FaceRecord, faces: list[FaceRecord], taken: set[int]) -> int | None:
    for index, face in enumerate(faces):
        if index not in taken and _same_place(face, record):
            taken.add(index)
            return index
    best, found = _ALIKE, None
    for index, face in enumerate(faces):
        if _overlap_in_time(face, record):
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


def _overlap_in_time(face: FaceRecord, record: FaceRecord) -> bool:
    return any(start <= record.last and end >= record.first for start, end in face.spans)


def _likeness(face: FaceRecord, record: FaceRecord) -> float:
    pairs = [likeness(a, b) for a in face.signatures for b in record.signatures]
    return max(pairs, default=0.0)
