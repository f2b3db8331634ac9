"""JPEG XL: the size before anything is decoded, and every kind of samples."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stream_server.ingest.files.media import WHOLE, ReadCounts
from stream_server.ingest.files.open import open_contents, open_media
from stream_server.ingest.files.unusable import UnusableError

codecs = pytest.importorskip("imagecodecs", reason="the extra 'jxl' is not installed")


def written(path: Path, image: Any, **options: Any) -> Path:
    path.write_bytes(codecs.jpegxl_encode(image, **options))
    return path


def slope(height: int, width: int, *channels: int) -> Any:
    row = np.linspace(0, 255, width).astype(np.uint8)
    shape = (height, width, *channels)
    return np.broadcast_to(row.reshape(1, width, *[1] * len(channels)), shape).copy()


@pytest.mark.parametrize("size", [(8, 8), (48, 64), (300, 1), (7, 600), (270, 480), (1, 5000)])
def test_the_size_is_read_before_the_picture(tmp_path: Path, size: tuple[int, int]) -> None:
    info = open_media(written(tmp_path / "a", slope(*size, 3)), "a").info
    assert (info.height, info.width, info.kind) == (*size, "picture")


@pytest.mark.parametrize("channels", [(), (2,), (3,), (4,)])
@pytest.mark.parametrize("deep", [False, True])
def test_samples_of_any_kind(tmp_path: Path, channels: tuple[int, ...], deep: bool) -> None:
    image = slope(40, 60, *channels)
    stored = image.astype(np.uint16) * 257 if deep else image
    path = written(tmp_path / "a", stored, lossless=True)
    ((_, frame),) = open_media(path, "a").read(WHOLE, 1.0, ReadCounts())
    assert frame.image.shape == (40, 60, 3) and frame.image.dtype == np.uint8
    assert np.abs(frame.image[..., 0].astype(int) - slope(40, 60)).max() <= 1


def refusal(path: Path, **limits: Any) -> UnusableError:
    with pytest.raises(UnusableError) as caught:
        list(open_contents(path, "a", **limits).parts[0].media.read(WHOLE, 1.0, ReadCounts()))
    return caught.value


def test_too_many_pixels_are_refused_by_the_header(tmp_path: Path) -> None:
    path = written(tmp_path / "a", slope(400, 400, 3))
    error = refusal(path, max_picture_pixels=1000)
    assert error.code == "too_many_pixels" and "400x400" in str(error)


def test_what_moves_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path / "a", np.stack([slope(40, 60, 3)] * 3))
    assert refusal(path).code == "codec" and "moving" in str(refusal(path))


@pytest.mark.parametrize("length", [2, 3, 40])
def test_what_breaks_off_is_refused(tmp_path: Path, length: int) -> None:
    path = written(tmp_path / "a", slope(400, 400, 3))
    path.write_bytes(path.read_bytes()[:length])
    assert refusal(path).code == "truncated"


def test_without_the_extra_it_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = written(tmp_path / "a", slope(40, 60, 3))
    monkeypatch.setitem(sys.modules, "imagecodecs", None)
    assert refusal(path).code == "codec" and "fakelight[jxl]" in str(refusal(path))
