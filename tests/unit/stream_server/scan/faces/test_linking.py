from __future__ import annotations

from typing import Any

import numpy as np

from stream_server.scan.faces.album import FaceRecord
from stream_server.scan.faces.linking import linked
from stream_server.vision.identity import signature
from stream_server.vision.types import Image
from tests.support.faces import backdrop, other_person, paste, person

BOX = (0.4, 0.2, 0.2, 0.4)


def looks(head: Image, height: float) -> np.ndarray:
    frame = paste(backdrop(), head, (320, 180), height)
    scale = height / 260
    # The astronaut's landmarks in the head's own pixels, moved to where the head was pasted.
    points = np.array([[80, 110], [122, 110], [102, 138], [84, 158], [118, 158]], np.float32)
    return signature(frame, points * scale + np.array([320 - 110 * scale, 180 - 130 * scale]))


def face(
    first: float, last: float, head: Image, height: float = 240.0, box: Any = BOX
) -> FaceRecord:
    times = np.arange(first, last, 0.1)
    record = FaceRecord(7, first, last, boxes=[box], spans=[(first, last)], good=len(times))
    record.seen = {float(time): box for time in times}
    record.signatures = [looks(head, height)]
    record.parts = {first}
    return record


def test_over_a_gap_between_stretches_a_face_is_known_by_its_looks() -> None:
    found = linked([[face(0, 5, person()), face(90, 95, person(), 200.0)]], by_looks=True)
    assert len(found) == 1
    assert (found[0].first, found[0].last) == (0, 95)
    assert found[0].spans == [(0, 5), (90, 95)]


def test_somebody_else_in_the_same_place_stays_another_face() -> None:
    found = linked([[face(0, 5, person()), face(90, 95, other_person())]], by_looks=True)
    assert [record.number for record in found] == [1, 2]


def test_in_a_file_that_is_read_whole_a_cut_ends_a_face() -> None:
    assert len(linked([[face(0, 5, person()), face(6, 9, person())]])) == 2


def test_two_faces_of_one_stretch_are_two_however_alike() -> None:
    twins = [face(0, 5, person()), face(1, 5, person(), box=(0.7, 0.2, 0.2, 0.4))]
    for twin in twins:
        twin.parts = {0.0}
    assert len(linked([twins], by_looks=True)) == 2


def test_what_two_readers_saw_at_their_seam_is_one_face() -> None:
    early, late = face(0, 50, person()), face(50, 90, person())
    late.signatures = []
    late.seen = {49.0: BOX, 49.1: BOX, 49.9: BOX, 50.0: BOX}
    assert len(linked([[early], [late]])) == 1


def test_neighbours_at_the_seam_are_not_mixed_up() -> None:
    left, right = (0.1, 0.2, 0.2, 0.4), (0.7, 0.2, 0.2, 0.4)
    first = [face(0, 50, person(), box=left), face(0, 50, other_person(), box=right)]
    second = [face(50, 90, person(), box=right), face(50, 90, person(), box=left)]
    for record, box in zip(second, (right, left), strict=True):
        record.signatures = []
        record.seen = {49.5: box, 49.8: box, 50.0: box}
        record.boxes = [box]
    found = linked([first, second])
    assert [set(record.boxes) for record in found] == [{left}, {right}]


def test_a_face_of_the_lead_alone_is_not_reported() -> None:
    ghost = face(49, 49.5, person())
    ghost.boxes, ghost.signatures = [], []
    assert linked([[ghost]]) == []
