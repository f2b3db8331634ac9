"""A live source as a monitor sees it: read by a process of its own."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stream_server.ingest.urls.backoff import Backoff
from stream_server.ingest.urls.source import SourceFrame, SourceOptions, UrlSource
from stream_server.settings import load
from tests.support.live_media import live_bytes, write_hls, write_live
from tests.support.live_reading import Watched, options, watch
from tests.support.web import Web, answer, web_server

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX"),
]


class Soon(Backoff):
    """Tries again at once."""

    def next(self) -> float:
        super().next()
        return 0.05


@pytest.fixture
def web() -> Iterator[Web]:
    with web_server() as server:
        yield server


@pytest.fixture
def clip(tmp_path: Path) -> str:
    write_live(tmp_path / "clip.mp4", "mp4", 4.0)
    return f"file://{tmp_path}/clip.mp4"


def frames(count: int) -> Any:
    return lambda seen: len(seen.frames) >= count


async def test_frames_come_in_order_with_their_times(clip: str, tmp_path: Path) -> None:
    async with UrlSource(clip, options(files=str(tmp_path), sample_hz=5)) as source:
        seen = await watch(source, frames(8))
    assert seen.kinds == ["connecting", "playing"]
    assert [frame.frame_id for frame in seen.frames] == list(range(1, 9))
    times = [frame.media_time for frame in seen.frames]
    assert times == sorted(times) and times[0] >= 0
    first = seen.frames[0]
    assert first.image.shape == (180, 320, 3) and first.image.dtype == np.uint8
    assert first.captured_at > 1.7e9
    assert source.pid is None, "the process is gone with the source"


async def test_who_is_slow_skips_and_does_not_fall_behind(clip: str, tmp_path: Path) -> None:
    async with UrlSource(clip, options(files=str(tmp_path), sample_hz=25)) as source:
        before = await watch(source, frames(1))
        await asyncio.sleep(2)
        after = await watch(source, frames(2))
    (first,), (second, third) = before.frames, after.frames
    assert second.media_time - first.media_time > 1.5
    assert third.media_time - second.media_time < 1.5
    assert [second.frame_id, third.frame_id] == [first.frame_id + 1, first.frame_id + 2]


async def test_a_killed_reader_is_replaced_and_times_go_on(clip: str, tmp_path: Path) -> None:
    async with UrlSource(clip, options(files=str(tmp_path)), backoff=Soon()) as source:
        before = await watch(source, frames(5))
        assert source.pid is not None
        os.kill(source.pid, signal.SIGKILL)
        after = await watch(source, lambda seen: "playing" in seen.kinds[1:] and bool(seen.frames))
    assert "the process that reads it was ended by signal 9" in after.states[0].reason
    assert after.kinds[0] == "connecting" and after.kinds[-1] == "playing"
    last = before.frames[-1].media_time
    assert all(frame.media_time >= last for frame in after.frames)


async def test_leaving_ends_the_process(clip: str, tmp_path: Path) -> None:
    async with UrlSource(clip, options(files=str(tmp_path))) as source:
        await watch(source, frames(1))
        pid = source.pid
        assert pid is not None
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


async def test_a_refusal_is_the_last_word(web: Web) -> None:
    async with UrlSource("http://10.0.0.1/a?token=hunter22", options()) as source:
        seen = await watch(source, lambda seen: False)
    assert seen.kinds == ["connecting", "failed"] and "10.0.0.1" in seen.states[-1].reason


async def test_a_mistake_of_ours_is_logged_without_the_address(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def broken(source: UrlSource) -> Any:
        raise RuntimeError("a mistake")

    monkeypatch.setattr(UrlSource, "_read", broken)
    async with UrlSource("http://planted.example/live?key=planted", options()) as source:
        seen = await watch(source, lambda seen: False)
    assert seen.kinds == ["connecting", "failed"]
    assert "a mistake" in caplog.text and "planted" not in caplog.text


async def test_an_end_is_the_last_word(tmp_path: Path, web: Web) -> None:
    for path in write_hls(tmp_path, 2.0).parent.iterdir():
        web.routes[f"/{path.name}"] = answer(path.read_bytes())
    async with UrlSource(f"{web.url}/live.m3u8", options()) as source:
        seen = await watch(source, lambda seen: False)
    assert seen.kinds == ["connecting", "playing", "ended"]


async def test_what_is_not_there_is_tried_again_with_patience(web: Web) -> None:
    url = f"{web.url.replace('//', '//me:hunter22@')}/live?sig=hunter22"
    delays: list[float] = []

    class Noted(Backoff):
        def next(self) -> float:
            delays.append(super().next())
            return 0.01

    async with UrlSource(url, options(), backoff=Noted(random.Random(3))) as source:
        seen = await watch(source, lambda seen: len(delays) >= 4)
    assert set(seen.kinds) == {"connecting"}
    assert any("the server answered 404" in state.reason for state in seen.states)
    assert not [state for state in seen.states if "hunter22" in state.reason]
    assert all(low / 2 <= delay <= low for low, delay in zip((1, 2, 4, 8), delays, strict=False))


async def test_a_source_that_vanishes_for_twenty_seconds_comes_back(web: Web) -> None:
    """The seconds are the clock's that the source is given."""
    data, now = live_bytes("mpegts", 3.0), [100.0]

    def gone(request: Any) -> None:
        now[0] += 20
        web.routes["/live"] = there
        answer(b"", 503)(request)

    def there(request: Any) -> None:
        request.send_response(200)
        request.end_headers()
        request.wfile.write(data)
        request.close_connection = True

    web.routes["/live"] = there
    async with UrlSource(
        f"{web.url}/live", options(), clock=lambda: now[0], backoff=Soon()
    ) as source:
        before = await watch(source, frames(1))
        web.routes["/live"] = gone
        after = await watch(
            source, lambda seen: bool(seen.frames) and seen.frames[-1].media_time > 15
        )
    away = after.frames[-1].media_time - before.frames[-1].media_time
    assert 15 < away < 30
    assert "connecting" in after.kinds and after.kinds[-1] == "playing"


async def test_a_stall_is_told_and_then_opened_anew(web: Web) -> None:
    data = live_bytes("mpegts", 4.0)
    over = threading.Event()

    def stuck(request: Any) -> None:
        request.send_response(200)
        request.end_headers()
        request.wfile.write(data)
        over.wait(60)

    web.routes["/live"] = stuck
    chosen = options(stalled_after=1.0, given_up_after=2.0)
    async with UrlSource(f"{web.url}/live", chosen, backoff=Soon()) as source:
        seen = await watch(source, lambda seen: seen.kinds.count("playing") >= 2)
    over.set()
    stall = seen.kinds.index("stalled")
    assert seen.kinds[stall - 1] == "playing" and seen.kinds[stall + 1] == "connecting"
    assert seen.states[stall].reason == "nothing has come for 1 s"


async def test_a_bomb_takes_down_its_own_process_alone(web: Web, clip: str, tmp_path: Path) -> None:
    """Memory beyond the limit, while another source goes on."""
    black = np.zeros((2160, 3840, 3), np.uint8)
    web.routes["/bomb"] = answer(
        live_bytes("mpegts", 0.2, size=(3840, 2160), picture=lambda t: black)
    )
    web.routes["/endless"] = answer(b"<html>" * 200_000)
    async with (
        UrlSource(clip, options(files=str(tmp_path))) as good,
        UrlSource(f"{web.url}/bomb", options(max_pixels=1280 * 720)) as bomb,
        UrlSource(f"{web.url}/endless", options(), backoff=Soon()) as nonsense,
    ):
        hostile, other, well = await asyncio.gather(
            watch(bomb, lambda seen: False),
            watch(nonsense, lambda seen: len(seen.states) >= 3),
            watch(good, frames(20)),
        )
    assert hostile.states[-1].kind == "failed" and "3840x2160" in hostile.states[-1].reason
    assert set(other.kinds) == {"connecting"}
    assert well.kinds == ["connecting", "playing"]


async def scripted(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, program: str, **chosen: Any
) -> Watched:
    """What is made of a reader that was taken over."""
    script = tmp_path / "reader.py"
    script.write_text("import os, resource, sys, time\nsys.stdin.buffer.readline()\n" + program)
    real = asyncio.create_subprocess_exec

    async def other(executable: str, *_: str, **more: Any) -> Any:
        return await real(executable, str(script), **more)

    monkeypatch.setattr(asyncio, "create_subprocess_exec", other)
    async with UrlSource("http://h/a", options(**chosen), backoff=Soon()) as source:
        return await watch(source, lambda seen: len(seen.states) >= 2)


@pytest.mark.parametrize(
    ("program", "why"),
    [
        ("os.write(1, b'x' * 99)", "makes no sense"),
        ("os.write(1, b'\\2\\0\\0\\0\\0\\0\\0\\0[]'); time.sleep(99)", "makes no sense"),
        (
            't = b\'{"type": "frame", "width": 9, "height": 9, "media_time": 0}\'\n'
            "os.write(1, bytes([len(t), 0, 0, 0, 1, 0, 0, 0]) + t + b'x'); time.sleep(99)",
            "makes no sense",
        ),
        ("os.abort()", "ended by signal 6"),
        ("sys.exit(3)", "ended with status 3"),
    ],
)
async def test_a_reader_that_misbehaves_is_replaced(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, program: str, why: str
) -> None:
    seen = await scripted(monkeypatch, tmp_path, program)
    assert set(seen.kinds) == {"connecting"} and why in seen.states[-1].reason


async def test_so_is_one_that_says_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    seen = await scripted(monkeypatch, tmp_path, "time.sleep(99)", opening=1.0)
    assert "no picture within 1 s" in seen.states[-1].reason


def about(pid: int | None, what: str) -> str:
    return Path(f"/proc/{pid}/{what}").read_text()


@pytest.mark.skipif(sys.platform != "linux", reason="this system has no /proc")
async def test_no_password_stands_on_a_command_line(web: Web) -> None:
    async with UrlSource(f"{web.url.replace('//', '//me:hunter22@')}/live", options()) as source:
        line = ""
        while not line:  # one that has ended has none; another takes its place
            await asyncio.sleep(0.01)
            with suppress(FileNotFoundError, ProcessLookupError):
                line = "" if source.pid is None else about(source.pid, "cmdline")
    assert "stream_server.ingest.urls.reader" in line and "hunter22" not in line


@pytest.mark.skipif(sys.platform != "linux", reason="this system has no /proc")
async def test_the_reader_has_its_limits(clip: str, tmp_path: Path) -> None:
    chosen = options(files=str(tmp_path), max_pixels=1_000_000)
    async with UrlSource(clip, chosen) as source:
        await watch(source, frames(1))
        text = about(source.pid, "limits")
    table = {line[:26].strip(): line[26:].split()[0] for line in text.splitlines()[1:]}
    assert table["Max data size"] == str(512 * 1024**2 + 64 * 1_000_000)
    assert table["Max open files"] == "64" and table["Max core file size"] == "0"


def test_settings_choose(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = load(monitor_hosts="10.0.0.0/8", monitor_files="/clips", sample_hz=5.0)
    chosen = SourceOptions.chosen(settings)
    assert (chosen.hosts, chosen.files, chosen.sample_hz) == ("10.0.0.0/8", "/clips", 5.0)
    assert SourceOptions.chosen(settings, 2.0).sample_hz == 2.0
    with pytest.raises(ValueError, match="neither a host name nor a network"):
        UrlSource("http://h/a", options(hosts="10.0.0.0/99"))


def test_a_frame_is_a_frame_of_the_pipeline() -> None:
    frame = SourceFrame(np.zeros((2, 2, 3), np.uint8), 1.5, 3, 1.8e9)
    assert (frame.media_time, frame.frame_id, frame.captured_at) == (1.5, 3, 1.8e9)
