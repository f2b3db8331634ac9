"""Looking through a file of any size."""

from __future__ import annotations

import random
import re
import threading
import time
from pathlib import Path

import pytest

from stream_server.ingest.files import file_bytes, picture_ends
from stream_server.ingest.files.behind import behind
from stream_server.ingest.files.file_bytes import FileBytes
from stream_server.ingest.files.program_maps import changes
from stream_server.ingest.files.recordings import recordings
from tests.support.scan_media import every, write_video
from tests.unit.stream_server.ingest.files.test_behind import FORMS, picture
from tests.unit.stream_server.ingest.files.test_recordings import KINDS, shade

LARGE = 128 << 20


@pytest.mark.parametrize("place", range(60, 72))
def test_nothing_is_missed_between_windows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: int
) -> None:
    monkeypatch.setattr(file_bytes, "WINDOW", 64)
    monkeypatch.setattr(file_bytes, "REACH", 8)
    path = tmp_path / "a"
    path.write_bytes(bytes(place) + b"needle" + bytes(30) + b"needle" + bytes(300))
    with FileBytes(path) as content:
        found = [at for at, _ in content.find_all(re.compile(rb"needle(?<=\x00needle)"), b"needle")]
        assert found == [place, place + 36]
        assert content.after_padding(place + 6) == place + 36
        assert content.without_padding(0, len(content)) == 12


def test_an_empty_file(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.touch()
    assert len(recordings(path)) == 1
    assert behind(path, "JPEG").pictures == ()


@pytest.mark.parametrize("begin", ["JPEG", "PNG", "GIF", "FLV", "YUV"])
def test_other_threads_go_on_meanwhile(tmp_path: Path, begin: str) -> None:
    """Threads that serve live video. In one search of it all there is no moment for them."""
    path = tmp_path / "a"
    starts = {"FLV": b"FLV\x01\x05\x00\x00\x00\x09\x00\x00\x00\x00", "YUV": b"YUV4MPEG2 "}
    path.write_bytes(starts.get(begin) or picture(begin))
    with path.open("r+b") as file:
        file.truncate(LARGE)
    turns, done = 0, threading.Event()

    def other() -> None:
        nonlocal turns
        while not done.is_set():
            turns += 1
            time.sleep(0.001)

    thread = threading.Thread(target=other)
    thread.start()
    before = turns
    if begin in starts:
        recordings(path)
    else:
        behind(path, begin)
    after = turns
    done.set()
    thread.join()
    assert after - before > 8


def damaged(content: bytes, chance: random.Random) -> bytes:
    if chance.random() < 0.4:
        return content[: chance.randrange(len(content))]
    changed = bytearray(content)
    for _ in range(chance.choice((1, 4, 30))):
        reach = min(len(changed), chance.choice((64, 600, len(changed))))
        changed[chance.randrange(reach)] = chance.choice((0, 1, 0xFF, chance.randrange(256)))
    return bytes(changed)


@pytest.mark.parametrize("form", FORMS)
def test_damaged_pictures_have_an_end(
    tmp_path: Path, form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(picture_ends, "MOST_STEPS", 1000)
    chance, one = random.Random(form), picture(form)
    path = tmp_path / "a"
    for _ in range(60):
        content = damaged(one + one, chance)
        path.write_bytes(content)
        found = behind(path, form.removesuffix(" in boxes"))
        places = [(one.start, one.end) for one in found.pictures]
        assert all(0 <= start < end <= len(content) for start, end in places)
        assert 0 <= found.left <= len(content)


@pytest.mark.parametrize("kind", [*KINDS, "ts"])
def test_damaged_recordings_lie_in_the_file(tmp_path: Path, kind: str) -> None:
    chance = random.Random(kind)
    made = write_video(
        tmp_path / f"a.{kind.split()[0]}", shade(60), every(10, 1), rate=10, **KINDS.get(kind, {})
    )
    one = made.read_bytes()
    path = tmp_path / "damaged"
    for _ in range(60):
        content = damaged(one + one, chance)
        path.write_bytes(content)
        found = recordings(path)
        assert found[0].start == 0 and found[-1].end <= len(content)
        assert all(place.start <= place.end for place in found)
        with FileBytes(path) as opened:
            assert all(0 <= place < len(content) for place in changes(opened))
