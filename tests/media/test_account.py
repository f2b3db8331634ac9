"""A report speaks for what was looked at, and says on its first line where that is not all."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from PIL import Image as Pillow

from tests.media.made import RATE, genuine, joined, swapped, video
from tests.support.faces import person
from tests.support.scan_media import every, write_video
from tests.support.scanning import ScanCommand


def not_all(outcome: Any) -> Any:
    report = outcome.found
    assert report["error"] is None
    assert report["status"] == "incomplete"
    assert report["verdict"] == "not_enough_evidence" and report["probability"] is None
    assert "Not all of it was looked at" in outcome.err.splitlines()[0]
    account = report["account"]
    told = account["looked_at_s"] + sum(one["seconds"] for one in account["left_out"])
    assert told == pytest.approx(account["seconds"], abs=0.05)
    return report


def test_of_a_whole_file_all_was_looked_at(scan: ScanCommand, tmp_path: Path) -> None:
    outcome = scan(video(tmp_path / "a.mp4", genuine()))
    assert (outcome.status, outcome.found["status"]) == (0, "complete")
    assert outcome.found["verdict"] == "likely_real"
    assert outcome.found["account"]["left_out"] == []
    assert "No sign of face manipulation" in outcome.err.splitlines()[0]


def test_a_file_that_breaks_off(scan: ScanCommand, tmp_path: Path) -> None:
    path = video(tmp_path / "a.mkv", genuine(), 8.0)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    report = not_all(scan(path))
    assert "broken_off" in [one["code"] for one in report["account"]["left_out"]]
    assert report["faces"][0]["verdict"] == "likely_real"


def test_damage_in_the_middle(scan: ScanCommand, tmp_path: Path) -> None:
    path = write_video(
        tmp_path / "a.avi", genuine(), every(10, 8), codec="mjpeg", options={},
        pix_fmt="yuvj420p", rate=10,
    )  # fmt: skip
    content = bytearray(path.read_bytes())
    third = len(content) // 3
    place = content.find(b"\xff\xd8", third)
    while 0 <= place < 2 * third:
        content[place : place + 400] = bytes(400)
        place = content.find(b"\xff\xd8", place + 400)
    path.write_bytes(content)
    report = not_all(scan(path))
    assert "damaged" in [one["code"] for one in report["account"]["left_out"]]


def test_a_file_beyond_the_budget(
    scan: ScanCommand, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAKELIGHT_SCAN_SAMPLES", "120")
    path = video(tmp_path / "a.mp4", genuine(), 40.0, options={"preset": "ultrafast", "g": "24"})
    report = not_all(scan(path))
    assert [one["code"] for one in report["account"]["left_out"]] == ["budget"]


@pytest.mark.parametrize(
    ("codec", "options"),
    [("mpeg4", {"b": "2000000"}),
     ("libx265", {"preset": "ultrafast", "x265-params": "log-level=none:pools=1"})],
)  # fmt: skip
def test_a_transport_stream_goes_on_in_another_codec(
    scan: ScanCommand, tmp_path: Path, codec: str, options: dict[str, str]
) -> None:
    """Players that follow would show it."""
    first = video(tmp_path / "a.ts", genuine(), 4.0)
    second = write_video(
        tmp_path / "b.ts", swapped(), every(RATE, 4), codec=codec, options=options, rate=25
    )
    outcome = scan(joined(tmp_path / "c.ts", first, second))
    assert (outcome.status, outcome.found["status"]) == (3, "complete"), outcome.err
    assert outcome.found["duration_s"] == pytest.approx(8.0, abs=0.2)


def test_a_fake_stays_one_in_a_file_that_breaks_off(scan: ScanCommand, tmp_path: Path) -> None:
    path = video(tmp_path / "a.mkv", swapped(), 8.0)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    outcome = scan(path)
    assert (outcome.status, outcome.found["status"]) == (3, "incomplete")
    assert "likely fake" in outcome.err.splitlines()[0]


def test_a_video_behind_a_picture_that_cannot_be_read(scan: ScanCommand, tmp_path: Path) -> None:
    picture, path = tmp_path / "still.jpg", tmp_path / "motion.jpg"
    Pillow.fromarray(genuine()(0.0)).resize((640, 480)).save(picture, quality=95)
    assert scan(picture).found["status"] == "complete"
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(video(tmp_path / "a.mp4", swapped(), 1.0).read_bytes()[:3000])
    report = not_all(scan(joined(path, picture, broken)))
    assert [one["code"] for one in report["account"]["left_out"]] == ["motion_photo"]


def test_one_recording_of_several_that_cannot_be_read(scan: ScanCommand, tmp_path: Path) -> None:
    pieces = [video(tmp_path / f"{n}.flv", genuine()) for n in "ab"]
    content = bytearray(pieces[1].read_bytes())
    content[13:] = bytes(len(content) - 13)
    pieces[1].write_bytes(content)
    report = not_all(scan(joined(tmp_path / "joined.flv", *pieces)))
    (left_out,) = report["account"]["left_out"]
    assert left_out["what"] == "recording 2 of 2"


def test_what_follows_that_is_not_understood(scan: ScanCommand, tmp_path: Path) -> None:
    """A stream of pictures as web servers send it, and another one behind it."""
    pieces = []
    for name, picture in (("a", genuine()), ("b", swapped())):
        pieces.append(tmp_path / name)
        with av.open(str(pieces[-1]), "w", format="mpjpeg") as output:
            stream: Any = output.add_stream("mjpeg", rate=RATE)
            stream.width, stream.height, stream.pix_fmt = 320, 240, "yuvj420p"
            for time in every(RATE, 6):
                output.mux(stream.encode(av.VideoFrame.from_ndarray(picture(time))))
            output.mux(stream.encode())
    report = not_all(scan(joined(tmp_path / "joined", *pieces)))
    assert report["faces"][0]["verdict"] == "likely_real"


def row(*heads: Any) -> Any:
    """Heads side by side, the next smaller than the one before."""
    image = np.full((260, 240 * len(heads), 3), 235, np.uint8)
    for number, head in enumerate(heads):
        height = 240 - 12 * number
        small = np.asarray(Pillow.fromarray(head).resize((height * 5 // 6, height)))
        image[10 : 10 + height, 240 * number + 10 :][:, : small.shape[1]] = small
    return image


def green() -> Any:
    return np.clip(person() * np.array([0.7, 1.1, 0.7], np.float32), 0, 255).astype(np.uint8)


def test_more_faces_than_are_followed(
    scan: ScanCommand, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A wall of faces of which the smallest was swapped."""
    monkeypatch.setenv("FAKELIGHT_MAX_FACES", "2")
    picture = row(green(), green(), person())
    still = tmp_path / "still.png"
    Pillow.fromarray(picture).save(still)
    assert scan(still).status == 3, "of a picture every face is looked at"
    path = write_video(tmp_path / "a.mp4", lambda time: picture, every(RATE, 3), rate=RATE)
    report = not_all(scan(path))
    assert [one["code"] for one in report["account"]["left_out"]] == ["too_many_faces"]
    monkeypatch.setenv("FAKELIGHT_MAX_FACES", "3")
    assert scan(path).status == 3
