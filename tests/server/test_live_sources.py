"""Live sources as other programs serve them, read as a monitor reads them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from itertools import pairwise
from pathlib import Path

import pytest

from stream_server.ingest.urls.source import SourceFrame, UrlSource
from stream_server.vision.types import Image
from tests.support.live_media import moving, write_live
from tests.support.live_reading import Watched, options, watch
from tests.support.live_servers import (
    needs_ffmpeg,
    needs_rtmp,
    needs_rtsp,
    rtsp_server,
    served,
)

pytestmark = [pytest.mark.slow, pytest.mark.patient, needs_ffmpeg]

SECONDS, BEGIN, END = 8.0, 3.0, 5.0
KINDS = [
    "hls", "low-latency hls", "dash", "udp", "srt",
    pytest.param("rtsp", marks=needs_rtsp), pytest.param("rtmp", marks=needs_rtmp),
]  # fmt: skip


def marked(time: float) -> Image:
    """A moving picture, red for two seconds of every eight."""
    picture = moving(time)
    if BEGIN <= time < END:
        picture[:60] = (230, 20, 20)
    return picture


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("live") / "clip.mp4"
    write_live(path, "mp4", SECONDS, picture=marked, sound=True)
    return path


def is_red(frame: SourceFrame) -> bool:
    top = frame.image[:50].reshape(-1, 3).mean(axis=0)
    return bool(top[0] > 150 and top[1] < 90)


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as opened:
        yield opened


def red_stretches(seen: Watched) -> list[float]:
    """How long each red stretch was that was seen from its beginning to its end."""
    times: list[float] = []
    found: list[float] = []
    for before, frame in pairwise(seen.frames):
        if is_red(frame) and (times or not is_red(before)):
            times.append(frame.media_time)
        elif times:
            found.append(times[-1] - times[0])
            times = []
    return found


def as_shown(seen: Watched) -> bool:
    """Whether one was as long as it is. What comes at once at first is partly skipped."""
    return any(abs(length - (END - BEGIN)) < 0.5 for length in red_stretches(seen))


@pytest.mark.parametrize("kind", KINDS)
async def test_what_is_shown_is_seen_when_it_is_shown(
    kind: str, clip: Path, tmp_path: Path, stack: ExitStack
) -> None:
    url = served(kind, clip, tmp_path, stack)
    async with UrlSource(url, options(sample_hz=10)) as source:
        seen = await watch(source, as_shown, 150)
    assert "playing" in seen.kinds and "failed" not in seen.kinds
    times = [frame.media_time for frame in seen.frames]
    assert times == sorted(times)


@needs_rtsp
async def test_a_camera_with_a_password(clip: Path, stack: ExitStack) -> None:
    url = stack.enter_context(rtsp_server(clip, "cam", "hunter22"))
    async with UrlSource(url, options()) as locked:
        refused = await watch(locked, lambda seen: len(seen.states) >= 2)
    assert set(refused.kinds) == {"connecting"} and not refused.frames
    async with UrlSource(url.replace("//", "//cam:hunter22@"), options()) as source:
        seen = await watch(source, lambda seen: bool(seen.frames))
    assert "playing" in seen.kinds and "hunter22" not in str(seen.states)
