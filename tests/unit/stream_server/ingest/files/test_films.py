"""What is a film by its first bytes, so that no library of pictures is asked."""

from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image as Pillow

from stream_server import resources
from stream_server.ingest.files import films
from stream_server.ingest.files.films import is_film
from stream_server.ingest.files.pictures import FORMATS, identified

BEGINNINGS = [b"\x00\x00\x00\x20ftyp" + brand for brand in films._BRANDS] + [films._MATROSKA]


@pytest.mark.parametrize("beginning", BEGINNINGS)
def test_no_format_of_pictures_begins_like_a_film(beginning: bytes) -> None:
    start = beginning.ljust(64, b"\x00")
    with identified(start, "a", 1000) as opened:  # loads all formats
        assert opened is None
    for form in FORMATS:
        if form in Pillow.OPEN and (accept := Pillow.OPEN[form][1]) is not None:
            assert not accept(start[:16]), form


@pytest.mark.parametrize("form", ["JPEG", "PNG", "GIF", "WEBP", "AVIF", "HEIF", "TIFF"])
def test_a_picture_is_none(form: str, tmp_path: Path) -> None:
    with identified(b"none", "a", 1000):
        pass
    if form not in Pillow.SAVE:
        pytest.skip(f"{form} cannot be written here")
    content = io.BytesIO()
    Pillow.new("RGB", (64, 64)).save(content, form)
    path = tmp_path / "a.mp4"
    path.write_bytes(content.getvalue())
    assert not is_film(path)


def test_a_film_is_opened_without_what_reads_pictures() -> None:
    code = (
        "import sys; from pathlib import Path;"
        "from stream_server.ingest.files.open import open_contents;"
        "print(open_contents(Path(sys.argv[1]), 'a').parts[0].media.info.kind);"
        "print(sorted({'PIL.TiffImagePlugin', 'pillow_heif'} & set(sys.modules)))"
    )
    found = subprocess.run(
        [sys.executable, "-c", code, str(resources.sample_clip())],
        capture_output=True,
        text=True,
        check=True,
    )
    assert found.stdout.split("\n")[:2] == ["video", "[]"]
