"""An independent WHIP client publishes pictures over real sockets and hears verdicts."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import httpx2 as httpx
import pytest
from aiortc import RTCSessionDescription
from aiortc.mediastreams import AudioStreamTrack
from websockets.exceptions import ConnectionClosed

from tests.support.client import client as client_of
from tests.support.faces import backdrop, paste, person
from tests.support.lossy import LossyRelay, candidate_of, through
from tests.support.server import running_server
from tests.support.whip import AUTH, SDP, Pictures, WhipClient

VIEWERS = {
    "newsroom": {"role": "viewer", "token": "a-viewer-token-1"},
    "desk": {"role": "viewer", "token": "a-viewer-token-2"},
    "chief": {"role": "operator", "token": "an-operator-token"},
}
SETTINGS = {
    "FAKELIGHT_WEBRTC_ADDRESSES": "127.0.0.1",
    "FAKELIGHT_TOKENS": json.dumps(VIEWERS),
    "FAKELIGHT_TURN_URL": "turn:turn.example:3478",
    "FAKELIGHT_TURN_USERNAME": "name",
    "FAKELIGHT_TURN_CREDENTIAL": "secret",
}
EXTENSION = "chrome-extension://" + "a" * 32


@pytest.fixture(scope="module")
def server(models: Any) -> Iterator[Any]:
    settings = {name: SETTINGS[name] for name in SETTINGS if "TURN" not in name}
    with running_server("--models", str(models), environment=settings) as server:
        yield server
        assert "Traceback" not in server.output


@pytest.fixture(scope="module")
def walk() -> Any:
    """A face that moves a little, 640x360."""
    return [paste(backdrop(), person(), (300 + i, 180), 260) for i in range(20)]


@pytest.mark.parametrize("codec", ["VP8", "H264"])
async def test_a_published_clip_gets_verdicts_over_the_data_channel(
    server: Any, walk: Any, codec: str
) -> None:
    async with WhipClient(server.url) as client:
        client.listen()
        client.video(Pictures(walk), codec)
        answer = await client.publish()
        stream = answer.headers["location"].removeprefix("/v1/streams/")
        assert answer.headers["content-type"] == SDP
        assert (await client.next("welcome"))["stream"] == stream
        verdicts = [await client.next("verdict") for _ in range(15)]
        faces = verdicts[-1]["faces"]
        assert len(faces) == 1
        assert faces[0]["verdict"] in ("likely_real", "unsure", "likely_fake")
        assert faces[0]["samples"] >= 8
        times = [verdict["media_time"] for verdict in verdicts]
        assert times == sorted(times)
        assert (await client.next("status"))["analysed"] > 0


async def test_a_frame_is_named_by_its_rtp_timestamp(server: Any, walk: Any) -> None:
    async with WhipClient(server.url) as client:
        client.listen()
        track = Pictures(walk)
        client.video(track)
        sender = client.pc.getSenders()[0]
        sent: set[int] = set()
        await client.publish()
        transport = sender.transport
        send = transport._send_rtp

        async def note_packet(data: bytes) -> None:
            if data[1] & 0x7F < 72 or data[1] & 0x7F > 76:
                sent.add(int.from_bytes(data[4:8], "big"))
            await send(data)

        transport._send_rtp = note_packet
        named = {(await client.next("verdict"))["frame_id"] for _ in range(10)}
        assert named <= sent
        steps = sorted(named)
        assert all(0 < b - a < 90_000 for a, b in pairwise(steps))


async def test_verdicts_as_server_sent_events_and_an_end_by_delete(server: Any, walk: Any) -> None:
    async with WhipClient(server.url) as client:
        client.video(Pictures(walk))  # as OBS does: no data channel
        await client.publish()
        kinds, ended = [], False
        async with client.http.stream("GET", client.location + "/events") as events:
            assert events.headers["content-type"].startswith("text/event-stream")
            async for line in events.aiter_lines():
                if not line.startswith("data: "):
                    continue
                message = json.loads(line.removeprefix("data: "))
                kinds.append(message["type"])
                if kinds.count("verdict") == 12 and not ended:
                    ended = True
                    assert message["faces"][0]["samples"] >= 8
                    listed = (await client.http.get("/v1/streams")).json()
                    assert client.location.split("/")[-1] in [one["id"] for one in listed]
                    assert (await client.http.delete(client.location)).status_code == 200
        assert kinds[0] == "welcome"
        assert kinds[-1] == "closed"
        assert "status" in kinds
        assert (await client.http.delete(client.location)).status_code == 404


async def test_controls_over_the_channel(server: Any, walk: Any) -> None:
    async with WhipClient(server.url) as client:
        client.listen()
        client.video(Pictures(walk))
        await client.publish()
        verdicts = [await client.next("verdict") for _ in range(10)]
        assert verdicts[-1]["faces"][0]["samples"] >= 8
        client.channel.send('{"type":"seek"}')
        while (await client.next("verdict"))["faces"][0]["samples"] >= 8:
            pass
        client.channel.send('{"type":"pause"}')
        first = await client.next("status")
        while (second := await client.next("status"))["analysed"] != first["analysed"]:
            first = second
        assert second["received"] > first["received"]
        client.channel.send('{"type":"resume"}')
        await client.next("verdict")
        client.channel.send('{"type":"bye"}')
        assert (await client.next("closed"))["reason"] == "bye"


async def test_sound_is_not_taken(server: Any, walk: Any) -> None:
    async with WhipClient(server.url) as client:
        client.listen()
        client.pc.addTransceiver(AudioStreamTrack(), direction="sendonly")
        client.video(Pictures(walk))
        await client.publish()
        await client.next("verdict")
        audio = client.answer[client.answer.index("m=audio") : client.answer.index("m=video")]
        assert "a=inactive" in audio


async def test_the_answer_asks_for_a_bitrate_that_keeps_the_traces(server: Any, walk: Any) -> None:
    async with WhipClient(server.url) as client:
        client.video(Pictures(walk))
        await client.publish()
        lines = [line for line in client.answer.split("\r\n") if "x-google" in line]
        assert len(lines) == 3  # VP8 and two profiles of H.264
        assert all("x-google-min-bitrate=1500" in line for line in lines)


async def test_useless_candidates_are_left_out_and_do_no_harm(server: Any, walk: Any) -> None:
    async with WhipClient(server.url) as client:
        client.listen()
        client.video(Pictures(walk))
        offer = await client.make_offer()
        mdns = "a=candidate:9 1 udp 2122260223 5a3b0b4c-1111-2222-3333-444455556666.local 5000"
        answer = await client.post(
            offer.replace("a=end-of-candidates\r\n", "") + mdns + " typ host\r\n"
            "a=end-of-candidates\r\n"
        )
        assert answer.status_code == 201
        await client.pc.setRemoteDescription(RTCSessionDescription(answer.text, "answer"))
        await client.next("verdict")


async def test_candidates_that_come_later(server: Any, walk: Any) -> None:
    async with WhipClient(server.url) as client:
        client.listen()
        client.video(Pictures(walk))
        offer = await client.make_offer()
        lines = offer.split("\r\n")
        later = [line for line in lines if line.startswith("a=candidate:")]
        kept = [line for line in lines if line not in later]
        answer = await client.post("\r\n".join(kept))
        headers = {
            "Content-Type": "application/trickle-ice-sdpfrag",
            "If-Match": answer.headers["etag"],
        }
        fragment = "a=mid:0\r\n" + "\r\n".join(later) + "\r\n"
        taken = await client.http.patch(
            answer.headers["location"], content=fragment, headers=headers
        )
        assert taken.status_code == 204
        await client.pc.setRemoteDescription(RTCSessionDescription(answer.text, "answer"))
        await client.next("verdict")


@pytest.mark.parametrize("codec", ["VP8", "H264"])
async def test_verdicts_keep_coming_over_a_bad_network(server: Any, codec: str) -> None:
    """One datagram in twenty is lost, and a round trip takes 100 ms."""
    shift = random.Random(3)
    noisy = [
        paste(backdrop(seed=i), person(), (300 + shift.random() * 20, 180), 260) for i in range(30)
    ]
    async with LossyRelay(loss=0.05, delay=0.05) as network, WhipClient(server.url) as client:
        client.listen()
        client.video(Pictures(noisy), codec)
        # Without the client's own addresses the relay is the only way.
        offer = await client.make_offer()
        bare = [line for line in offer.split("\r\n") if not line.startswith("a=candidate")]
        answer = await client.post("\r\n".join(bare))
        port = await network.stand_before(*candidate_of(answer.text))
        changed = through(answer.text, port)
        await client.pc.setRemoteDescription(RTCSessionDescription(changed, "answer"))
        await client.next("verdict")
        before = network.passed
        for _ in range(16):
            await client.next("verdict")
        while network.lost <= 20:
            await client.next("verdict")
        assert network.passed > before
        await client.http.delete(answer.headers["location"])


async def test_two_sources_at_once(server: Any, walk: Any) -> None:
    async with WhipClient(server.url) as one, WhipClient(server.url) as two:
        for client in (one, two):
            client.listen()
            client.video(Pictures(walk))
            await client.publish()
        assert one.location != two.location
        for client in (one, two):
            await client.next("verdict")


def http_of(server: Any, token: Any) -> Any:
    headers = {"Authorization": f"Bearer {token}"}
    return httpx.AsyncClient(base_url=server.url, headers=headers, timeout=60)


async def test_a_viewer_opens_streams_and_sees_its_own_alone(server: Any, walk: Any) -> None:
    first, second = VIEWERS["newsroom"]["token"], VIEWERS["desk"]["token"]
    async with WhipClient(server.url, first) as client:
        client.listen()
        client.video(Pictures(walk))
        await client.publish()
        await client.next("verdict")
        async with http_of(server, second) as other:
            assert (await other.delete(client.location)).status_code == 404
            assert (await other.get(client.location + "/events")).status_code == 404
            for path in ("/v1/streams", "/metrics"):
                answer = await other.get(path)
                assert answer.status_code == 403
                assert "viewer" in answer.json()["detail"]
            assert (await other.get("/v1/info")).status_code == 200
        async with http_of(server, VIEWERS["chief"]["token"]) as chief:
            listed = [one["id"] for one in (await chief.get("/v1/streams")).json()]
            assert client.location.removeprefix("/v1/streams/") in listed
            assert (await chief.delete(client.location)).status_code == 200
        await client.next("closed")


async def test_a_viewer_s_token_opens_the_websocket_too(server: Any) -> None:
    token = VIEWERS["desk"]["token"]
    hello = {"type": "hello", "protocol": 1, "token": token}
    async with client_of(server, hello=hello) as viewer:
        stream = (await viewer.next("welcome"))["stream"]
        async with http_of(server, VIEWERS["newsroom"]["token"]) as other:
            assert (await other.delete(f"/v1/streams/{stream}")).status_code == 404
        async with http_of(server, token) as own:
            assert (await own.delete(f"/v1/streams/{stream}")).status_code == 200
        with pytest.raises(ConnectionClosed) as closed:
            await viewer.next("verdict")
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1000


async def test_an_extension_reads_the_answer_and_a_page_does_not(server: Any, walk: Any) -> None:
    async with WhipClient(server.url) as client:
        client.video(Pictures(walk))
        offer = await client.make_offer()
        answer = await client.post(offer, Origin=EXTENSION)
        assert answer.status_code == 201
        assert answer.headers["access-control-allow-origin"] == EXTENSION
        assert "location" in answer.headers["access-control-expose-headers"]
        await client.http.delete(answer.headers["location"])
        async with httpx.AsyncClient(base_url=server.url, timeout=60) as page:
            preflight = await page.options("/whip", headers={"Origin": EXTENSION})
            assert "PATCH" in preflight.headers["access-control-allow-methods"]
            assert (await page.options("/whip", headers=AUTH)).headers["accept-post"] == SDP


async def test_the_server_names_its_turn_server(models: Any, walk: Any) -> None:
    relay = {name: SETTINGS[name] for name in SETTINGS if "TURN" in name}
    environment = {**relay, "FAKELIGHT_WEBRTC_ADDRESSES": "127.0.0.1"}
    # The name does not resolve: the server has to live without it.
    with running_server("--models", str(models), environment=environment) as server:
        async with WhipClient(server.url) as client:
            client.video(Pictures(walk))
            answer = await client.post(await client.make_offer())
        assert answer.status_code == 201
        [link] = answer.headers.get_list("link")
        assert link.startswith('<turn:turn.example:3478>; rel="ice-server"; username="name"')


async def test_the_server_stops_cleanly_under_a_stream(models: Any, walk: Any) -> None:
    environment = {"FAKELIGHT_WEBRTC_ADDRESSES": "127.0.0.1"}
    with running_server("--models", str(models), environment=environment) as server:
        async with WhipClient(server.url) as client:
            client.listen()
            client.video(Pictures(walk))
            await client.publish()
            await client.next("verdict")
            status = await asyncio.to_thread(server.stop)
            closed = await client.next("closed")
        assert status == 0
        assert closed["code"] == 4010
        assert "Traceback" not in server.output, server.output
