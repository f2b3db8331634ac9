"""Tracking on made clips: identity switches and missed cuts are counted, not guessed at."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import cv2
import numpy as np
import pytest

from stream_server.vision.detect import FaceDetector
from stream_server.vision.face_tracker import FaceTracker
from stream_server.vision.views import Sight
from tests.support.cut_outs import SIZE, sight
from tests.support.faces import backdrop, other_person, paste, person

STEP = 0.1


@pytest.fixture(scope="module")
def detector() -> FaceDetector:
    return FaceDetector(min_face=40)


@pytest.fixture
def tracker(detector: FaceDetector) -> FaceTracker:
    return FaceTracker(detector)


def centre_x(track: Any) -> float:
    return float(track.box[0] + track.box[2]) / 2


def test_one_moving_face_is_one_track(tracker: FaceTracker) -> None:
    seen = []
    for i in range(40):
        place = (200 + 6 * i, 180 + 20 * np.sin(i / 5))
        frame = paste(backdrop(), person(), place, 230 + 40 * np.sin(i / 9))
        tracks = tracker.update(frame, i * STEP)
        assert len(tracks) == 1, f"frame {i}"
        assert abs(centre_x(tracks[0]) - place[0]) < 20
        seen.append(tracks[0].id)
    assert set(seen) == {1}


def test_a_still_face_keeps_a_still_box(tracker: FaceTracker) -> None:
    rng = np.random.default_rng(0)
    frame = paste(backdrop(), person(), (320, 180), 240)
    boxes = []
    for i in range(30):
        noise = rng.normal(0, 6, frame.shape)
        noisy = np.clip(frame + noise, 0, 255).astype(np.uint8)
        boxes.append(tracker.update(noisy, i * STEP)[0].box)
    steps = np.abs(np.diff(np.array(boxes[5:]), axis=0))
    assert steps.mean() < 0.8 and steps.max() < 4  # pixels, of a face 150 px wide


def _in_front(frame: Any, head: Any, centre: tuple[int, int], height: int) -> Any:
    """``head`` before what ``frame`` shows: its face alone, for its picture has a background."""
    scale = height / 240
    middle = (centre[0], int(centre[1] - 12 * scale))
    mask = np.zeros(frame.shape[:2], np.uint8)
    cv2.ellipse(mask, middle, (int(44 * scale), int(64 * scale)), 0, 0, 360, 255, -1)
    return np.where(mask[..., None] > 0, paste(frame, head, centre, height), frame)


@pytest.mark.parametrize(("place", "height"), [((310, 150), 240), ((300, 200), 150)])
def test_a_face_that_comes_before_another_does_not_take_its_track(
    tracker: FaceTracker, place: tuple[int, int], height: int
) -> None:
    told = []
    for i in range(80):
        frame = paste(backdrop(), person(), (280, 180), 240)
        if i >= 20:
            frame = _in_front(frame, other_person(), place, height)
        told.append([track.id for track in tracker.update(frame, i * STEP)])
    assert told[25:] == [[1, 2]] * 55


def test_two_faces_that_cross_keep_their_tracks(detector: FaceDetector) -> None:
    switches = 0
    for speed in (10, 16):
        tracker = FaceTracker(detector)
        last: dict[int, float] = {}
        for i in range(int(440 / speed)):
            ours, theirs = 100 + speed * i, 540 - speed * i
            frame = paste(backdrop(), other_person(), (theirs, 130), 180)
            frame = paste(frame, person(), (ours, 210), 180)
            for track in tracker.update(frame, i * STEP):
                x = centre_x(track)
                of = "ours" if abs(x - ours) < abs(x - theirs) else "theirs"
                if abs(ours - theirs) < 120:
                    continue  # they hide one another: either answer is fair
                switches += last.setdefault(track.id, of) != of
    assert switches == 0


@pytest.mark.parametrize("same_backdrop", [True, False])
def test_a_cut_never_leaves_two_people_in_one_track(
    detector: FaceDetector, same_backdrop: bool
) -> None:
    """Twelve cuts between two people, half of them in front of the same wall."""
    tracker = FaceTracker(detector)
    owner: dict[int, str] = {}
    mixed = missed = 0
    last_ids: set[int] = set()
    time = 0.0
    for shot in range(12):
        name, head = (("a", person()), ("b", other_person()))[shot % 2]
        wall = backdrop(seed=0 if same_backdrop else shot)
        for i in range(6):
            frame = paste(wall, head, (320 + i, 180), 240)
            tracks = tracker.update(frame, time)
            time += STEP
            ids = {track.id for track in tracks}
            missed += i == 0 and shot > 0 and bool(ids & last_ids)
            for number in ids:
                mixed += owner.setdefault(number, name) != name
            last_ids = ids
    assert (mixed, missed) == (0, 0)


def test_a_track_that_was_handed_out_never_becomes_someone_elses(tracker: FaceTracker) -> None:
    for i in range(4):
        (first,) = tracker.update(paste(backdrop(), person(), (320 + i, 180), 240), i * STEP)
    looks = first.signature
    for i in range(4, 8):
        (second,) = tracker.update(paste(backdrop(), other_person(), (320 + i, 180), 240), i * STEP)
    assert (first.id, second.id) == (1, 2)
    assert first.signature is looks


def test_pans_zooms_and_light_are_no_cuts(tracker: FaceTracker) -> None:
    wide = cv2.resize(backdrop(), (1280, 720), interpolation=cv2.INTER_CUBIC)
    wide = paste(wide, person(), (640, 360), 300)
    for i in range(30):
        left, top = 200 + 8 * i, 150 + 2 * i
        view = wide[top : top + 400, left : left + 700].astype(np.float32)
        lit = np.clip(view * (1 + 0.3 * np.sin(i / 6)), 0, 255).astype(np.uint8)
        tracker.update(lit, i * STEP)
    assert {track.id for track in tracker.tracks} == {1}


def test_a_new_resolution_keeps_the_track(tracker: FaceTracker) -> None:
    frame = paste(backdrop(), person(), (320, 180), 240)
    for i in range(6):
        tracker.update(frame, i * STEP)
    half = cv2.resize(frame, (320, 180), interpolation=cv2.INTER_AREA)
    for i in range(6, 12):
        tracks = tracker.update(half, i * STEP)
    assert [track.id for track in tracks] == [1]
    assert abs(centre_x(tracks[0]) - 160) < 10


def test_a_face_that_leaves_ends_its_track_and_returns_as_another(tracker: FaceTracker) -> None:
    empty = backdrop()
    frame = paste(empty, person(), (320, 180), 240)
    for i in range(5):
        tracker.update(frame, i * STEP)
    for i in range(5, 20):
        assert tracker.update(empty, i * STEP) == []
    assert tracker.tracks == []
    assert [track.id for track in tracker.update(frame, 2.5)] == [2]


def test_a_search_waits_for_one_busy_moment_and_no_longer(
    tracker: FaceTracker, monkeypatch: pytest.MonkeyPatch
) -> None:
    frame = paste(backdrop(), person(), (320, 180), 240)
    for number in range(20):
        tracker.follow(Sight.of(frame), number / 10)
    searched: list[int] = []
    whole = tracker._search.whole
    monkeypatch.setattr(
        tracker._search,
        "whole",
        lambda *a: (searched.append(number), whole(*a))[1],  # type: ignore[func-returns-value]
    )
    number = 20  # two seconds after the first search
    tracker.follow(Sight.of(frame), 2.0, busy=True)
    assert searched == []
    number = 21
    tracker.follow(Sight.of(frame), 2.1, busy=True)
    assert searched == [21]


def test_a_gap_in_time_ends_tracks(tracker: FaceTracker) -> None:
    frame = paste(backdrop(), person(), (320, 180), 240)
    tracker.update(frame, 0.0)
    assert [track.id for track in tracker.update(frame, 60.0)] == [2]


def test_only_the_largest_faces_of_a_crowd_are_followed(detector: FaceDetector) -> None:
    tracker = FaceTracker(detector, max_faces=4)
    frame = backdrop(1280, 720)
    for row in range(3):
        for column in range(4):
            height = 210 if row == 1 else 150
            frame = paste(frame, person(), (170 + 310 * column, 120 + 240 * row), height)
    tracks = tracker.update(frame, 0.0)
    assert len(tracks) == 4 and tracker.crowded == 8
    assert all(abs(float(track.box[1] + track.box[3]) / 2 - 360) < 60 for track in tracks)


def test_time_that_runs_backwards_is_refused(tracker: FaceTracker) -> None:
    tracker.update(backdrop(), 5.0)
    with pytest.raises(ValueError, match=r"4\.0 comes after 5\.0"):
        tracker.update(backdrop(), 4.0)
    tracker.reset()
    tracker.update(backdrop(), 4.0)


def test_numbers_are_never_used_again(tracker: FaceTracker) -> None:
    frame = paste(backdrop(), person(), (320, 180), 240)
    ids = []
    for _ in range(3):
        ids += [track.id for track in tracker.update(frame, 0.0)]
        tracker.reset()
    assert all(first < second for first, second in pairwise(ids))


def video(place: tuple[float, float], height: float = 200) -> Any:
    return paste(backdrop(*SIZE), person(), place, height)


def wanted(image: Any, number: int, *parts: tuple[int, int, int]) -> Sight:
    """Cut-outs, and every tenth time the whole beside them."""
    return sight(image, *parts, whole=number % 10 == 0)


def test_a_face_is_followed_over_cut_outs_and_wholes(tracker: FaceTracker) -> None:
    ids = set()
    for i in range(40):
        place = (700 + 8 * i, 400 + 30 * np.sin(i / 6))
        left = 16 * round((place[0] - 200) / 64) * 4
        tracks = tracker.follow(wanted(video(place), i, (left, 208, 400)), i * STEP)
        assert len(tracks) == 1, f"frame {i}"
        assert abs(centre_x(tracks[0]) - place[0]) < 12
        ids.add(tracks[0].id)
    assert ids == {1}


def test_cut_outs_show_faces_that_the_whole_is_too_coarse_to_judge(tracker: FaceTracker) -> None:
    image = video((700, 400), 190)
    for i in range(12):
        tracks = tracker.follow(wanted(image, i, (600, 304, 208)), i * STEP)
    [track] = tracks
    fine = FaceTracker(tracker.detector, longest_side=1920).update(image, 0.0)[0]
    side = float(np.ptp(fine.box[1::2]))
    assert 64 < side < 128, "in a whole of half the size it is too small"
    assert np.abs(track.landmarks - fine.landmarks).max() < 0.06 * side


def test_what_no_picture_shows_is_there_until_the_whole_is_without_it(
    tracker: FaceTracker,
) -> None:
    both = paste(video((500, 400)), other_person(), (1400, 500), 220)
    tracker.follow(wanted(both, 0, (352, 208, 304), (1232, 320, 336)), 0.0)
    for i in range(1, 10):
        tracks = tracker.follow(wanted(both, i, (352, 208, 304)), i * STEP)
        assert {track.id for track in tracks} == {1, 2}
    for i in range(10, 12):
        tracks = tracker.follow(wanted(video((500, 400)), i, (352, 208, 304)), i * STEP)
    assert len(tracks) == 1 and abs(centre_x(tracks[0]) - 500) < 20


def test_without_any_whole_what_is_not_shown_is_given_up(tracker: FaceTracker) -> None:
    both = paste(video((500, 400)), other_person(), (1400, 500), 220)
    tracker.follow(wanted(both, 0, (352, 208, 304)), 0.0)
    for i in range(1, 45):
        tracks = tracker.follow(sight(both, (352, 208, 304)), i * STEP)
    assert len(tracks) == 1


def test_a_face_that_turns_up_in_a_cut_out_where_one_was_lost_is_found(
    tracker: FaceTracker,
) -> None:
    part = (352, 208, 304)
    tracker.follow(wanted(video((500, 370)), 0, part), 0.0)
    for i in range(1, 3):
        assert tracker.follow(sight(backdrop(*SIZE), part), i * STEP) == []
    tracks = [tracker.follow(sight(video((500, 370)), part), i * STEP) for i in range(3, 6)]
    assert len(tracks[-1]) == 1


def test_another_person_in_the_same_cut_out_is_another_track(tracker: FaceTracker) -> None:
    part = (352, 208, 304)
    for i in range(4):
        tracker.follow(wanted(video((500, 370)), i, part), i * STEP)
    cut = paste(backdrop(*SIZE, seed=3), other_person(), (500, 370), 200)
    found = [tracker.follow(sight(cut, part), i * STEP) for i in range(4, 8)]
    assert {track.id for tracks in found for track in tracks}.isdisjoint({1})
    assert [track.id for track in tracker.follow(wanted(cut, 10, part), 0.9)] != [1]


def test_a_cut_in_one_half_of_a_split_screen_leaves_the_face_in_the_other(
    tracker: FaceTracker,
) -> None:
    large, small = (240, 160, 480), (1248, 320, 336)
    other = paste(backdrop(*SIZE), other_person(), (1416, 488), 200)
    scenes = [paste(backdrop(*SIZE, seed=seed), person(), (480, 400), 300) for seed in (0, 7)]
    split = [np.hstack((scene[:, :960], other[:, 960:])) for scene in scenes]
    for i in range(5):
        before = tracker.follow(wanted(split[0], i, large, small), i * STEP)
    cut = tracker.follow(sight(split[1], large, small), 5 * STEP)
    after = tracker.follow(wanted(split[1], 0, large, small), 6 * STEP)
    left, right = sorted(before, key=centre_x)
    assert [track.id for track in cut] == [right.id]
    assert len(after) == 2 and right.id in {track.id for track in after}
    assert left.id not in {track.id for track in after}
    # A flash over there hides nothing here, and ends nothing there.
    flash = np.hstack((np.full_like(split[1][:, :960], 255), other[:, 960:]))
    known = {track.id for track in after}
    lit = tracker.follow(sight(flash, large, small), 7 * STEP)
    assert [track.id for track in lit] == [right.id]
    assert {one.id for one in tracker.follow(sight(split[1], large, small), 8 * STEP)} == known


def test_wholes_that_come_late_end_no_track_that_cut_outs_follow(tracker: FaceTracker) -> None:
    """A camera that pans changes the whole within a second as much as a cut does."""
    wide = cv2.resize(backdrop(seed=2), (4 * SIZE[0], SIZE[1]), interpolation=cv2.INTER_CUBIC)
    for i in range(40):
        pan = wide[:, 120 * i : 120 * i + SIZE[0]]
        image = paste(pan, person(), (700, 400), 300)
        tracker.follow(wanted(image, i, (480, 208, 432)), i * STEP)
    assert {track.id for track in tracker.tracks} == {1}
