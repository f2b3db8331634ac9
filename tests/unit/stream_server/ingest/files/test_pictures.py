"""Single pictures, from files and from bytes."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image as Pillow

from stream_server.ingest.files.media import WHOLE, ReadCounts
from stream_server.ingest.files.open import open_media
from stream_server.ingest.files.pictures import picture_in
from stream_server.ingest.files.unusable import UnusableError
from tests.support.scan_media import moving_face


def encoded(form: Any, **options: Any) -> Any:
    out = io.BytesIO()
    Pillow.fromarray(moving_face()(0.0)).save(out, form, **options)
    return out.getvalue()


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "BMP", "GIF"])
def test_bytes_are_read_as_the_file_is(form: str, tmp_path: Path) -> None:
    data = encoded(form)
    path = tmp_path / "a"
    path.write_bytes(data)
    ((_, frame),) = open_media(path, "a").read(WHOLE, 10.0, ReadCounts())
    assert np.array_equal(picture_in(data, "a"), frame.image)
    assert np.array_equal(picture_in(path, "a"), frame.image)


def test_of_an_animation_it_is_the_first_picture() -> None:
    shades = [np.full((40, 60, 3), shade, np.uint8) for shade in (40, 120, 200)]
    first, *more = (Pillow.fromarray(shade) for shade in shades)
    out = io.BytesIO()
    first.save(out, "PNG", save_all=True, append_images=more, duration=100)
    assert np.array_equal(picture_in(out.getvalue(), "a.png"), shades[0])


@pytest.mark.parametrize(
    ("data", "code"),
    [(b"", "not_media"), (b"this is text", "not_media"), (encoded("JPEG")[:600], "truncated"),
     (encoded("PNG")[:2000], "truncated")],
)  # fmt: skip
def test_what_is_no_picture_is_refused_by_name(data: Any, code: str) -> None:
    with pytest.raises(UnusableError, match=r"photo\.jpg") as error:
        picture_in(data, "photo.jpg")
    assert error.value.code == code
