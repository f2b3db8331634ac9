"""What no good source would send to the WHIP endpoint. The server must say no and live on."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx2 as httpx
import pytest
from aiortc.mediastreams import AudioStreamTrack
from av import VideoFrame

from tests.support.faces import backdrop, paste, person
from tests.support.server import running_server
from tests.support.whip import AUTH, SDP, Pictures, WhipClient

FRAGMENT = "application/trickle-ice-sdpfrag"
SETTINGS = {
    "FAKELIGHT_WEBRTC_ADDRESSES": "127.0.0.1",
    "FAKELIGHT_WEBRTC_CONNECT_SECONDS": "15",
    "FAKELIGHT_MAX_STREAMS": "16",
    "FAKELIGHT_IDLE_SECONDS": "5",
    "FAKELIGHT_MAX_PIXELS": "300000",
}


@pytest.fixture(scope="module")
def server(models: Any) -> Iterator[Any]:
    with running_server("--models", str(models), environment=SETTINGS) as server:
        yield server
        with httpx.Client(base_url=server.url, headers=AUTH, timeout=60) as http:
            assert http.get("/readyz").status_code == 200
        assert "Traceback" not in server.output, server.output[
            server.output.index("Traceback") - 600 :
        ][:4000]


@pytest.fixture
def http(server: Any) -> Iterator[Any]:
    with httpx.Client(base_url=server.url, headers=AUTH, timeout=60) as client:
        yield client


@pytest.fixture(scope="module")
def patient(models: Any) -> Iterator[Any]:
    """Asks a server that lets nobody go within a test, however slow the machine is."""
    settings = {**SETTINGS, "FAKELIGHT_WEBRTC_CONNECT_SECONDS": "120"}
    with (
        running_server("--models", str(models), environment=settings) as server,
        httpx.Client(base_url=server.url, headers=AUTH, timeout=60) as client,
    ):
        yield client
        assert "Traceback" not in server.output


@pytest.fixture
def picture() -> Any:
    return paste(backdrop(), person(), (320, 180), 260)


@pytest.fixture
async def offer(server: Any, picture: Any) -> AsyncIterator[Any]:
    async with WhipClient(server.url) as client:
        client.listen()
        client.video(Pictures([picture]))
        yield await client.make_offer()


def post(http: Any, body: Any, kind: str = SDP, **headers: Any) -> Any:
    return http.post("/whip", content=body, headers={"Content-Type": kind, **headers})


def open_streams(http: Any) -> int:
    return len(http.get("/v1/streams").json())


async def none_open(http: Any) -> None:
    async with asyncio.timeout(60):
        while open_streams(http):
            await asyncio.sleep(0.1)


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ("", "v=0"),
        ("hello", "v=0"),
        ("v=0\r\nthis is no line\r\n", "line 2"),
        ("v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\n", "no media section"),
        ("v=0\r\nm=video\r\n", "fewer than four parts"),
        ("v=0\r\ns=\x00\r\n", "line 2"),
        (b"v=0\r\ns=\xff\xfe\r\n", "UTF-8"),
        ("v=0\r\nm=video 9 UDP/TLS/RTP/SAVPF 96\r\na=rtpmap:96 VP8/90000\r\n", "cannot be used"),
        (
            "v=0\r\nm=video 9 UDP/TLS/RTP/SAVPF 96\r\na=rtpmap:96 VP8/90000\r\n"
            "a=ice-ufrag:a\r\na=ice-pwd:b\r\na=fingerprint:c\r\na=candidate:1 1 udp\r\n",
            "eight parts",
        ),
    ],
)
async def test_broken_sdp(http: Any, body: bytes | str, says: str) -> None:
    answer = post(http, body)
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"
    assert says in answer.json()["detail"]
    assert open_streams(http) == 0


@pytest.mark.parametrize(
    "drop",
    ["a=ice-ufrag", "a=ice-pwd", "a=fingerprint", "a=setup", "a=mid", "a=rtcp-mux", "o=", "c="],
)
async def test_an_offer_that_lacks_a_line(http: Any, offer: Any, drop: str) -> None:
    cut = "".join(line for line in offer.splitlines(True) if not line.startswith(drop))
    answer = post(http, cut)
    assert answer.status_code in (201, 400), answer.text
    if answer.status_code == 201:
        assert http.delete(answer.headers["location"]).status_code == 200
    await none_open(http)


async def test_every_truncation_of_an_offer(http: Any, offer: Any) -> None:
    for length in range(0, len(offer), max(len(offer) // 40, 1)):
        answer = post(http, offer[:length])
        assert answer.status_code in (201, 400, 422), answer.text
    await none_open(http)


async def test_audio_only(server: Any, http: Any) -> None:
    async with WhipClient(server.url) as client:
        client.pc.addTransceiver(AudioStreamTrack(), direction="sendonly")
        answer = post(http, await client.make_offer())
    assert answer.status_code == 422
    assert "no video track" in answer.json()["detail"]


async def test_no_video_track(server: Any, http: Any) -> None:
    async with WhipClient(server.url) as client:
        client.listen()
        answer = post(http, await client.make_offer())
    assert answer.status_code == 422
    assert "no video track" in answer.json()["detail"]


async def test_a_video_that_is_not_sent(http: Any, offer: Any) -> None:
    answer = post(http, offer.replace("a=sendonly", "a=recvonly"))
    assert answer.status_code == 422
    assert "recvonly" in answer.json()["detail"]


async def test_a_codec_that_is_not_taken(http: Any, offer: Any) -> None:
    answer = post(http, offer.replace("VP8/", "AV1/").replace("H264/", "VP9/"))
    assert answer.status_code == 422
    assert "AV1" in answer.json()["detail"]


async def test_fifty_tracks(server: Any, http: Any, picture: Any) -> None:
    async with WhipClient(server.url) as client:
        for _ in range(50):
            client.video(Pictures([picture]))
        answer = post(http, await client.make_offer())
    assert answer.status_code == 422 or answer.status_code == 413
    assert "50 video sections" in answer.text or "the limit of 65536" in answer.text


async def test_fifty_short_tracks(http: Any, offer: Any) -> None:
    video = offer[offer.index("m=video") : offer.index("m=application")]
    lines = [line for line in video.splitlines(True) if line[:6] in ("m=vide", "a=rtpm", "a=send")]
    answer = post(http, offer + "".join(lines) * 49)
    assert answer.status_code == 422
    assert "50 video sections" in answer.json()["detail"]


async def test_an_sdp_of_ten_megabytes(http: Any, offer: Any) -> None:
    answer = post(http, offer + "a=x:" + "y" * 10_000_000)
    assert answer.status_code == 413
    assert "65536" in answer.json()["detail"]


async def test_an_sdp_of_ten_megabytes_that_does_not_say_so(http: Any) -> None:
    def pieces() -> Iterator[bytes]:
        yield b"v=0\r\n"
        for _ in range(1000):
            yield b"a=x:" + b"y" * 10_000 + b"\r\n"

    # The server may answer and hang up before all was sent.
    with contextlib.suppress(httpx.WriteError):
        assert post(http, pieces()).status_code == 413
    assert open_streams(http) == 0


async def test_another_content_type(http: Any, offer: Any) -> None:
    answer = post(http, offer, "application/json")
    assert answer.status_code == 415
    assert "application/sdp" in answer.json()["detail"]


@pytest.mark.parametrize("token", ["x", "wrong", "ü", "a-token-for-the-tests2"])
async def test_a_wrong_token(server: Any, offer: Any, token: str) -> None:
    async with httpx.AsyncClient(base_url=server.url, timeout=60) as http:
        headers = {"Content-Type": SDP, "Authorization": f"Bearer {token}".encode()}
        answer = await http.post("/whip", content=offer, headers=headers)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Bearer")


async def test_a_foreign_page(http: Any, offer: Any) -> None:
    assert post(http, offer, Origin="https://evil.example").status_code == 403
    assert post(http, offer, Host="evil.example").status_code == 421


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT"])
async def test_methods_that_whip_forbids(http: Any, method: str) -> None:
    assert http.request(method, "/whip").status_code == 405
    assert http.request(method, "/v1/streams/nothing").status_code == 405


@pytest.mark.parametrize("window", ["7", "101", "-20", "x", "1e1", "9" * 5000, "٢٠"])
async def test_a_bad_window(http: Any, offer: Any, window: str) -> None:
    answer = http.post(
        "/whip", content=offer, headers={"Content-Type": SDP}, params={"window": window}
    )
    assert answer.status_code == 400
    assert "8 to 100" in answer.json()["detail"]


async def test_a_flood_of_candidates_in_the_offer(http: Any, offer: Any) -> None:
    flood = "".join(
        f"a=candidate:{i} 1 udp 2130706431 10.0.{i // 250}.{i % 250} 5000 typ host\r\n"
        for i in range(400)
    )
    answer = post(http, offer + flood)
    assert answer.status_code == 422
    assert "candidates" in answer.json()["detail"]
    assert "64" in answer.json()["detail"]


async def test_a_flood_of_candidates_afterwards(patient: Any, offer: Any) -> None:
    opened = post(patient, offer)
    assert opened.status_code == 201
    headers = {"Content-Type": FRAGMENT, "If-Match": opened.headers["etag"]}
    codes = []
    for i in range(80):
        line = f"a=mid:0\r\na=candidate:{i} 1 udp 2130706431 10.0.0.{i} 5000 typ host\r\n"
        codes.append(
            patient.patch(opened.headers["location"], content=line, headers=headers).status_code
        )
    assert codes[0] == 204
    assert codes[-1] == 422
    assert patient.delete(opened.headers["location"]).status_code == 200
    await none_open(patient)


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        ("a=mid:0\r\n", {}, 428),
        ("a=mid:0\r\n", {"If-Match": '"another"'}, 412),
        ("a=mid:0\r\n", {"Content-Type": SDP}, 415),
        ("no line\r\n", {}, 400),
        ("a=candidate:1 1 udp 5 10.0.0.1\r\n", {}, 400),
        ("a=candidate:1 x udp y 10.0.0.1 z typ host\r\n", {}, 400),
        ("a=x:" + "y" * 20_000 + "\r\n", {}, 413),
        ("a=mid:0\r\n", {"If-Match": "*"}, 400),
        ("a=ice-ufrag:abcd\r\na=ice-pwd:0123456789012345678901\r\n", {"If-Match": "*"}, 422),
    ],
)
async def test_bad_patches(
    http: Any, offer: Any, body: str, headers: dict[str, Any], status: int
) -> None:
    opened = post(http, offer)
    etag = {} if status == 428 else {"If-Match": opened.headers["etag"]}
    sent = {"Content-Type": FRAGMENT, **etag, **headers}
    answer = http.patch(opened.headers["location"], content=body, headers=sent)
    assert answer.status_code == status, answer.text
    http.delete(opened.headers["location"])
    await none_open(http)


async def test_streams_that_are_not_there(http: Any) -> None:
    headers = {"Content-Type": FRAGMENT, "If-Match": "*"}
    assert http.patch("/v1/streams/nothing", content="", headers=headers).status_code == 404
    assert http.delete("/v1/streams/nothing").status_code == 404
    assert http.get("/v1/streams/nothing/events").status_code == 404


@pytest.mark.patient
async def test_a_peer_that_never_connects(http: Any, offer: Any) -> None:
    opened = post(http, offer)
    assert opened.status_code == 201
    with http.stream("GET", opened.headers["location"] + "/events") as events:
        heard = "".join(events.iter_text())
    assert '"type":"closed"' in heard
    assert "no connection within 15 s" in heard
    await none_open(http)


@pytest.mark.patient
async def test_a_peer_that_never_sends(server: Any, http: Any) -> None:
    class Silent(Pictures):
        async def recv(self) -> VideoFrame:
            await asyncio.sleep(3600)
            raise AssertionError

    async with WhipClient(server.url) as client:
        client.listen()
        client.video(Silent([]))
        await client.publish()
        assert (await client.next("closed"))["reason"] == "nothing came for 5 s"
    await none_open(http)


async def test_a_peer_that_vanishes(server: Any, http: Any, picture: Any) -> None:
    async with WhipClient(server.url) as client:
        client.listen()
        client.video(Pictures([picture]))
        await client.publish()
        await client.next("verdict")
    await none_open(http)


async def test_more_streams_than_a_token_may_have(patient: Any, offer: Any) -> None:
    opened = [post(patient, offer) for _ in range(17)]
    assert [one.status_code for one in opened] == [201] * 16 + [429]
    assert "16" in opened[-1].json()["detail"]
    for one in opened[:-1]:
        patient.delete(one.headers["location"])
    await none_open(patient)


async def test_a_change_of_size_in_mid_stream(server: Any, picture: Any) -> None:
    small = paste(backdrop(320, 240), person(), (160, 120), 200)
    wide = paste(backdrop(720, 400), person(), (360, 200), 300)
    clip = [picture] * 30 + [small] * 30 + [wide] * 30
    async with WhipClient(server.url) as client:
        client.listen()
        client.video(Pictures(clip), "VP8")
        await client.publish()
        seen = [await client.next("verdict") for _ in range(35)]
        assert all(len(verdict["faces"]) <= 1 for verdict in seen)
        last = seen[-1]["faces"] or seen[-2]["faces"] or seen[-3]["faces"]
        assert last


@pytest.mark.parametrize("codec", ["VP8", "H264"])
async def test_a_video_over_the_limit_of_pixels(server: Any, picture: Any, codec: str) -> None:
    large = backdrop(1280, 720)
    async with WhipClient(server.url) as client:
        client.listen()
        client.video(Pictures([picture] * 20 + [large] * 30), codec)
        await client.publish()
        error = await client.next("error")
        assert error["code"] == "too_many_pixels"
        assert "1280x720" in error["message"]
        assert "300000" in error["message"]
        await client.next("verdict")  # the smaller one comes again


@pytest.mark.parametrize(
    "text",
    ["", "hello", "[]", '{"type":"dance"}', '{"type":"seek","x":NaN}', b"bytes", "x" * 70_000],
)
async def test_bad_messages_in_the_channel(server: Any, picture: Any, text: bytes | str) -> None:
    async with WhipClient(server.url) as client:
        client.listen()
        client.video(Pictures([picture]))
        await client.publish()
        await client.next("welcome")
        client.channel.send(text)
        assert (await client.next("error"))["code"] == "bad_message"
        await client.next("verdict")


@pytest.mark.patient
async def test_a_peer_that_is_another(server: Any, http: Any, offer: Any) -> None:
    """Somebody who answers our checks without the key of the offer gets no stream."""
    async with WhipClient(server.url) as client:
        client.listen()
        client.video(Pictures([backdrop()]))
        mine = await client.make_offer()
        forged = "\r\n".join(
            "a=fingerprint:sha-256 " + ":".join(["AB"] * 32)
            if line.startswith("a=fingerprint:sha-256")
            else line
            for line in mine.split("\r\n")
            if not line.startswith(("a=fingerprint:sha-384", "a=fingerprint:sha-512"))
        )
        answer = await client.post(forged)
        assert answer.status_code == 201
    await none_open(http)
