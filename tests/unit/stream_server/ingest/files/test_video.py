"""How a video is read: what is decoded, at which times, and what damage costs."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image as Pillow

from stream_server.ingest.files import tone
from stream_server.ingest.files.media import WHOLE, ReadCounts, Stretch
from stream_server.ingest.files.open import open_media
from stream_server.ingest.files.unusable import UnusableError
from stream_server.ingest.files.video import VideoFile
from stream_server.picture_limits import MAX_SIDE
from tests.support.scan_media import (
    every,
    moving_face,
    turn_metadata,
    without_faces,
    write_video,
)

LIMIT = 8192 * 8192


def read(path: Any, rate: float = 10.0, stretches: Any = WHOLE) -> Any:
    counts = ReadCounts()
    video = VideoFile(path, path.name, LIMIT)
    return [(s, f.media_time, f.image) for s, f in video.read(stretches, rate, counts)], counts


def times(found: Any) -> Any:
    return [round(time, 3) for _, time, _ in found]


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Any:
    path = tmp_path_factory.mktemp("clips") / "a.mp4"
    options = {"preset": "ultrafast", "bf": "2", "g": "30"}
    return write_video(path, without_faces(), every(30, 6), options=options)


def test_samples_come_in_the_rhythm_that_was_asked_for(clip: Any) -> None:
    found, counts = read(clip)
    assert len(found) == 60 and counts.passed == 180
    assert times(found)[:4] == [0.0, 0.1, 0.2, 0.3]
    assert times(read(clip, rate=2.0)[0])[:4] == [0.0, 0.4, 0.9, 1.4]


def test_pictures_that_no_other_picture_needs_are_not_decoded(clip: Any) -> None:
    found, counts = read(clip)
    assert counts.decoded < 0.75 * counts.passed
    assert len(found) == 60


def test_of_pictures_that_stand_alone_only_the_samples_are_decoded(tmp_path: Path) -> None:
    path = write_video(
        tmp_path / "a.mov", without_faces(), every(30, 4), codec="mjpeg", options={},
        pix_fmt="yuvj420p",
    )  # fmt: skip
    found, counts = read(path)
    assert len(found) == 40 and counts.passed == 120
    assert counts.decoded <= 45


def test_where_most_pictures_are_expendable_all_are_decoded(tmp_path: Path) -> None:
    options = {"preset": "ultrafast", "bf": "8", "b_strategy": "0", "x264-params": "b-pyramid=none"}
    path = write_video(tmp_path / "a.mp4", without_faces(), every(30, 6), options=options)
    found, counts = read(path)
    assert len(found) >= 54
    assert counts.decoded > 0.7 * counts.passed


def test_a_stretch_holds_only_its_own_frames(clip: Any) -> None:
    found, _ = read(clip, stretches=(Stretch(2.0, 3.0), Stretch(4.5, 5.0)))
    assert times(found)[0] == pytest.approx(2.0, abs=0.04)
    assert all(2 <= time < 3 or 4.5 <= time < 5 for time in times(found))
    assert len({stretch.start for stretch, _, _ in found}) == 2


def test_a_loose_stretch_starts_at_the_key_frame_before_and_keeps_its_length(clip: Any) -> None:
    found, counts = read(clip, stretches=(Stretch(2.5, 3.1, loose=True),))
    assert times(found)[0] == pytest.approx(2.0, abs=0.04)
    assert len(found) == 6
    assert counts.passed < 40


def test_large_frames_are_shrunk_and_small_ones_left_alone(tmp_path: Path) -> None:
    for size, expected in (((1280, 720), (540, 960)), ((320, 240), (240, 320))):
        path = write_video(tmp_path / f"{size[0]}.mp4", without_faces(size), every(10, 0.3))
        assert read(path)[0][0][2].shape[:2] == expected
    assert expected[1] <= MAX_SIDE


def test_damage_in_the_middle_costs_no_more_than_itself(tmp_path: Path) -> None:
    path = write_video(
        tmp_path / "a.avi", without_faces(), every(10, 5), codec="mjpeg", options={},
        pix_fmt="yuvj420p", rate=10,
    )  # fmt: skip
    content = bytearray(path.read_bytes())
    middle = content.index(b"\xff\xd8", len(content) // 2)
    content[middle : middle + 600] = bytes(600)
    path.write_bytes(content)
    found, counts = read(path)
    assert len(found) >= 47
    assert times(found)[-1] == pytest.approx(4.9, abs=0.05)
    assert counts.damaged or len(found) == 50


def test_times_count_from_the_first_frame(tmp_path: Path) -> None:
    late = [5 + t for t in every(10, 2)]
    path = write_video(tmp_path / "a.ts", without_faces(), late, rate=10)
    assert times(read(path)[0])[0] == 0.0


def test_a_frame_beyond_the_limit_is_refused(clip: Any) -> None:
    with pytest.raises(UnusableError, match="640x360 pixels; the limit is 1000") as error:
        VideoFile(clip, "a.mp4", 1000)
    assert error.value.status == 413


def test_heic_without_its_extra_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pillow_heif = pytest.importorskip("pillow_heif", reason="the extra 'heic' is not installed")
    pillow_heif.register_heif_opener()
    path = tmp_path / "a.heic"
    Pillow.fromarray(moving_face()(0.0)).save(path, "HEIF")
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    monkeypatch.delitem(Pillow.OPEN, "HEIF")
    with pytest.raises(UnusableError, match=r"pip install 'fakelight\[heic\]'"):
        open_media(path, "a.heic", LIMIT, LIMIT)


@pytest.mark.parametrize("transfer", [tone.PQ, tone.HLG])
def test_tone_mapping_keeps_order_and_reaches_no_white_early(transfer: Any) -> None:
    ramp = np.linspace(0, 65535, 512).astype(np.uint16)
    gray = np.repeat(ramp[None, :, None], 3, axis=2)
    mapped = tone.to_sdr(gray, transfer)[0, :, 1].astype(int)
    assert mapped[0] == 0
    assert (np.diff(mapped) >= 0).all()
    assert mapped[256] < 230


def test_every_frame_comes_upright_in_its_own_size(tmp_path: Path) -> None:
    sized = without_faces((1280, 720))
    path = turn_metadata(write_video(tmp_path / "a.mp4", sized, every(30, 1)))
    frames = list(VideoFile(path, path.name).every_frame())
    assert len(frames) == 30
    assert {frame.image.shape for frame in frames} == {(1280, 720, 3)}
    assert [round(frame.media_time, 2) for frame in frames[:3]] == [0.0, 0.03, 0.07]
