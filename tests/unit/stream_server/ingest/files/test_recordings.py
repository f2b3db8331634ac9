"""Recordings that were joined byte by byte, and what lies behind a picture."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image as Pillow

from stream_server.ingest.files import recordings
from stream_server.ingest.files.behind import behind
from stream_server.ingest.files.file_range import FileRange, open_at, size_of
from stream_server.ingest.files.joined import Joined
from stream_server.ingest.files.media import WHOLE, ReadCounts, Stretch
from stream_server.ingest.files.open import open_contents
from stream_server.ingest.files.unusable import UnusableError
from stream_server.ingest.files.video import VideoFile
from stream_server.ingest.files.video_contents import video_contents
from tests.support.scan_media import every, write_video

VP8 = {"codec": "libvpx", "options": {"deadline": "realtime", "cpu-used": "8"}}
KINDS: dict[str, dict[str, Any]] = {
    "mp4": {},
    "mov": {},
    "flv": {},
    "mkv": {},
    "webm": VP8,
    "ivf": VP8,
    "wmv": {"codec": "wmv2", "options": {}},
    "avi": {"codec": "mpeg4", "options": {}},
    "mp4 in fragments": {"container": {"movflags": "frag_keyframe+empty_moov"}},
}


def shade(value: int) -> Any:
    return lambda time: np.full((48, 64, 3), value, np.uint8)


def piece(folder: Path, name: str, kind: str, value: int, seconds: float = 1.0) -> Path:
    path = folder / f"{name}.{kind.split()[0]}"
    return write_video(path, shade(value), every(10, seconds), rate=10, **KINDS[kind])


def join(path: Path, *pieces: Path) -> Path:
    path.write_bytes(b"".join(one.read_bytes() for one in pieces))
    return path


@pytest.mark.parametrize("kind", KINDS)
def test_all_of_them_are_read_in_their_order(tmp_path: Path, kind: str) -> None:
    pieces = [piece(tmp_path, name, kind, value) for name, value in (("a", 60), ("b", 180))]
    contents = video_contents(join(tmp_path / "joined", *pieces), "joined")
    assert contents.unread == ()
    (part,) = contents.parts
    assert part.media.info.duration == pytest.approx(2.0, abs=0.25)
    assert part.media.info.frames == 20
    frames = [frame for _, frame in part.media.read(WHOLE, 10.0, ReadCounts())]
    assert [frame.media_time for frame in frames] == sorted(frame.media_time for frame in frames)
    seen = [round(float(frame.image.mean()) / 60) for frame in frames]
    assert seen == [1] * 10 + [3] * 10


def test_a_recording_alone_is_the_file_itself(tmp_path: Path) -> None:
    path = piece(tmp_path, "a", "mp4", 60)
    (only,) = recordings.recordings(path)
    assert (only.start, only.end) == (0, path.stat().st_size)
    assert isinstance(video_contents(path, "a").parts[0].media, VideoFile)


def test_more_than_can_be_looked_at_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("recordings", "video_contents"):
        monkeypatch.setattr(f"stream_server.ingest.files.{module}.MOST", 2)
    one = piece(tmp_path, "a", "flv", 60)
    contents = video_contents(join(tmp_path / "joined", *[one] * 5), "joined")
    assert contents.parts[0].media.info.frames == 20
    (rest,) = contents.unread
    assert (rest.what, rest.pictures) == ("the rest of the file", 1)


def test_where_none_can_be_read_it_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "joined"
    path.write_bytes((b"FLV\x01\x01\x00\x00\x00\x09\x00\x00\x00\x00" + bytes(100)) * 2)
    with pytest.raises(UnusableError):
        video_contents(path, "joined")


def test_a_stretch_over_the_border(tmp_path: Path) -> None:
    pieces = [VideoFile(piece(tmp_path, n, "mp4", v), n) for n, v in (("a", 60), ("b", 180))]
    joined = Joined(pieces)
    counts = ReadCounts()
    stretches = (Stretch(0.25, 0.5), Stretch(0.75, 1.35))
    found = [(s, f.media_time) for s, f in joined.read(stretches, 10.0, counts)]
    assert [time for stretch, time in found if stretch is stretches[0]] == pytest.approx([0.3, 0.4])
    across = [time for stretch, time in found if stretch is stretches[1]]
    assert across == pytest.approx([0.8, 0.9, 1.0, 1.1, 1.2, 1.3])
    assert counts.last == pytest.approx(1.3, abs=0.11)


def test_a_window_on_a_file_reads_as_a_file(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(bytes(range(100)))
    place = FileRange(path, 10, 30)
    assert (size_of(place), size_of(path)) == (20, 100)
    assert place.content() == bytes(range(10, 30))
    with open_at(place) as file:
        assert file.seek(-5, io.SEEK_END) == 15
        assert file.read() == bytes(range(25, 30))
        assert file.seek(3) == 3 and file.read(2) == bytes([13, 14])
        assert file.seek(50) == 50 and file.read() == b""


@pytest.mark.parametrize("packets", ["", "192 bytes each"])
def test_a_transport_stream_that_goes_on_in_another_codec(tmp_path: Path, packets: str) -> None:
    container = {"mpegts_m2ts_mode": "1"} if packets else {}
    first, second = (
        write_video(
            tmp_path / f"{value}.ts", shade(value), every(25, 2), rate=25, codec=codec,
            options=options, container=container,
        )
        for value, codec, options in ((60, "libx264", None), (180, "mpeg4", {}))
    )  # fmt: skip
    contents = video_contents(join(tmp_path / "joined", first, second, first), "joined")
    assert contents.unread == ()
    (part,) = contents.parts
    assert part.media.info.duration == pytest.approx(6.0, abs=0.5)
    seen = [
        round(float(frame.image.mean()) / 60)
        for _, frame in part.media.read(WHOLE, 10.0, ReadCounts())
    ]
    assert [seen.count(1), seen.count(3)] == pytest.approx([40, 20], abs=4)


def test_a_transport_stream_in_one_codec_is_one(tmp_path: Path) -> None:
    one = write_video(tmp_path / "a.ts", shade(60), every(25, 2), rate=25)
    assert len(recordings.recordings(join(tmp_path / "joined", one, one))) == 1


def test_a_window_behind_the_first_bytes_of_all(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(bytes(range(100)))
    place = FileRange(path, 50, 60, head=4)
    assert size_of(place) == 14
    assert place.content() == bytes([0, 1, 2, 3, *range(50, 60)])
    with open_at(place) as file:
        file.seek(2)
        assert file.read(4) == bytes([2, 3, 50, 51])


@pytest.mark.parametrize("again", [1, 3])
def test_fragments_under_one_header_whose_clock_starts_again(tmp_path: Path, again: int) -> None:
    whole = piece(tmp_path, "a", "mp4 in fragments", 60).read_bytes()
    fragments = whole[whole.index(b"moof") - 4 : whole.rindex(b"mfra") - 4]
    path = tmp_path / "joined"
    path.write_bytes(whole[: whole.rindex(b"mfra") - 4] + fragments * again)
    contents = video_contents(path, "joined")
    assert contents.unread == ()
    assert contents.parts[0].media.info.frames == 10 * (1 + again)


def test_a_fragment_that_breaks_off_in_its_header(tmp_path: Path) -> None:
    made = write_video(
        tmp_path / "a.mp4", shade(60), every(10, 3.0), rate=10, options={"g": "10"},
        container=KINDS["mp4 in fragments"]["container"],
    )  # fmt: skip
    whole = made.read_bytes()
    begin = whole.rindex(b"moof") - 4
    length = int.from_bytes(whole[begin : begin + 4], "big")
    path = tmp_path / "cut"
    for cut in range(8, length):
        path.write_bytes(whole[: begin + cut])
        assert [one.end for one in recordings.recordings(path)] == [begin]
    # FFmpeg itself refuses the file where it ends in the last table.
    for cut in (20, length // 2, length - 1):
        path.write_bytes(whole[: begin + cut])
        contents = video_contents(path, "cut")
        assert contents.parts[0].media.info.frames == 20
        assert len(contents.unread) == (cut > 0.05 * (begin + cut))


def picture(form: str, value: int = 90) -> bytes:
    out = io.BytesIO()
    Pillow.fromarray(shade(value)(0.0)).save(out, form)
    return out.getvalue()


@pytest.mark.parametrize("form", ["JPEG", "PNG", "GIF", "WEBP"])
def test_pictures_behind_one_another(tmp_path: Path, form: str) -> None:
    path, one = tmp_path / "a", picture(form)
    path.write_bytes(one * 3)
    assert [(place.start, place.end) for place in behind(path, form).pictures] == [
        (len(one), 2 * len(one)),
        (2 * len(one), 3 * len(one)),
    ]
    path.write_bytes(one + b"and something else " * 20)
    assert behind(path, form).pictures == ()


def test_small_pictures_within_another_are_none_behind_it(tmp_path: Path) -> None:
    """Cameras keep previews in the header."""
    one = picture("JPEG")
    header = b"\xff\xe1" + (2 + 2 * len(one)).to_bytes(2, "big") + one * 2
    path = tmp_path / "a"
    path.write_bytes(one[:2] + header + one[2:])
    assert behind(path, "JPEG").pictures == ()
    assert len(open_contents(path, "a").parts) == 1


@pytest.mark.parametrize("length", [3, 30, 200])
def test_a_jpeg_that_breaks_off_has_nothing_behind(tmp_path: Path, length: int) -> None:
    path = tmp_path / "a"
    path.write_bytes(picture("JPEG")[:length])
    assert behind(path, "JPEG").pictures == ()


def test_many_in_a_row_are_a_video(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"".join(picture("JPEG", 10 * value) for value in range(12)))
    (part,) = open_contents(path, "a").parts
    assert (part.media.info.kind, part.media.info.frames) == ("video", 12)


@pytest.mark.parametrize(("brand", "found"), [(b"mp42", True), (b"qt  ", True), (b"heic", False)])
def test_a_video_is_told_by_its_brand(tmp_path: Path, brand: bytes, found: bool) -> None:
    path, one = tmp_path / "a", picture("JPEG")
    path.write_bytes(one + b"\x00\x00\x00\x18ftyp" + brand + bytes(50))
    video = behind(path, "JPEG").video
    assert (video is not None) == found
    assert video is None or video.start == len(one)


def test_pictures_and_a_map_of_brightness_behind(tmp_path: Path) -> None:
    one = picture("JPEG")
    note = b"http://ns.adobe.com/hdr-gain-map/1.0/ hdrgm:Version"
    gain_map = one[:2] + b"\xff\xe1" + (2 + len(note)).to_bytes(2, "big") + note + one[2:]
    path = tmp_path / "a"
    path.write_bytes(one + gain_map + one[:-40])
    contents = open_contents(path, "a")
    assert [part.label for part in contents.parts] == ["", "picture 3 in the file"]
    assert [(one.code, one.pictures) for one in contents.unread] == [("gain_map", 0)]
