"""What lies behind a picture is read, or the report says that it was not."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image as Pillow

from stream_server.ingest.files.open import open_contents
from tests.support.scan_media import every, write_video


def shade(value: int) -> Any:
    return Pillow.fromarray(np.full((96, 128, 3), value, np.uint8))


def picture(form: str, value: int = 90, **options: Any) -> Any:
    """Noise at the bottom, so that each takes some thousand bytes."""
    if form == "HEIF":
        pytest.importorskip("pillow_heif", reason="the extra 'heic' is not installed")
        from pillow_heif import register_heif_opener

        register_heif_opener()
    image = np.array(shade(value))
    image[64:] = np.random.default_rng(value).integers(0, 255, (32, 128, 3), np.uint8)
    out = io.BytesIO()
    if form.startswith("JPEG XL"):
        codecs = pytest.importorskip("imagecodecs", reason="the extra 'jxl' is not installed")
        boxed = form.endswith("in boxes")
        return codecs.jpegxl_encode(image, usecontainer=boxed)
    Pillow.fromarray(image).save(out, form, **options)
    return out.getvalue()


def shades(path: Path) -> list[int]:
    from stream_server.ingest.files.media import WHOLE, ReadCounts

    contents = open_contents(path, "a")
    return [
        round(float(frame.image[:48].mean()) / 30)
        for part in contents.parts
        for _, frame in part.media.read(WHOLE, 1.0, ReadCounts())
    ]


FORMS = (
    "JPEG", "PNG", "GIF", "WEBP", "BMP", "TIFF", "JPEG2000", "AVIF", "HEIF", "JPEG XL in boxes",
)  # fmt: skip


@pytest.mark.parametrize("padding", [b"", bytes(5000), b"\xff" * 300], ids=["no", "zeros", "ones"])
@pytest.mark.parametrize("form", FORMS)
def test_another_is_read(tmp_path: Path, form: str, padding: bytes) -> None:
    path = tmp_path / "a"
    path.write_bytes(picture(form) + padding + picture(form, 180) + padding + picture("PNG", 30))
    assert open_contents(path, "a").unread == ()
    assert shades(path) == [3, 6, 1]


@pytest.mark.parametrize("form", [*FORMS, "JPEG XL"])
def test_what_is_not_known_is_told(tmp_path: Path, form: str) -> None:
    path, one = tmp_path / "a", picture(form)
    path.write_bytes(one)
    assert open_contents(path, "a").unread == ()
    path.write_bytes(one + b"of a strange kind " * (len(one) // 180))
    (left,) = open_contents(path, "a").unread
    assert (left.what, left.pictures) == ("the end of the file", 1)
    path.write_bytes(one + b"a note " * (len(one) // 300))
    assert open_contents(path, "a").unread == ()


def test_a_bare_jpeg_2000(tmp_path: Path) -> None:
    path, one = tmp_path / "a", picture("JPEG2000", no_jp2=True)
    path.write_bytes(one)
    assert open_contents(path, "a").unread == ()
    path.write_bytes(one + b"of a strange kind " * (len(one) // 180))
    assert [left.pictures for left in open_contents(path, "a").unread] == [1]


def test_joined_jpeg_xl_pictures(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(picture("JPEG XL") + picture("JPEG XL", 180))
    assert [left.pictures for left in open_contents(path, "a").unread] == [1]


def test_behind_all_pictures_of_an_mpo(tmp_path: Path) -> None:
    out = io.BytesIO()
    shade(30).save(out, "MPO", save_all=True, append_images=[shade(60)], quality=95)
    path = tmp_path / "a"
    path.write_bytes(out.getvalue())
    assert open_contents(path, "a").unread == ()
    path.write_bytes(out.getvalue() + bytes(100) + picture("JPEG", 180))
    assert (open_contents(path, "a").unread, shades(path)) == ((), [1, 2, 6])


def test_pages_and_directories_of_a_tiff_are_its_own(tmp_path: Path) -> None:
    out = io.BytesIO()
    exif = Pillow.Exif()
    exif.get_ifd(0x8769)[0x9286] = b"x" * 30000
    shade(30).save(
        out, "TIFF", save_all=True, append_images=[shade(60)], exif=exif, compression="tiff_lzw"
    )
    path = tmp_path / "a"
    path.write_bytes(out.getvalue())
    assert (open_contents(path, "a").unread, shades(path)) == ((), [1, 2])


def test_one_that_broke_off_hides_no_other(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(picture("JPEG")[:-9] + picture("JPEG", 180))
    assert len(open_contents(path, "a").parts) == 2


def test_more_than_are_looked_at(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(picture("PNG") * 12)
    contents = open_contents(path, "a")
    assert len(contents.parts) == 10
    assert [left.pictures for left in contents.unread] == [1]


def test_a_video_behind_is_understood(tmp_path: Path) -> None:
    film = write_video(
        tmp_path / "a.mp4", lambda time: np.full((48, 64, 3), 60, np.uint8), every(10, 1), rate=10
    )
    path = tmp_path / "a"
    path.write_bytes(picture("JPEG") + film.read_bytes())
    contents = open_contents(path, "a")
    assert (len(contents.parts), contents.unread) == (2, ())
