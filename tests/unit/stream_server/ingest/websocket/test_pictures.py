from __future__ import annotations

import io
import struct
import zlib
from typing import Any

import numpy as np
import pytest
from PIL import Image as Pillow

from stream_server.ingest.websocket.pictures import decode
from stream_server.protocol import FrameHeader, ProtocolError
from tests.support.faces import person

LIMIT = 3840 * 2160


def encoded(form: str, image: Pillow.Image | None = None, **options: Any) -> memoryview:
    out = io.BytesIO()
    (image or Pillow.fromarray(person())).save(out, form, **options)
    return memoryview(out.getvalue())


def header(width: int = 220, height: int = 260) -> FrameHeader:
    return FrameHeader(frame_id=3, media_time=0.0, width=width, height=height)


@pytest.mark.parametrize(
    ("form", "options"), [("JPEG", {"quality": 95}), ("WEBP", {"quality": 95}), ("PNG", {})]
)
def test_the_three_formats(form: str, options: dict[str, Any]) -> None:
    image = decode(encoded(form, **options), header(), LIMIT)
    assert image.dtype == np.uint8 and image.shape == (260, 220, 3)
    assert np.abs(image.astype(int) - person()).mean() < 4


@pytest.mark.parametrize("mode", ["L", "P", "RGBA", "CMYK"])
def test_every_colour_mode_becomes_rgb(mode: str) -> None:
    form = "JPEG" if mode == "CMYK" else "PNG"
    picture = encoded(form, Pillow.fromarray(person()).convert(mode))
    assert decode(picture, header(), LIMIT).shape == (260, 220, 3)


@pytest.mark.parametrize(
    ("mode", "options"),
    [
        ("RGB", {"subsampling": 0}),
        ("RGB", {"subsampling": 1}),
        ("RGB", {"subsampling": 2}),
        ("RGB", {"progressive": True}),
        ("RGB", {"restart_marker_blocks": 4}),
        ("RGB", {"keep_rgb": True}),
        ("L", {}),
        ("CMYK", {}),
    ],
)
def test_a_jpeg_is_what_pillow_makes_of_it(mode: str, options: dict[str, Any]) -> None:
    picture = encoded("JPEG", Pillow.fromarray(person()).convert(mode), **options)
    pixels = np.asarray(Pillow.open(io.BytesIO(picture)).convert("RGB"))
    assert np.array_equal(decode(picture, header(), LIMIT), pixels)


def test_a_jpeg_with_a_fault_that_can_be_passed_over(capfd: pytest.CaptureFixture[str]) -> None:
    whole = bytes(encoded("JPEG"))
    scan = whole.index(b"\xff\xda")
    damaged = decode(memoryview(whole[:scan] + b"\0" * 7 + whole[scan:]), header(), LIMIT)
    assert np.array_equal(damaged, decode(encoded("JPEG"), header(), LIMIT))
    assert capfd.readouterr() == ("", "")


def test_a_jpeg_that_holds_a_larger_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two readers may take a hostile file for pictures of two sizes; the limit holds for both."""

    def decoded(*_: object) -> None:
        raise AssertionError("decoded")

    monkeypatch.setattr("simplejpeg.decode_jpeg_header", lambda _: (9999, 9999, "YCbCr", "420"))
    monkeypatch.setattr("simplejpeg.decode_jpeg", decoded)
    assert decode(encoded("JPEG"), header(), LIMIT).shape == (260, 220, 3)


def refused(picture: Any, head: Any, limit: Any = LIMIT) -> ProtocolError:
    with pytest.raises(ProtocolError) as caught:
        decode(picture, head, limit)
    assert caught.value.frame_id == 3
    return caught.value


@pytest.mark.parametrize(
    "data", [b"\0" * 100, b"GIF89a" + b"\0" * 50, b"<html></html>", b"\xff\xd8"]
)
def test_not_a_picture(data: bytes) -> None:
    assert refused(memoryview(data), header()).code == "bad_frame"


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP"])
def test_truncated(form: str) -> None:
    whole = encoded(form)
    error = refused(whole[: len(whole) * 2 // 3], header())
    assert error.code == "bad_frame"


def test_a_header_that_lies_about_the_size() -> None:
    error = refused(encoded("JPEG"), header(640, 360))
    assert error.code == "bad_frame"
    assert "the header says 640x360, the picture is 220x260" in str(error)


def png_of(width: int, height: int) -> memoryview:
    """A PNG that claims a size and holds next to nothing."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        )

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return memoryview(
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", zlib.compress(b"\0" * 1000))
        + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize("size", [(10_000, 10_000), (60_000, 60_000)])
def test_a_hundred_megapixels_are_refused_before_they_are_decoded(size: tuple[int, ...]) -> None:
    error = refused(png_of(*size), header(*size))
    assert error.code == "too_many_pixels" and str(LIMIT) in str(error)
