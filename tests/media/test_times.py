"""Time and length are those of the pictures, whatever the container claims."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image as Pillow

from tests.media.made import (
    RATE,
    empty,
    genuine,
    joined,
    streams,
    swapped,
    video,
    with_long_sound,
)
from tests.support.scan_media import every, write_video
from tests.support.scanning import ScanCommand


def flagged(outcome: Any) -> Any:
    """The report of a file in which the swapped head was found and all was looked at."""
    assert outcome.status == 3, outcome.err
    report = outcome.found
    assert (report["status"], report["verdict"]) == ("complete", "likely_fake")
    account = report["account"]
    assert account["seconds"] == pytest.approx(
        account["looked_at_s"] + sum(one["seconds"] for one in account["left_out"]), abs=0.01
    )
    return report


@pytest.mark.parametrize(
    ("ending", "codec"),
    [("ts", "libx264"), ("ts", "mpeg4"), ("h264", "libx264"), ("flv", "libx264"),
     ("mp4", "libx264"), ("wmv", "wmv2"), ("mjpeg", "mjpeg")],
)  # fmt: skip
def test_recordings_joined_by_their_bytes(
    scan: ScanCommand, tmp_path: Path, ending: str, codec: str
) -> None:
    options: dict[str, Any] = {} if codec == "libx264" else {"options": {"b": "1000000"}}
    if codec == "mjpeg":
        options = {"options": {}, "pix_fmt": "yuvj420p"}
    pieces = [
        write_video(
            tmp_path / f"{name}.{ending}", picture, every(25, 3), rate=25, codec=codec, **options
        )
        for name, picture in (("a", genuine()), ("b", swapped()))
    ]
    report = flagged(scan(joined(tmp_path / f"joined.{ending}", *pieces)))
    assert report["duration_s"] == pytest.approx(6.0, abs=0.3)
    assert [face["verdict"] for face in report["faces"]] == ["likely_real", "likely_fake"]
    assert report["faces"][1]["first_s"] == pytest.approx(3.0, abs=0.4)


def test_joined_recordings_of_another_kind_each(scan: ScanCommand, tmp_path: Path) -> None:
    """The second is of another codec and size, and has a second stream."""
    first = write_video(
        tmp_path / "a.mp4", lambda time: np.ascontiguousarray(empty()(time)[:120, :160]),
        every(RATE, 3), codec="mpeg4", options={}, rate=RATE,
    )  # fmt: skip
    second = streams(tmp_path / "b.mp4", [genuine(), swapped()], default=0)
    report = flagged(scan(joined(tmp_path / "joined.mp4", first, second)))
    assert report["duration_s"] == pytest.approx(6.0, abs=0.2)
    assert report["account"]["seconds"] == pytest.approx(9.0, abs=0.3)
    parts = {face.get("part", ""): face for face in report["faces"]}
    assert parts[""]["first_s"] == pytest.approx(3.0, abs=0.2)
    assert parts["recording 2 of 2, video stream 2 of 2"]["verdict"] == "likely_fake"


def test_many_short_recordings_joined(scan: ScanCommand, tmp_path: Path) -> None:
    piece = video(tmp_path / "a.ts", swapped(), 0.4)
    report = flagged(scan(joined(tmp_path / "joined.ts", *[piece] * 8)))
    assert report["duration_s"] == pytest.approx(3.2, abs=0.3)


def test_a_clock_that_starts_late(scan: ScanCommand, tmp_path: Path) -> None:
    late = [18000 + time for time in every(RATE, 3)]
    report = flagged(scan(write_video(tmp_path / "late.mkv", swapped(), late, rate=RATE)))
    assert report["duration_s"] == pytest.approx(3.0, abs=0.2)
    assert report["faces"][0]["first_s"] == 0


@pytest.mark.parametrize("name", ["held.mp4", "held.mkv"])
def test_a_picture_held_for_minutes_and_then_movement(
    scan: ScanCommand, tmp_path: Path, name: str
) -> None:
    still, moving = empty(), swapped()
    times = [0.0, *(300 + time for time in every(25, 3))]
    path = write_video(
        tmp_path / name, lambda time: moving(time) if time else still(time), times, rate=25
    )
    report = flagged(scan(path))
    assert report["duration_s"] == pytest.approx(303.0, abs=0.2)
    assert report["faces"][0]["samples"] >= 25


def test_a_held_picture_is_itself_looked_at(scan: ScanCommand, tmp_path: Path) -> None:
    still, moving = swapped(), empty()
    times = [0.0, 0.05, *(200 + time for time in every(25, 2))]
    path = write_video(
        tmp_path / "a.mp4", lambda time: still(0.0) if 0 < time < 100 else moving(time), times,
        rate=25,
    )  # fmt: skip
    assert flagged(scan(path))["faces"][0]["samples"] >= 15


def test_a_gap_between_two_recordings(scan: ScanCommand, tmp_path: Path) -> None:
    first, second = genuine(), swapped()
    times = [*every(RATE, 3), *(900 + time for time in every(RATE, 3))]
    path = write_video(
        tmp_path / "gap.ts", lambda time: (first if time < 100 else second)(time), times, rate=RATE
    )
    report = flagged(scan(path))
    assert {face["verdict"] for face in report["faces"]} == {"likely_real", "likely_fake"}
    assert any("no new picture" in line for line in report["settings"]["left_out"])


@pytest.mark.parametrize("name", ["long.mkv", "long.mov"])
def test_a_track_that_outlasts_the_video(scan: ScanCommand, tmp_path: Path, name: str) -> None:
    report = flagged(scan(with_long_sound(tmp_path / name, swapped(), 3.0, 600)))
    assert report["duration_s"] == pytest.approx(3.0, abs=0.1)
    assert report["analysed"] == 30


@pytest.mark.parametrize(
    ("ending", "codec", "options"),
    [("h264", "libx264", {"preset": "ultrafast", "bf": "2"}),
     ("hevc", "libx265", {"preset": "ultrafast", "x265-params": "log-level=none:pools=1"})],
)  # fmt: skip
def test_a_raw_stream_without_times(
    scan: ScanCommand, tmp_path: Path, ending: str, codec: str, options: dict[str, str]
) -> None:
    path = write_video(
        tmp_path / f"a.{ending}", swapped(), every(25, 3), rate=25, options=options, codec=codec
    )
    report = flagged(scan(path))
    assert report["duration_s"] == pytest.approx(3.0, abs=0.1) and report["frames"] == 75


def test_pictures_that_avi_tells_the_wrong_times_of(scan: ScanCommand, tmp_path: Path) -> None:
    options = {"preset": "ultrafast", "bf": "3"}
    path = write_video(tmp_path / "a.avi", swapped(), every(25, 3), rate=25, options=options)
    assert flagged(scan(path))["analysed"] >= 26


@pytest.mark.parametrize("durations", [[1000, 3000, 1000], [50, 2000, 50], [800, 800, 800]])
def test_an_animation_with_uneven_times(
    scan: ScanCommand, tmp_path: Path, durations: list[int]
) -> None:
    pictures = [Pillow.fromarray(picture(0.0)) for picture in (empty(), swapped(), empty())]
    path = tmp_path / "slides.webp"
    pictures[0].save(
        path, save_all=True, append_images=pictures[1:], duration=durations, quality=95
    )
    report = flagged(scan(path))
    assert report["duration_s"] == pytest.approx(sum(durations) / 1000)
    (face,) = report["faces"]
    assert face["first_s"] == pytest.approx(durations[0] / 1000)


def test_a_video_of_one_picture_is_judged_as_a_picture(scan: ScanCommand, tmp_path: Path) -> None:
    report = flagged(scan(write_video(tmp_path / "a.mp4", swapped(), [0.0], rate=25)))
    assert report["faces"][0]["samples"] == 1
    assert report["account"]["pictures"] == report["account"]["looked_at_pictures"] == 1
