"""Inputs that cannot be scanned: a clear message, exit status 2, and the batch goes on."""

from __future__ import annotations

import errno
import struct
import tracemalloc
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image as Pillow

from stream_server.ingest.files import fetch
from tests.support.scan_media import every, moving_face, only_sound, write_video
from tests.support.scanning import ScanCommand


def empty(folder: Path) -> Path:
    path = folder / "empty.mp4"
    path.touch()
    return path


def text(folder: Path) -> Path:
    path = folder / "letter.mp4"
    path.write_text("Dear reader, this is no video.\n" * 200)
    return path


def truncated(folder: Path) -> Path:
    path = write_video(folder / "truncated.mp4", moving_face(), every(30, 1))
    path.write_bytes(path.read_bytes()[:2000])  # an mp4 without its index
    return path


def truncated_picture(folder: Path) -> Path:
    path = folder / "half.jpg"
    Pillow.fromarray(moving_face()(0.0)).save(path)
    path.write_bytes(path.read_bytes()[:700])
    return path


def sound(folder: Path) -> Path:
    return only_sound(folder / "song.m4a")


def missing(folder: Path) -> Path:
    return folder / "nowhere.mp4"


def picture_bomb(folder: Path) -> Path:
    """A PNG of 40 kB that would be 7.5 GB of pixels."""
    path = folder / "bomb.png"
    side = 50_000
    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(bytes(side * 3))), (b"IEND", b"")]
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n"
        + b"".join(
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
            for kind, data in chunks
        )
    )
    return path


def video_bomb(folder: Path) -> Path:
    """A black video with frames of more pixels than the limit."""
    black = np.zeros((8320, 8192, 3), np.uint8)
    return write_video(
        folder / "bomb.mov",
        lambda time: black,
        [0.0],
        codec="mjpeg",
        options={},
        pix_fmt="yuvj420p",
    )


def playlist(folder: Path) -> Path:
    """A list of other files, which a stranger's file must not make us open."""
    secret = write_video(folder / "secret.mp4", moving_face(), every(10, 1))
    path = folder / "list.mp4"
    path.write_text(f"ffconcat version 1.0\nfile {secret.name}\n")
    return path


CASES = [
    (empty, "empty", "0 bytes"),
    (text, "not_media", "not a video or picture"),
    (truncated, None, "truncated.mp4"),
    (truncated_picture, "truncated", "damaged or breaks off"),
    (sound, "no_video", "only sound"),
    (missing, "missing", "no such file"),
    (picture_bomb, "too_many_pixels", "far more pixels than the limit"),
    (video_bomb, "too_many_pixels", "8192x8320"),
    (playlist, "not_media", "not a video or picture"),
]


@pytest.mark.parametrize(("make", "code", "words"), CASES, ids=[case[0].__name__ for case in CASES])
def test_refused_with_a_clear_message(
    scan: ScanCommand, tmp_path: Path, make: Any, code: Any, words: Any
) -> None:
    path = make(tmp_path)
    outcome = scan(path)
    assert outcome.status == 2
    error = outcome.found["error"]
    assert code is None or error["code"] == code
    assert words in error["detail"] and path.name in error["detail"]
    assert {"type", "title", "status", "detail"} <= set(error)
    assert outcome.found["faces"] == [] and outcome.found["probability"] is None
    assert error["detail"] in outcome.err
    assert "Traceback" not in outcome.err


def test_the_rest_of_the_batch_goes_on(
    scan: ScanCommand, tmp_path: Path, portrait_clip: Path
) -> None:
    outcome = scan(empty(tmp_path), text(tmp_path), portrait_clip, missing(tmp_path))
    assert outcome.status == 2
    assert [report["error"] is None for report in outcome.reports] == [False, False, True, False]
    assert outcome.reports[2]["probability"] is not None


def test_2_wins_over_3(scan: ScanCommand, tmp_path: Path, portrait_clip: Path) -> None:
    assert scan(portrait_clip, "--fail-on", "unsure").status == 3
    assert scan(portrait_clip, missing(tmp_path), "--fail-on", "unsure").status == 2


def test_a_picture_bomb_is_refused_before_its_pixels_are_decoded(tmp_path: Path) -> None:
    from stream_server.ingest.files.open import open_media
    from stream_server.ingest.files.unusable import UnusableError

    path = picture_bomb(tmp_path)
    tracemalloc.start()
    try:
        with pytest.raises(UnusableError, match="far more pixels"):
            open_media(path, "bomb.png", 8192 * 8192, 120_000_000)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 50e6


def test_a_disk_that_is_full_for_one_download(
    scan: ScanCommand, tmp_path: Path, portrait_clip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*arguments: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    from tests.support.files_server import files_server

    with files_server(portrait_clip.parent) as address:
        monkeypatch.setattr(fetch, "_copy", full)
        outcome = scan(f"{address}/{portrait_clip.name}", portrait_clip)
    assert outcome.status == 2
    assert outcome.reports[0]["error"]["code"] == "disk_full"
    assert "the disk is full" in outcome.err
    assert outcome.reports[1]["error"] is None


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
@pytest.mark.parametrize("output", ["--html"])
def test_a_disk_that_is_full_for_the_report(
    scan: ScanCommand, portrait_clip: Path, output: str
) -> None:
    outcome = scan(portrait_clip, output, "/dev/full")
    assert outcome.status == 2
    assert "cannot write /dev/full: the disk is full" in outcome.err
    assert outcome.found["error"] is None
