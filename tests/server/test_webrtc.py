"""An independent WHIP client publishes pictures over real sockets and hears verdicts."""

from __future__ import annotations

import pytest

from tests.support.faces import backdrop, paste, person
from tests.support.server import running_server
from tests.support.whip import Pictures, WhipClient

LOOPBACK = {"FAKELIGHT_WEBRTC_ADDRESSES": "127.0.0.1"}


@pytest.fixture(scope="module")
def server(models):
    with running_server("--models", str(models), environment=LOOPBACK) as server:
        yield server


@pytest.fixture(scope="module")
def walk():
    """A face that moves a little, 640x360."""
    return [paste(backdrop(), person(), (300 + i, 180), 260) for i in range(20)]


@pytest.mark.parametrize("codec", ["VP8", "H264"])
async def test_a_published_clip_gets_verdicts_over_the_data_channel(server, walk, codec):
    async with WhipClient(server.url) as client:
        client.listen()
        client.video(Pictures(walk), codec)
        answer = await client.publish()
        stream = answer.headers["location"].rsplit("/", 1)[1]
        assert (await client.next("welcome"))["stream"] == stream
        verdicts = [await client.next("verdict") for _ in range(15)]
        faces = verdicts[-1]["faces"]
        assert len(faces) == 1
        assert faces[0]["verdict"] in ("likely_real", "unsure", "likely_fake")
        assert faces[0]["samples"] >= 8
        times = [verdict["media_time"] for verdict in verdicts]
        assert times == sorted(times)
        assert (await client.next("status"))["analysed"] > 0
