from __future__ import annotations

import pytest

from stream_server.ingest.urls.limits import MAX_RENDITIONS, MAX_SEGMENTS
from stream_server.ingest.urls.playlists import Playlist, best, checked_playlist, is_playlist
from stream_server.ingest.urls.refusals import RefusedSourceError

BASE = "https://cdn.example/live/a.m3u8"
FORBIDDEN = [
    "file:///etc/passwd", "concat:http://a/b|http://a/c", "data:text/plain;base64,aGk=",
    "http:", "http:/a",
    "subfile,,start,0,end,9,,:/etc/passwd", "subfile:/etc/passwd", "crypto:file:/etc/passwd",
    "async:file:/etc/passwd", "tee:a|b", "gopher://h/1", "ftp://h/a", "rtmp://h/a", "pipe:0",
    "unix:/run/x", "crypto+http://h/a", "cache:http://h/a", "FILE:///etc/passwd",
    "http://h/a\tb",
]  # fmt: skip


def checked(text: str, side: int = 960) -> Playlist:
    return checked_playlist(text.encode(), BASE, side)


def media(*lines: str) -> str:
    return "\n".join(["#EXTM3U", "#EXT-X-TARGETDURATION:2", *lines]) + "\n"


def test_addresses_become_absolute_and_nothing_else_changes() -> None:
    found = checked(
        media(
            '#EXT-X-MAP:URI="init.mp4",BYTERANGE="100@0"',
            '#EXT-X-KEY:METHOD=AES-128,URI="../key?t=1",IV=0x1',
            "#EXTINF:2,",
            "/abs/1.m4s",
            "#EXT-X-DISCONTINUITY",
            "#EXTINF:2,",
            "//other.example/2.m4s",
        )
    )
    assert found.text.splitlines()[2:] == [
        '#EXT-X-MAP:URI="https://cdn.example/live/init.mp4",BYTERANGE="100@0"',
        '#EXT-X-KEY:METHOD=AES-128,URI="https://cdn.example/key?t=1",IV=0x1',
        "#EXTINF:2,",
        "https://cdn.example/abs/1.m4s",
        "#EXT-X-DISCONTINUITY",
        "#EXTINF:2,",
        "https://other.example/2.m4s",
    ]
    assert found.keys == {"https://cdn.example/key?t=1"}
    assert not found.is_master and not found.ended and found.segments == 2


@pytest.mark.parametrize("address", FORBIDDEN)
@pytest.mark.parametrize(
    "place",
    [
        "{}",
        '#EXT-X-KEY:METHOD=AES-128,URI="{}"',
        '#EXT-X-MAP:URI="{}"',
        '#EXT-X-PART:DURATION=1,URI="{}"',
        '#EXT-X-PRELOAD-HINT:TYPE=PART,URI="{}"',
        '#EXT-X-RENDITION-REPORT:URI="{}",LAST-MSN=1',
        '#EXT-X-SOMETHING-NEW:A=1,URI="{}"',
        '#EXT-X-MAP:BYTERANGE="1@0"URI="{}"',
        '#EXT-X-MAP:URI="{}',
        '#EXT-X-MAP:URI="a.mp4"URI="{}"',
    ],
)
def test_other_schemes_are_refused_wherever_they_stand(place: str, address: str) -> None:
    with pytest.raises(RefusedSourceError, match="only http and https"):
        checked(media(place.format(address), "#EXTINF:2,", "a.ts"))


@pytest.mark.parametrize("address", FORBIDDEN)
@pytest.mark.parametrize(
    "place",
    [
        "#EXT-X-STREAM-INF:BANDWIDTH=1\n{}",
        '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="b",URI="{}"',
        '#EXT-X-I-FRAME-STREAM-INF:BANDWIDTH=1,URI="{}"',
        '#EXT-X-SESSION-KEY:METHOD=AES-128,URI="{}"',
        '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a"URI="{}"',
    ],
)
def test_and_in_a_master_playlist(place: str, address: str) -> None:
    good = "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=9\ngood.m3u8\n"
    checked(good)
    with pytest.raises(RefusedSourceError, match="only http and https"):
        checked(good + place.format(address) + "\n")


def test_ten_thousand_segments_are_too_many() -> None:
    many = ["#EXTINF:2,", "a.ts"] * 10_000
    with pytest.raises(RefusedSourceError, match=f"10000 segments; the limit is {MAX_SEGMENTS}"):
        checked(media(*many))
    assert checked(media(*many[: 2 * MAX_SEGMENTS])).segments == MAX_SEGMENTS


def test_sizes_of_any_number_of_digits_are_read() -> None:
    lines = f"#EXT-X-STREAM-INF:BANDWIDTH={'9' * 5000},RESOLUTION={'9' * 5000}x1\na.m3u8\n"
    assert checked("#EXTM3U\n" + lines).is_master


def test_so_are_a_hundred_and_one_renditions() -> None:
    text = "#EXTM3U\n" + "#EXT-X-STREAM-INF:BANDWIDTH=1\na.m3u8\n" * (MAX_RENDITIONS + 1)
    with pytest.raises(RefusedSourceError, match=f"the limit is {MAX_RENDITIONS}"):
        checked(text)


MASTER = """#EXTM3U
#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="low",NAME="en",URI="low.m3u8"
#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="high",NAME="en",URI="high.m3u8"
#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID="s",NAME="en",URI="words.m3u8"
#EXT-X-STREAM-INF:BANDWIDTH=100000,RESOLUTION=320x180,AUDIO="low"
small.m3u8
#EXT-X-STREAM-INF:BANDWIDTH=2000000,RESOLUTION=1280x720,AUDIO="high"
hd.m3u8
#EXT-X-STREAM-INF:BANDWIDTH=3000000,RESOLUTION=1280x720,AUDIO="high"
hd-better.m3u8
#EXT-X-STREAM-INF:BANDWIDTH=9000000,RESOLUTION=3840x2160,AUDIO="high"
uhd.m3u8
#EXT-X-STREAM-INF:BANDWIDTH=64000,AUDIO="low"
sound.m3u8
"""


def test_of_a_master_playlist_one_stream_and_its_sound_are_left() -> None:
    found = checked(MASTER)
    assert found.is_master
    assert found.children == {
        "https://cdn.example/live/hd-better.m3u8",
        "https://cdn.example/live/high.m3u8",
    }
    assert found.text.count("m3u8") == 2 and "words" not in found.text


@pytest.mark.parametrize(
    ("side", "chosen"), [(200, 0), (320, 0), (321, 2), (960, 2), (1281, 3), (9999, 3)]
)
def test_the_smallest_that_loses_nothing_is_chosen(side: int, chosen: int) -> None:
    assert best([(320, 1), (1280, 2), (1280, 3), (3840, 9)], side) == chosen


def test_what_is_a_playlist_is_told_by_its_content() -> None:
    assert is_playlist(b"\xef\xbb\xbf#EXTM3U\n") and is_playlist(b"\r\n#EXTM3U")
    assert not is_playlist(b"G@\x00") and not is_playlist(b"<MPD>")


@pytest.mark.parametrize("data", [b"#EXTM3U\n\xff\xfe", b"#EXTM3U\n#EXT-X-STREAM-INF:A=1\n"])
def test_what_is_broken_is_refused(data: bytes) -> None:
    with pytest.raises(RefusedSourceError):
        checked_playlist(data, BASE, 960)


def test_the_end_is_seen() -> None:
    assert checked(media("#EXTINF:2,", "a.ts", "#EXT-X-ENDLIST")).ended


def test_parts_of_low_latency_are_left_out() -> None:
    found = checked(media("#EXTINF:2,", "a.ts", '#EXT-X-PART:DURATION=1,URI="p.ts"'))
    assert "PART" not in found.text and found.segments == 1
