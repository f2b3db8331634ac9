"""Pictures are judged as a player shows them, and faces are found however they lie."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from PIL import Image as Pillow

from tests.media.made import RATE, empty, swapped, video, with_matrix
from tests.media.test_times import flagged
from tests.support.faces import person
from tests.support.scan_media import every, write_video
from tests.support.scanning import ScanCommand

STORED = {
    "mirrored": ((-1, 0, 0, 1), lambda image: image[:, ::-1]),
    "upside down and mirrored": ((1, 0, 0, -1), lambda image: image[::-1]),
    "on its side and mirrored": ((0, 1, 1, 0), lambda image: image.transpose(1, 0, 2)),
    "upside down": ((-1, 0, 0, -1), lambda image: image[::-1, ::-1]),
}


@pytest.mark.parametrize("kind", STORED)
def test_a_display_matrix_is_obeyed(scan: ScanCommand, tmp_path: Path, kind: str) -> None:
    matrix, stored = STORED[kind]
    upright = swapped()
    lying = video(tmp_path / "a.mp4", lambda time: np.ascontiguousarray(stored(upright(time))))
    report = flagged(scan(with_matrix(lying, *matrix)))
    (face,) = report["faces"]
    left, top, width, height = face["box"]
    assert face["samples"] >= 28
    assert left < 0.5 < left + width and top < 0.5 < top + height
    assert not any("stood on their side" in line for line in report["settings"]["left_out"])


@pytest.mark.parametrize("aspect", [Fraction(2, 1), Fraction(1, 2)])
def test_pixels_that_are_not_square(scan: ScanCommand, tmp_path: Path, aspect: Fraction) -> None:
    wide = aspect > 1
    upright = swapped()

    def squeezed(time: float) -> Any:
        image = Pillow.fromarray(upright(time)).resize((480, 360))
        return np.asarray(image.resize((240, 360) if wide else (480, 180)))

    path = tmp_path / "a.mkv"
    with av.open(str(path), "w") as output:
        stream: Any = output.add_stream("libx264", rate=RATE)
        stream.height, stream.width = squeezed(0.0).shape[:2]
        stream.pix_fmt, stream.options = "yuv420p", {"preset": "ultrafast", "crf": "18"}
        stream.codec_context.sample_aspect_ratio = aspect
        for number, time in enumerate(every(RATE, 3)):
            frame = av.VideoFrame.from_ndarray(squeezed(time), format="rgb24")
            frame.pts, frame.time_base = number, Fraction(1, RATE)
            output.mux(stream.encode(frame))
        output.mux(stream.encode())
    (face,) = flagged(scan(path))["faces"]
    assert face["samples"] >= 25
    _, _, width, height = face["box"]
    assert 0.6 < width * 480 / (height * 360) < 1.0, "a face is a little taller than wide"


@pytest.mark.parametrize("degrees", [90, 180, 270])
def test_a_face_on_its_side_without_a_tag(scan: ScanCommand, tmp_path: Path, degrees: int) -> None:
    path = tmp_path / "a.jpg"
    upright = np.full((500, 400, 3), 230, np.uint8)
    upright[60:320, 90:310] = person()
    Pillow.fromarray(upright).rotate(degrees, expand=True).save(path, quality=95)
    report = flagged(scan(path))
    (face,) = report["faces"]
    left, top, width, height = face["box"]
    turned = {90: (0.38, 0.5), 180: (0.5, 0.62), 270: (0.62, 0.5)}[degrees]
    assert left < turned[0] < left + width and top < turned[1] < top + height


@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_a_face_on_its_side_beside_one_that_is_upright(
    scan: ScanCommand, tmp_path: Path, quarters: int
) -> None:
    """A collage, or somebody who lies down in a picture of several people."""
    green = np.clip(person() * np.array([0.7, 1.1, 0.7], np.float32), 0, 255).astype(np.uint8)
    lying = np.rot90(person(), quarters)
    both = np.full((400, 800, 3), 230, np.uint8)
    both[60:320, 60:280] = green
    both[60 : 60 + lying.shape[0], 440 : 440 + lying.shape[1]] = lying
    path = tmp_path / "a.png"
    Pillow.fromarray(both).save(path)
    report = flagged(scan(path))
    faces = sorted(report["faces"], key=lambda face: face["box"][0])
    assert [face["verdict"] for face in faces] == ["unsure", "likely_fake"]
    left, _, width, _ = faces[1]["box"]
    assert left < (440 + lying.shape[1] / 2) / 800 < left + width


def test_a_video_that_is_turned_in_its_middle(scan: ScanCommand, tmp_path: Path) -> None:
    upright = swapped()

    def held(time: float) -> Any:
        image = upright(time)[:, 40:280]
        return np.ascontiguousarray(np.rot90(image) if time >= 3 else image)

    report = flagged(scan(video(tmp_path / "a.mp4", held, 6.0)))
    assert len(report["faces"]) == 2
    assert report["faces"][1]["samples"] >= 20
    assert any("stood on their side" in line for line in report["settings"]["left_out"])


@pytest.mark.parametrize("shape", [(4000, 300), (300, 4000)])
def test_a_long_strip_is_looked_at_in_tiles(
    scan: ScanCommand, tmp_path: Path, shape: tuple[int, int]
) -> None:
    strip = np.full((*shape, 3), 235, np.uint8)
    place = (2300, 40) if shape[0] > shape[1] else (20, 2300)
    strip[place[0] : place[0] + 260, place[1] : place[1] + 220] = person()
    path = tmp_path / "strip.png"
    Pillow.fromarray(strip).save(path)
    (face,) = flagged(scan(path))["faces"]
    left, top, width, height = face["box"]
    assert top * shape[0] < place[0] + 130 < (top + height) * shape[0]
    assert left * shape[1] < place[1] + 110 < (left + width) * shape[1]


def test_a_strip_that_moves(scan: ScanCommand, tmp_path: Path) -> None:
    def strip(time: float) -> Any:
        return np.concatenate([empty()(time)] * 5 + [swapped()(time)], axis=0)

    path = write_video(tmp_path / "a.mp4", strip, every(RATE, 3), rate=RATE)
    (face,) = flagged(scan(path))["faces"]
    assert face["box"][1] > 0.7 and face["samples"] >= 25
