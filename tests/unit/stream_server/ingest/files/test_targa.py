"""What may be a TGA where nothing else can be told."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from stream_server.ingest.files import targa
from stream_server.ingest.files.open import open_contents
from stream_server.ingest.files.unusable import UnusableError


def made(path: Path, kind: int = 2, depth: int = 24, size: int = 4 * 4 * 3, width: int = 4) -> Path:
    header = struct.pack("<BBBHHBHHHHBB", 0, 0, kind, 0, 0, 0, 0, 0, width, 4, depth, 0)
    path.write_bytes(header + bytes(size))
    return path


def test_a_header_that_makes_sense(tmp_path: Path) -> None:
    assert targa.may_be(made(tmp_path / "a"))
    assert (open_contents(tmp_path / "a", "a").parts[0].media.info.form) == "TGA"


@pytest.mark.parametrize(
    "wrong", [{"kind": 4}, {"depth": 12}, {"size": 20}, {"size": 500}, {"width": 0}]
)
def test_a_header_that_makes_none(tmp_path: Path, wrong: dict[str, int]) -> None:
    path = made(tmp_path / "a", **wrong)
    assert not targa.may_be(path)
    with pytest.raises(UnusableError) as caught:
        open_contents(path, "a")
    assert caught.value.code == "not_media"


def test_text_is_none(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_text("A letter to nobody, long enough to hold a header.")
    assert not targa.may_be(path) and not targa.is_signed(path)
