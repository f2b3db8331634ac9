"""The reader inside this process: what it hands over and what it refuses."""

from __future__ import annotations

import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stream_server.ingest.urls import segments as opening_segments
from stream_server.ingest.urls.timing import Pace
from tests.support.files_server import files_server
from tests.support.live_media import live_bytes, moving, write_dash, write_hls, write_live
from tests.support.live_reading import read_here
from tests.support.web import Web, answer, away, web_server

pytestmark = pytest.mark.patient


@pytest.fixture
def web() -> Iterator[Web]:
    with web_server() as server:
        yield server


_PACED = Pace.wait


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is paced is not waited for, whatever the clock says."""
    monkeypatch.setattr("stream_server.ingest.urls.timing.Pace.wait", lambda *a: 0.0)


def test_hls_is_played_to_its_end(tmp_path: Path) -> None:
    write_hls(tmp_path, 4.0)
    with files_server(tmp_path) as address:
        heard = read_here(f"{address}/live.m3u8")
    assert heard.kinds == ["playing", "ended"]
    assert len(heard.times) == 40 and heard.times[0] == 0 and heard.times[-1] >= 3.8
    assert {round(b - a, 2) for a, b in pairwise(heard.times)} == {0.08, 0.12}
    _, image = heard.frames[0]
    assert image.shape == (180, 320, 3) and image.dtype == np.uint8
    assert np.abs(image.astype(int) - moving(0.0)).mean() < 8
    assert heard.beats >= 1


@pytest.mark.parametrize("kind", ["fmp4", "encrypted", "ranges"])
def test_so_are_its_other_forms(tmp_path: Path, kind: str) -> None:
    key = tmp_path / "key"
    key.write_bytes(b"sixteen bytes of")
    with files_server(tmp_path) as address:
        info = tmp_path / "info"
        info.write_text(f"{address}/key\n{key}\n")
        options = {
            "fmp4": {"hls_segment_type": "fmp4"},
            "encrypted": {"hls_key_info_file": str(info)},
            "ranges": {"hls_flags": "single_file"},
        }[kind]
        write_hls(tmp_path, 4.0, options=options)
        if kind == "ranges":
            # The plain server knows no ranges: what it gives is cut here as a better one would.
            text = (tmp_path / "live.m3u8").read_text()
            assert "#EXT-X-BYTERANGE" in text
            with ranged(tmp_path) as ranging:
                heard = read_here(f"{ranging}/live.m3u8")
        else:
            heard = read_here(f"{address}/live.m3u8")
    assert heard.kinds == ["playing", "ended"], heard.states
    assert len(heard.frames) == 40


def ranged(folder: Path) -> Any:
    from contextlib import contextmanager

    @contextmanager
    def serve() -> Iterator[str]:
        with web_server() as server:

            def segment(request: Any) -> None:
                data = (folder / "live.ts").read_bytes()
                first, _, last = request.headers["Range"].removeprefix("bytes=").partition("-")
                answer(data[int(first) : int(last) + 1], 206)(request)

            server.routes["/live.m3u8"] = answer((folder / "live.m3u8").read_bytes())
            server.routes["/live.ts"] = segment
            yield server.url

    return serve()


def test_dash_is_played_to_its_end(tmp_path: Path) -> None:
    write_dash(tmp_path, 4.0)
    with files_server(tmp_path) as address:
        heard = read_here(f"{address}/live.mpd")
    assert heard.kinds == ["playing", "ended"] and len(heard.frames) == 40


def test_of_a_master_playlist_one_stream_is_fetched(tmp_path: Path, web: Web) -> None:
    write_hls(tmp_path / "big", 2.0, size=(640, 360))
    write_hls(tmp_path / "small", 2.0)
    for path in tmp_path.rglob("live*"):
        web.routes[f"/{path.parent.name}/{path.name}"] = answer(path.read_bytes())
    web.routes["/master.m3u8"] = answer(
        b"#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1,RESOLUTION=320x180\nsmall/live.m3u8\n"
        b"#EXT-X-STREAM-INF:BANDWIDTH=9,RESOLUTION=640x360\nbig/live.m3u8\n"
    )
    heard = read_here(f"{web.url}/master.m3u8", side=300)
    assert heard.kinds[-1] == "ended"
    assert max(heard.frames[0][1].shape) == 300
    assert not [path for path, _ in web.seen if "big" in path]


@pytest.mark.parametrize(("form", "codec"), [("mpegts", "libx264"), ("webm", "libvpx")])
def test_a_stream_over_http_goes_on_until_it_breaks_off(web: Web, form: str, codec: str) -> None:
    data = live_bytes(form, 4.0, codec=codec)

    def icecast(request: Any) -> None:
        request.protocol_version = "HTTP/1.0"
        request.send_response(200)
        request.end_headers()
        request.wfile.write(data)
        request.close_connection = True

    web.routes["/live"] = icecast
    heard = read_here(f"{web.url}/live?token=hunter22")
    # It came all at once, so the reader takes itself to be behind and leaves some out.
    assert heard.kinds == ["playing", "gone"] and len(heard.frames) >= 15
    assert "hunter22" not in heard.reason


def test_a_change_of_size_and_clock_goes_on(web: Web) -> None:
    parts = [live_bytes("mpegts", 2.0), live_bytes("mpegts", 2.0, size=(640, 360), start=5000)]

    def live(request: Any) -> None:
        request.send_response(200)
        request.end_headers()
        for part in parts:
            request.wfile.write(part)
        request.close_connection = True

    web.routes["/live"] = live
    heard = read_here(f"{web.url}/live")
    shapes = {image.shape for _, image in heard.frames}
    assert shapes == {(180, 320, 3), (360, 640, 3)}
    assert heard.times == sorted(heard.times) and heard.times[-1] < 6


@pytest.mark.parametrize(
    ("picture", "sound", "loud", "seconds", "kind"),
    [
        (lambda time: np.full((180, 320, 3), 1, np.uint8), False, 0, 4, "black"),
        (lambda time: moving(0.7), False, 0, 6, "frozen"),
        (None, True, 0.0, 14, "silent"),
    ],
)
def test_black_frozen_and_silent_are_states_of_their_own(
    tmp_path: Path, picture: Any, sound: bool, loud: float, seconds: float, kind: str
) -> None:
    write_hls(tmp_path, seconds, picture=picture, sound=sound, loud=loud)
    with files_server(tmp_path) as address:
        heard = read_here(f"{address}/live.m3u8")
    assert heard.kinds == ["playing", kind, "ended"]
    last = heard.times[-1]
    assert last > seconds - 0.5 if kind == "silent" else last < seconds - 1


def test_sound_that_is_heard_is_no_state(tmp_path: Path) -> None:
    write_hls(tmp_path, 12.0, sound=True)
    with files_server(tmp_path) as address:
        assert read_here(f"{address}/live.m3u8").kinds == ["playing", "ended"]


class _Clock:
    """Stands for ``time``: whoever sleeps finds that the time has passed."""

    def __init__(self) -> None:
        self.now = 100.0

    def monotonic(self) -> float:
        return self.now

    def time(self) -> float:
        return 1.8e9 + self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def test_a_file_is_played_again_and_again_and_nothing_is_missing_at_the_seam(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seconds = 6  # more than a reader may be late before it leaves pictures out
    grey = [np.full((180, 320, 3), 40 * second, np.uint8) for second in range(seconds)]
    clip = tmp_path / "clip.mp4"
    write_live(clip, "mp4", seconds, picture=lambda at: grey[int(at)], bframes=3, key_every=50)
    times: list[float] = []
    shown: Counter[int] = Counter()

    def enough(self: Any, image: Any, time: float) -> None:
        times.append(time)
        shown[round(image.mean() / 40)] += 1
        if time > 3 * seconds:
            raise OSError("enough")

    monkeypatch.setattr(Pace, "wait", _PACED)
    monkeypatch.setattr("stream_server.ingest.urls.reader.time", _Clock())
    monkeypatch.setattr("stream_server.ingest.urls.conditions.PictureWatch.saw", enough)
    heard = read_here(f"file://{clip}", files=str(tmp_path), sample_hz=5.0)
    assert heard.reason == "it cannot be read: enough"
    assert times == sorted(times)
    assert min(shown[second] for second in range(seconds)) >= 12  # of five in each of three rounds


# What is hostile.


def playlist(*lines: str) -> Any:
    text = "\n".join(["#EXTM3U", "#EXT-X-TARGETDURATION:2", "#EXT-X-MEDIA-SEQUENCE:1", *lines])
    return answer(text.encode() + b"\n")


def one_segment(web: Web, handler: Any) -> str:
    web.routes["/a.m3u8"] = playlist("#EXTINF:2,", "a.ts", "#EXT-X-ENDLIST")
    web.routes["/a.ts"] = handler
    return f"{web.url}/a.m3u8"


@pytest.mark.parametrize(
    ("lines", "why"),
    [
        (["#EXTINF:2,", "file:///etc/passwd"], "file:///etc/passwd"),
        (["#EXTINF:2,", "http://169.254.169.254/a.ts"], "169.254.169.254"),
        (["#EXTINF:2,", "http://[::ffff:10.0.0.1]/a.ts"], "10.0.0.1"),
        (["#EXTINF:2,", "http://2852039166/a.ts"], "odd spelling"),
        (['#EXT-X-MAP:URI="http://10.0.0.1/i.mp4"', "#EXTINF:2,", "a.ts"], "10.0.0.1"),
        (
            ['#EXT-X-KEY:METHOD=AES-128,URI="http://10.0.0.1/k"', "#EXTINF:2,", "a.ts"],
            "10.0.0.1",
        ),
        (
            ["#EXT-X-KEY:METHOD=AES-128,URI=file:///etc/passwd", "#EXTINF:2,", "a.ts"],
            "without quotes",
        ),
        (["#EXTINF:2,", "a.ts"] * 10_000, "10000 segments; the limit is 8000"),
    ],
)
def test_a_hostile_playlist_is_refused_with_its_reason(
    web: Web, lines: list[str], why: str
) -> None:
    web.routes["/a.m3u8"] = playlist(*lines)
    web.routes["/a.ts"] = answer(live_bytes("mpegts", 1.0))
    heard = read_here(f"{web.url}/a.m3u8")
    assert heard.kinds == ["failed"] and why in heard.reason


def test_a_segment_that_redirects_inside_is_refused(web: Web) -> None:
    heard = read_here(one_segment(web, away("http://169.254.169.254/latest/meta-data/")))
    assert heard.kinds == ["failed"] and "169.254.169.254" in heard.reason


def test_a_segment_of_a_gigabyte_is_refused(web: Web) -> None:
    heard = read_here(one_segment(web, answer(b"G", Content_Length=str(1024**3))))
    assert heard.kinds == ["failed"]
    assert "1073741824 bytes or more; the limit is 134217728" in heard.reason


def test_so_is_one_that_does_not_say_how_long_it_is(
    web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opening_segments, "MAX_SEGMENT_BYTES", 200_000)

    def endless(request: Any) -> None:
        request.send_response(200)
        request.end_headers()
        null = b"G\x1f\xff\x10" + b"\xff" * 184
        while True:
            request.wfile.write(null * 100)

    heard = read_here(one_segment(web, endless))
    assert heard.kinds == ["failed"] and "the limit is 200000" in heard.reason


@pytest.mark.parametrize(
    "inner",
    [
        b"#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nb.m3u8\n",
        b"#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\na.m3u8\n",
    ],
)
def test_playlists_that_nest_are_refused(web: Web, inner: bytes) -> None:
    web.routes["/a.m3u8"] = answer(b"#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nb.m3u8\n")
    web.routes["/b.m3u8"] = answer(inner)
    heard = read_here(f"{web.url}/a.m3u8")
    assert heard.kinds == ["failed"] and "inside another; the limit is 1" in heard.reason


def test_so_is_one_that_names_itself(web: Web) -> None:
    heard = read_here_of(web, b"#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\na\n")
    assert heard.kinds == ["failed"] and "inside another; the limit is 1" in heard.reason


def test_so_is_a_playlist_in_the_place_of_a_segment(web: Web) -> None:
    heard = read_here(one_segment(web, answer(b"#EXTM3U\n#EXTINF:2,\nfile:///etc/passwd\n")))
    assert heard.kinds == ["failed"] and "is a playlist" in heard.reason


def test_a_playlist_that_does_not_end_is_refused(web: Web) -> None:
    heard = read_here_of(web, b"#EXTM3U\n" + b"#" * (3 * 1024**2))
    assert heard.kinds == ["failed"] and "the limit is 2097152" in heard.reason


def read_here_of(web: Web, body: bytes, **chosen: Any) -> Any:
    web.routes["/a"] = answer(body)
    return read_here(f"{web.url}/a", **chosen)


def test_a_codec_bomb_is_refused_before_it_is_decoded(web: Web) -> None:
    black = np.zeros((2160, 3840, 3), np.uint8)
    data = live_bytes("mpegts", 0.2, size=(3840, 2160), picture=lambda time: black)
    heard = read_here_of(web, data, max_pixels=1280 * 720)
    assert heard.kinds == ["failed"]
    assert heard.reason == "the stream has 3840x2160 pixels; the limit is 921600 in all"


def test_a_picture_that_grows_on_the_way_is_refused(web: Web) -> None:
    big = live_bytes("mpegts", 1.0, size=(1920, 1080), start=3)
    heard = read_here_of(web, live_bytes("mpegts", 3.0) + big, max_pixels=1280 * 720)
    assert heard.kinds[0] == "playing" and heard.kinds[-1] in ("failed", "gone", "ended")
    assert {image.shape for _, image in heard.frames} == {(180, 320, 3)}


@pytest.mark.parametrize("body", [b"", b"x" * 50_000, b"<html>no</html>" * 500, bytes(100_000)])
def test_what_is_no_stream_may_be_one_later(web: Web, body: bytes) -> None:
    heard = read_here_of(web, body)
    assert heard.kinds == ["gone"] and heard.reason.startswith("it cannot be read")


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("concat:http://127.0.0.1/a|b", "concat: is not watched; what is: file, http, https"),
        ("ftp://127.0.0.1/a", "ftp: is not watched"),
        ("data:text/plain,a", "data: is not watched"),
        ("subfile,,start,0,end,9,,:/etc/passwd", "is not watched"),
        ("file:///etc/passwd", "FAKELIGHT_MONITOR_FILES"),
        ("http://10.0.0.1/a", "10.0.0.1"),
        ("rtmp://10.0.0.1/live/x", "10.0.0.1"),
        ("rtsp://10.0.0.1/x", "10.0.0.1"),
        ("rtsps://0x7f.1/x", "odd spelling"),
        ("rtmp://10.0.0.1:6379/x@public.example.com/app/stream", "percent-encoded"),
        ("rtsp://10.0.0.1?x@public.example.com/stream", "percent-encoded"),
        ("rtmp://h:99999/live/x", "rtmp://h:99999"),
        ("udp://127.0.0.2:5000", "127.0.0.2"),
        ("srt://10.0.0.1:5000", "10.0.0.1"),
        ("srt://127.0.0.1", "names no host or no port"),
        ("srt://127.0.0.1:9?streamid='x", "quotes and blanks"),
        ("srt://h:99999", "Port out of range"),
    ],
)
def test_what_is_not_watched_is_refused(url: str, why: str) -> None:
    heard = read_here(url)
    assert heard.kinds == ["failed"] and why in heard.reason


def test_without_the_program_srt_is_refused_plainly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    heard = read_here("srt://127.0.0.1:9000?passphrase=hunter22hunter")
    assert heard.kinds == ["failed"]
    assert "the program ffmpeg, which is not installed here" in heard.reason
    assert "hunter22" not in heard.reason


def test_sound_alone_is_nothing_to_look_at(web: Web) -> None:
    import io

    import av

    from tests.support.live_media import _tone

    file = io.BytesIO()
    with av.open(file, "w", format="mpegts") as output:
        audio: Any = output.add_stream("aac", rate=48000, layout="mono")
        for i in range(100):
            output.mux(audio.encode(_tone(i * 1024, 0.3, 0)))
        output.mux(audio.encode())
    heard = read_here_of(web, file.getvalue())
    assert heard.kinds == ["gone"] and "only sound" in heard.reason


def test_a_refusal_on_the_way_ends_it(web: Web, tmp_path: Path) -> None:
    """A playlist that turns while it is watched."""
    write_hls(tmp_path, 2.0)
    web.routes["/live0.ts"] = answer((tmp_path / "live0.ts").read_bytes())
    asked = []

    def turning(request: Any) -> None:
        asked.append(time.monotonic())
        first = ["#EXTINF:2,", "live0.ts"]
        playlist(*first, *(["#EXTINF:2,", "http://10.0.0.1/x.ts"] if len(asked) > 1 else []))(
            request
        )

    web.routes["/a.m3u8"] = turning
    heard = read_here(f"{web.url}/a.m3u8")
    assert heard.kinds == ["playing", "failed"] and "10.0.0.1" in heard.reason
    assert len(heard.frames) == 20


def test_a_playlist_that_vanishes_is_gone_not_failed(web: Web, tmp_path: Path) -> None:
    write_hls(tmp_path, 2.0)
    web.routes["/live0.ts"] = answer((tmp_path / "live0.ts").read_bytes())
    there = [playlist("#EXTINF:2,", "live0.ts")]

    def vanishing(request: Any) -> None:
        (there.pop() if there else answer(b"", 404))(request)

    web.routes["/a.m3u8"] = vanishing
    heard = read_here(f"{web.url}/a.m3u8")
    assert heard.kinds == ["playing", "gone"] and "404" in heard.reason


def test_an_rtsp_server_that_redirects_is_refused() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(4096)
                connection.sendall(b"RTSP/1.0 200 OK\r\nCSeq: 1\r\nPublic: DESCRIBE\r\n\r\n")
                connection.recv(4096)
                connection.sendall(
                    b"RTSP/1.0 301 Moved\r\nCSeq: 2\r\nLocation: rtsp://169.254.169.254/a\r\n\r\n"
                )
                connection.recv(4096)

        threading.Thread(target=serve, daemon=True).start()
        heard = read_here(f"rtsp://me:hunter22@127.0.0.1:{server.getsockname()[1]}/x")
    assert heard.kinds == ["failed"] and "redirects to rtsp://169.254.169.254/a" in heard.reason
