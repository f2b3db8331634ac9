"""Every kind of input that must be scanned, made with real encoders."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image as Pillow

from tests.support.faces import backdrop, other_person, person
from tests.support.scan_media import (
    every,
    moving_face,
    repeated,
    turn_metadata,
    two_faces,
    without_faces,
    write_hdr,
    write_video,
)
from tests.support.scanning import ScanCommand

BIG = (1280, 720)


def only(outcome: Any) -> Any:
    assert outcome.status in (0, 3), outcome.err
    return outcome.found


def test_one_face_is_followed_from_end_to_end(scan: ScanCommand, portrait_clip: Path) -> None:
    report = only(scan(portrait_clip))
    (face,) = report["faces"]
    assert report["duration_s"] == pytest.approx(3.0, abs=0.05)
    assert (report["frames"], report["analysed"]) == (90, 30)
    assert face["samples"] == 30
    assert face["first_s"] == 0 and face["last_s"] == pytest.approx(2.9, abs=0.05)
    assert 0 < face["probability"] < 1 and face["probability"] == report["probability"]
    times = [time for time, _ in face["timeline"]]
    assert times == sorted(times) and 0.6 < times[0] < 1.0 and times[-1] > 2.5
    left, top, width, height = face["box"]
    assert left < 0.5 < left + width and top < 0.5 < top + height


@pytest.mark.parametrize(
    ("name", "codec", "options", "pix_fmt"),
    [
        ("a.mkv", "libx264", {"preset": "ultrafast", "bf": "3"}, "yuv420p"),
        ("a.webm", "libvpx-vp9", {"deadline": "realtime", "cpu-used": "8"}, "yuv420p"),
        ("a.mov", "mjpeg", {"q": "3"}, "yuvj420p"),
        ("a.ts", "mpeg4", {}, "yuv420p"),
        ("a.mp4", "libsvtav1", {"preset": "12", "svtav1-params": "lp=1"}, "yuv420p"),
    ],
)
def test_containers_and_codecs(
    scan: ScanCommand, tmp_path: Path, name: str, codec: str, options: dict[str, Any], pix_fmt: str
) -> None:
    path = write_video(
        tmp_path / name,
        moving_face(),
        every(25, 2),
        codec=codec,
        options=options,
        pix_fmt=pix_fmt,
        rate=25,
    )
    report = only(scan(path))
    assert report["analysed"] == 20
    assert report["faces"][0]["samples"] >= 15
    assert report["probability"] is not None


def test_the_name_says_nothing_about_what_is_inside(
    scan: ScanCommand, tmp_path: Path, portrait_clip: Path
) -> None:
    disguised = tmp_path / "clip.txt"
    disguised.write_bytes(portrait_clip.read_bytes())
    assert only(scan(disguised))["faces"]


def test_variable_frame_rate_keeps_the_media_times(scan: ScanCommand, tmp_path: Path) -> None:
    times = [*every(30, 2), *(2 + t for t in every(6, 3))]
    report = only(scan(write_video(tmp_path / "phone.mp4", moving_face(), times)))
    (face,) = report["faces"]
    assert report["duration_s"] == pytest.approx(5.0, abs=0.3)
    assert face["last_s"] == pytest.approx(4.83, abs=0.05)
    # Ten samples a second while there are thirty frames, then every one of the six.
    assert 34 <= face["samples"] <= 40
    assert face["timeline"][-1][0] > 4.5


def test_a_rotated_phone_video_is_upright_in_the_report(scan: ScanCommand, tmp_path: Path) -> None:
    upright = moving_face((360, 640), share=0.35)
    lying = write_video(
        tmp_path / "phone.mp4",
        lambda time: np.ascontiguousarray(np.rot90(upright(time))),
        every(30, 2),
    )
    page = tmp_path / "report.html"
    report = only(scan(turn_metadata(lying), "--html", page))
    (face,) = report["faces"]
    assert face["samples"] >= 18
    left, top, width, height = face["box"]
    assert width * 360 < height * 640, "a face is taller than wide"
    assert left < 0.5 < left + width and top < 0.5 < top + height
    text = page.read_text()
    assert "360x640" in text and "turned upright" in text


def test_high_dynamic_range_is_judged_as_a_person_sees_it(
    scan: ScanCommand, tmp_path: Path, portrait_clip: Path
) -> None:
    page = tmp_path / "report.html"
    bright = only(
        scan(write_hdr(tmp_path / "hdr.mp4", moving_face(), every(10, 2)), "--html", page)
    )
    plain = only(scan(portrait_clip))
    assert bright["faces"][0]["samples"] == 20
    # The made-up models answer by the colour of the face: without tone mapping it is far off.
    assert bright["probability"] == pytest.approx(plain["probability"], abs=0.03)
    assert "high dynamic range" in page.read_text()


def test_8k(scan: ScanCommand, tmp_path: Path) -> None:
    still = moving_face((7680, 4320))(0.0)
    path = write_video(tmp_path / "8k.mp4", lambda time: still, every(10, 1))
    report = only(scan(path))
    assert report["faces"][0]["samples"] == 10
    assert report["probability"] is not None


def test_six_hours_are_sampled_within_the_stated_budget(
    scan: ScanCommand, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    still = moving_face()(0.0)
    slow = {"preset": "ultrafast", "crf": "30", "g": "50"}
    source = write_video(tmp_path / "a.mp4", lambda t: still, every(5, 10), options=slow, rate=5)
    long = repeated(source, tmp_path / "six-hours.mp4", 2160)
    monkeypatch.setenv("FAKELIGHT_SCAN_SAMPLES", "240")
    report = only(scan(long))
    assert report["duration_s"] == pytest.approx(6 * 3600, rel=0.01)
    assert 200 <= report["analysed"] <= 240
    assert report["settings"]["budget_samples"] == 240
    (face,) = report["faces"]
    assert face["first_s"] < 3600 and face["last_s"] > 5 * 3600
    (said,) = [line for line in report["settings"]["left_out"] if "budget" in line]
    assert "6:00:00" in said and "240" in said


def test_a_long_file_with_a_single_key_frame_is_read_once(
    scan: ScanCommand, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = {"preset": "ultrafast", "g": "100000", "sc_threshold": "0"}
    path = write_video(
        tmp_path / "a.mp4", moving_face((320, 240)), every(10, 240), options=options, rate=10
    )
    monkeypatch.setenv("FAKELIGHT_SCAN_SAMPLES", "300")
    report = only(scan(path))
    assert 200 <= report["analysed"] <= 320
    times = [face["last_s"] for face in report["faces"]]
    assert max(times) > 180


def test_an_animated_gif(scan: ScanCommand, tmp_path: Path) -> None:
    frames = [Pillow.fromarray(moving_face((480, 360))(t)) for t in every(10, 2)]
    path = tmp_path / "moving.gif"
    frames[0].save(path, save_all=True, append_images=frames[1:], duration=100, loop=0)
    report = only(scan(path))
    assert report["duration_s"] == pytest.approx(2.0)
    assert report["faces"][0]["samples"] == 20
    assert report["faces"][0]["timeline"]


def test_a_slow_animation_is_sampled_at_its_own_pace(scan: ScanCommand, tmp_path: Path) -> None:
    frames = [Pillow.fromarray(moving_face((480, 360))(t)) for t in range(12)]
    path = tmp_path / "slides.webp"
    frames[0].save(path, save_all=True, append_images=frames[1:], duration=500, quality=90)
    report = only(scan(path))
    assert report["settings"]["sample_hz"] == pytest.approx(2.0)
    assert report["faces"][0]["samples"] == 12
    assert report["probability"] is not None


def test_several_faces_are_told_apart(scan: ScanCommand, tmp_path: Path) -> None:
    report = only(scan(write_video(tmp_path / "two.mp4", two_faces(), every(30, 3))))
    assert len(report["faces"]) == 2
    left, right = sorted(report["faces"], key=lambda face: face["box"][0])
    assert left["box"][0] + left["box"][2] < 0.5 < right["box"][0]
    assert left["probability"] != right["probability"]
    assert report["probability"] == max(left["probability"], right["probability"])


def test_a_dark_background_does_not_hide_a_lit_face(scan: ScanCommand, tmp_path: Path) -> None:
    black = np.zeros((360, 640, 3), np.uint8)
    report = only(
        scan(write_video(tmp_path / "a.mp4", moving_face(background=black), every(30, 3)))
    )
    assert report["faces"][0]["samples"] >= 28
    assert report["probability"] is not None


def test_a_dark_face_gets_a_reason_and_no_probability(scan: ScanCommand, tmp_path: Path) -> None:
    dim = (person().astype(np.float32) * 0.13).astype(np.uint8)
    picture = moving_face(head=dim, background=backdrop())
    report = only(scan(write_video(tmp_path / "a.mp4", picture, every(30, 3))))
    for face in report["faces"]:
        assert face["verdict"] == "not_enough_evidence"
        assert "dark" in face["reasons"] and face["probability"] is None
    assert report["probability"] is None


def test_a_small_face_gets_a_reason(scan: ScanCommand, tmp_path: Path) -> None:
    report = only(scan(write_video(tmp_path / "a.mp4", moving_face(BIG, share=0.13), every(30, 3))))
    assert report["faces"][0]["reasons"] == ["small_face"]
    assert report["verdict"] == "not_enough_evidence"


def test_a_face_seen_for_a_moment_is_not_judged(scan: ScanCommand, tmp_path: Path) -> None:
    report = only(scan(write_video(tmp_path / "a.mp4", moving_face(), every(30, 0.5))))
    assert report["faces"][0]["reasons"] == ["few_samples"]


def test_no_face_is_said_and_is_no_failure(scan: ScanCommand, tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    outcome = scan(write_video(tmp_path / "a.mp4", without_faces(), every(30, 2)), "--html", page)
    assert outcome.status == 0
    assert outcome.found["faces"] == []
    assert outcome.found["verdict"] == "not_enough_evidence"
    assert outcome.found["probability"] is None
    assert "No face was found" in outcome.err and "No face was found" in page.read_text()


def test_a_cut_to_somebody_else_makes_two_faces(scan: ScanCommand, tmp_path: Path) -> None:
    first, second = moving_face(), moving_face(head=other_person(), background=backdrop(seed=3))
    path = write_video(
        tmp_path / "cut.mp4", lambda t: first(t) if t < 3 else second(t), every(30, 6)
    )
    faces = only(scan(path))["faces"]
    assert len(faces) == 2
    assert faces[0]["last_s"] < 3.05 and faces[1]["first_s"] > 2.9


def test_a_cut_ends_a_track_even_if_the_same_face_comes_back(
    scan: ScanCommand, tmp_path: Path
) -> None:
    face, away = moving_face(), without_faces()
    path = write_video(
        tmp_path / "back.mp4", lambda t: away(t) if 2 <= t < 4 else face(t), every(30, 6)
    )
    first, second = only(scan(path))["faces"]
    assert first["last_s"] < 2.1 and second["first_s"] > 3.9


def test_a_long_file_read_by_two_gives_the_same_faces(
    scan: ScanCommand, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_video(tmp_path / "a.mp4", moving_face(), every(10, 44), rate=10)
    (face,) = only(scan(path))["faces"]
    assert 436 <= face["samples"] <= 440
    times = [time for time, _ in face["timeline"]]
    assert times == sorted(times)
    assert max(b - a for a, b in pairwise(times)) < 0.7
    monkeypatch.setenv("FAKELIGHT_WORKERS", "1")
    (alone,) = only(scan(path))["faces"]
    assert alone["probability"] == pytest.approx(face["probability"], abs=0.01)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "HEIF"])
def test_a_picture(scan: ScanCommand, tmp_path: Path, kind: str) -> None:
    if kind == "HEIF":
        pillow_heif = pytest.importorskip("pillow_heif", reason="the extra 'heic' is not installed")
        pillow_heif.register_heif_opener()
    path = tmp_path / f"picture.{kind.lower()}"
    Pillow.fromarray(moving_face(BIG)(0.0)).save(path, kind)
    report = only(scan(path))
    (face,) = report["faces"]
    assert (report["frames"], report["analysed"], face["samples"]) == (1, 1, 1)
    assert face["probability"] is not None
    assert any("single picture" in line for line in report["settings"]["left_out"])


def test_a_picture_is_turned_as_its_exif_says(scan: ScanCommand, tmp_path: Path) -> None:
    lying = np.ascontiguousarray(np.rot90(moving_face((720, 960), share=0.4)(0.0)))
    exif = Pillow.Exif()
    exif[0x0112] = 6
    path = tmp_path / "phone.jpg"
    Pillow.fromarray(lying).save(path, exif=exif)
    assert len(only(scan(path))["faces"]) == 1


def test_a_video_that_breaks_off_is_analysed_up_to_there_and_says_so(
    scan: ScanCommand, tmp_path: Path
) -> None:
    whole = write_video(tmp_path / "a.mkv", moving_face(), every(30, 6))
    content = whole.read_bytes()
    whole.write_bytes(content[: len(content) // 2])
    report = only(scan(whole))
    assert report["faces"][0]["samples"] >= 15
    assert report["faces"][0]["last_s"] < 4
    assert any("breaks off" in line for line in report["settings"]["left_out"])
