"""Every stream, page and picture of a file is judged, or said not to be."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image as Pillow

from tests.media.made import LINES, empty, genuine, joined, streams, swapped, video
from tests.media.test_times import flagged
from tests.support.faces import person
from tests.support.scanning import ScanCommand


@pytest.mark.parametrize("default", [0, 1])
@pytest.mark.parametrize("name", ["two.mkv", "two.ts"])
def test_every_video_stream_is_judged(
    scan: ScanCommand, tmp_path: Path, name: str, default: int
) -> None:
    report = flagged(scan(streams(tmp_path / name, [genuine(), swapped()], default)))
    assert {face["verdict"] for face in report["faces"]} == {"likely_real", "likely_fake"}
    assert len({face["part"] for face in report["faces"]}) == 2
    assert report["account"]["seconds"] == pytest.approx(6.0, abs=0.3)


def test_the_stream_that_is_marked_as_default_comes_first(
    scan: ScanCommand, tmp_path: Path
) -> None:
    report = flagged(scan(streams(tmp_path / "a.mkv", [genuine(), swapped()], default=1)))
    first = next(face for face in report["faces"] if "1 of 2" in face["part"])
    assert first["verdict"] == "likely_fake"


def test_a_small_first_stream_hides_nothing(scan: ScanCommand, tmp_path: Path) -> None:
    small = lambda time: np.ascontiguousarray(empty()(time)[:64, :96])  # noqa: E731
    report = flagged(scan(streams(tmp_path / "a.mkv", [small, swapped()], default=0)))
    assert len(report["faces"]) == 1


def tiff(path: Path, pages: list[Any]) -> None:
    pages[0].save(path, "TIFF", save_all=True, append_images=pages[1:], compression="jpeg")


def mpo(path: Path, pages: list[Any]) -> None:
    pages[0].save(path, "MPO", save_all=True, append_images=pages[1:], quality=95)


def heic(path: Path, pages: list[Any]) -> None:
    pillow_heif = pytest.importorskip("pillow_heif", reason="the extra 'heic' is not installed")
    pillow_heif.register_heif_opener()
    pages[0].save(path, "HEIF", save_all=True, append_images=pages[1:], quality=95)


def apng(path: Path, pages: list[Any]) -> None:
    pages[1].save(
        path, "PNG", save_all=True, append_images=pages[:1], default_image=True, duration=1000
    )


def icon(path: Path, pages: list[Any]) -> None:
    small, large = Pillow.fromarray(person()).resize((240, 240)), pages[0].resize((256, 256))
    large.save(path, "ICO", sizes=[(256, 256), (240, 240)], append_images=[small])


@pytest.mark.parametrize("save", [tiff, mpo, heic, apng, icon])
def test_every_picture_of_a_file_is_judged(
    scan: ScanCommand, tmp_path: Path, save: Callable[[Path, list[Any]], None]
) -> None:
    path = tmp_path / "pictures"
    save(path, [Pillow.fromarray(picture(0.0)) for picture in (empty(), swapped())])
    report = flagged(scan(path))
    assert report["faces"]


def test_a_map_of_brightness_is_no_picture(scan: ScanCommand, tmp_path: Path) -> None:
    pages = [
        Pillow.fromarray(picture(0.0)).resize((640, 480)) for picture in (genuine(), swapped())
    ]
    path = tmp_path / "phone.jpg"
    pages[0].save(
        path, "MPO", save_all=True, append_images=pages[1:], quality=95,
        comment=b"http://ns.adobe.com/xap/1.0/ hdrgm:Version 1.0",
    )  # fmt: skip
    report = scan(path).found
    assert (report["status"], report["verdict"]) == ("complete", "unsure")
    assert report["probability"] <= float(LINES["threshold_real"])
    assert report["settings"]["threshold_real"] == 0, "no picture is called likely real"
    assert any("how bright" in line for line in report["settings"]["left_out"])


def google(picture: bytes, film: bytes) -> bytes:
    return picture + film


def samsung(picture: bytes, film: bytes) -> bytes:
    mark = b"\x00\x00\x30\x0a\x10\x00\x00\x00MotionPhoto_Data"
    return picture + mark + film + b"SEFH\x6b\x00\x00\x00\x01\x00\x00\x00\x18\x00\x00\x00SEFT"


def boxed(picture: bytes, film: bytes) -> bytes:
    return picture + (8 + len(film)).to_bytes(4, "big") + b"mpvd" + film


@pytest.mark.parametrize(
    ("form", "put"),
    [("JPEG", google), ("JPEG", samsung), ("HEIF", boxed)],
    ids=["JPEG", "Samsung", "HEIC"],
)
def test_the_video_of_a_motion_photo_is_judged(
    scan: ScanCommand, tmp_path: Path, form: str, put: Callable[[bytes, bytes], bytes]
) -> None:
    path, still = tmp_path / "motion", Pillow.fromarray(genuine()(0.0)).resize((640, 480))
    if form == "HEIF":
        heic(path, [still])
    else:
        still.save(path, form, quality=95)
    film = video(tmp_path / "a.mp4", swapped(), 2.0)
    path.write_bytes(put(path.read_bytes(), film.read_bytes()))
    report = flagged(scan(path))
    verdicts = {face.get("part", ""): face["verdict"] for face in report["faces"]}
    assert verdicts == {"": "unsure", "the video behind the picture": "likely_fake"}
    account = report["account"]
    assert (account["pictures"], account["seconds"]) == (1, pytest.approx(2.0, abs=0.2))


@pytest.mark.parametrize("form", ["JPEG", "PNG", "GIF", "WEBP"])
def test_a_picture_behind_another(scan: ScanCommand, tmp_path: Path, form: str) -> None:
    pieces = [tmp_path / "a", tmp_path / "b"]
    for piece, picture in zip(pieces, (empty(), swapped()), strict=True):
        Pillow.fromarray(picture(0.0)).resize((640, 480)).save(piece, form)
    report = flagged(scan(joined(tmp_path / "both", *pieces)))
    assert [face["part"] for face in report["faces"]] == ["picture 2 in the file"]


@pytest.mark.parametrize("form", ["JPEG2000", "QOI", "PPM", "SGI", "PCX", "TIFF", "BMP", "DDS"])
def test_stills_of_less_common_kinds(scan: ScanCommand, tmp_path: Path, form: str) -> None:
    path = tmp_path / "still"
    Pillow.fromarray(swapped()(0.0)).save(path, form)
    report = flagged(scan(path))
    assert (report["frames"], report["faces"][0]["samples"]) == (1, 1)


@pytest.mark.parametrize("way", [{"compression": "tga_rle"}, {}])
@pytest.mark.parametrize("signed", [True, False])
def test_tga(scan: ScanCommand, tmp_path: Path, way: dict[str, str], signed: bool) -> None:
    path = tmp_path / "still"
    Pillow.fromarray(swapped()(0.0)).save(path, "TGA", **way)
    if not signed:
        path.write_bytes(path.read_bytes()[:-26])
    assert flagged(scan(path))["faces"][0]["samples"] == 1


@pytest.mark.parametrize("boxed", [True, False])
def test_jpeg_xl(scan: ScanCommand, tmp_path: Path, boxed: bool) -> None:
    codecs = pytest.importorskip("imagecodecs", reason="the extra 'jxl' is not installed")
    path = tmp_path / "still"
    path.write_bytes(codecs.jpegxl_encode(swapped()(0.0), level=95, usecontainer=boxed))
    assert flagged(scan(path))["faces"][0]["samples"] == 1


def test_a_part_that_cannot_be_read_is_named(scan: ScanCommand, tmp_path: Path) -> None:
    path = tmp_path / "two.tiff"
    tiff(path, [Pillow.fromarray(genuine()(0.0)), Pillow.fromarray(swapped()(0.0))])
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * 0.8)])
    outcome = scan(path)
    report = outcome.found
    if report["error"] is None:  # some versions of the library give up on the whole file
        assert report["status"] == "incomplete" and report["verdict"] != "likely_real"
        assert "Not all of it" in outcome.err.splitlines()[0]
    else:
        assert outcome.status == 2
