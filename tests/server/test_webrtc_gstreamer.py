"""A source of another make: GStreamer's webrtcbin, which whipclientsink is built on."""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
from collections.abc import Iterator
from typing import Any

import httpx2 as httpx
import pytest
from PIL import Image as Pillow

from tests.support.faces import backdrop, paste, person
from tests.support.network import NO_NETWORK, OUTSIDE_LOOPBACK
from tests.support.paths import ROOT
from tests.support.server import TOKEN, running_server
from tests.support.whip import AUTH

PYTHON = shutil.which("python3", path="/usr/bin") or ""
NEEDED = (
    "import gi; gi.require_version('GstWebRTC', '1.0'); from gi.repository import Gst, GstWebRTC"
)
ELEMENTS = "; Gst.init(None); assert all(map(Gst.ElementFactory.find, ['nicesrc', 'dtlsdec']))"


def gstreamer_is_there() -> bool:
    if not PYTHON:
        return False
    command = [PYTHON, "-c", NEEDED + ELEMENTS]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


pytestmark = [
    pytest.mark.skipif(
        not gstreamer_is_there(),
        reason="no GStreamer with webrtcbin for the system's Python (Debian: python3-gst-1.0"
        " gir1.2-gst-plugins-bad-1.0 gstreamer1.0-nice gstreamer1.0-plugins-{good,bad,ugly})",
    ),
    pytest.mark.skipif(not OUTSIDE_LOOPBACK, reason=NO_NETWORK),
]


@pytest.fixture(scope="module")
def server(models: Any) -> Iterator[Any]:
    # libnice leaves loopback out, as browsers do, so the machine's own addresses are needed.
    with running_server("--models", str(models)) as server:
        yield server


@pytest.fixture(scope="module")
def picture(tmp_path_factory: pytest.TempPathFactory) -> Any:
    path = tmp_path_factory.mktemp("picture") / "face.png"
    Pillow.fromarray(paste(backdrop(), person(), (320, 180), 260)).save(path)
    return path


@pytest.mark.parametrize("codec", ["vp8", "h264"])
async def test_gstreamer_publishes_and_events_tell(server: Any, picture: Any, codec: str) -> None:
    program = str(ROOT / "tests" / "support" / "gstreamer_whip.py")
    source = await asyncio.create_subprocess_exec(
        PYTHON,
        program,
        server.url + "/whip",
        TOKEN,
        codec,
        str(picture),
        "60",
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={"PATH": "/usr/bin:/bin"},
    )
    try:
        async with asyncio.timeout(120):
            location = (await source.stdout.readline()).decode().strip()
            assert location.startswith("/v1/streams/"), await source.stderr.read()
            verdicts = []
            async with (
                httpx.AsyncClient(base_url=server.url, headers=AUTH, timeout=60) as http,
                http.stream("GET", location + "/events") as events,
            ):
                async for line in events.aiter_lines():
                    if line.startswith("data: ") and '"type":"verdict"' in line:
                        verdicts.append(json.loads(line.removeprefix("data: ")))
                    if len(verdicts) == 15:
                        break
        assert verdicts[-1]["faces"][0]["samples"] >= 8
    finally:
        source.terminate()
        await source.wait()
