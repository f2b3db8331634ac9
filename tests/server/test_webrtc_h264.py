"""Senders of H.264 that are no browsers, over real sockets."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.faces import backdrop, paste, person
from tests.support.h264_sender import (
    BASELINE,
    HIGH,
    Encoded,
    Wording,
    encoded,
    parameter_sets,
    scrambled,
    without_sets,
)
from tests.support.server import running_server
from tests.support.whip import WhipClient


@pytest.fixture(scope="module")
def server(models: Any) -> Iterator[Any]:
    environment = {"FAKELIGHT_WEBRTC_ADDRESSES": "127.0.0.1"}
    with running_server("--models", str(models), environment=environment) as server:
        yield server
        assert "Traceback" not in server.output


@pytest.fixture(scope="module")
def walk() -> Any:
    """A face that moves a little, 640x360."""
    return [paste(backdrop(), person(), (300 + i, 180), 260) for i in range(30)]


@pytest.mark.parametrize(
    ("profile", "name", "in_stream"),
    [(BASELINE, "baseline", False), (HIGH, "high", True), (HIGH, "high", False)],
    ids=["sets in the offer alone", "High alone", "High, sets in the offer alone"],
)
async def test_pictures_are_decoded_however_they_are_announced(
    server: Any, walk: Any, profile: str, name: str, in_stream: bool
) -> None:
    pictures = encoded(walk, name)
    sets = parameter_sets(pictures)
    assert len(sets) == 2 and sets[0][1] == {"high": 100, "baseline": 66}[name]
    wording = Wording(profile, () if in_stream else sets)
    async with WhipClient(server.url) as client:
        client.listen()
        client.video(Encoded(pictures if in_stream else without_sets(pictures)), "H264")
        await client.publish(wording.answered, wording.offered)
        assert f"profile-level-id={profile}" in client.answer
        verdict = "gathering"
        while verdict == "gathering":
            faces = (await client.next("verdict"))["faces"]
            verdict = faces[0]["verdict"] if faces else verdict
        assert faces[0]["samples"] >= 8
        assert faces[0]["verdict"] in ("likely_real", "unsure", "likely_fake")


@pytest.mark.parametrize("spoil", [without_sets, scrambled])
async def test_pictures_that_cannot_be_decoded_are_told(server: Any, walk: Any, spoil: Any) -> None:
    wording = Wording(BASELINE)
    async with WhipClient(server.url) as client:
        client.listen()
        client.video(Encoded(spoil(encoded(walk, "baseline"))), "H264")
        await client.publish(wording.answered, wording.offered)
        assert (await client.next("welcome"))["stream"]
        error = await client.next("error")
        assert error["code"] == "undecodable" and "none can be decoded" in error["message"]
        while "trouble" not in (status := await client.next("status")):
            pass
        assert status["trouble"] == error["message"] and status["analysed"] == 0
        async with client.http.stream("GET", client.location + "/events") as events:
            async for line in events.aiter_lines():
                if line.startswith("data: ") and "trouble" in json.loads(line[6:]):
                    break


async def test_a_profile_that_nobody_can_read_is_refused_in_our_words(server: Any) -> None:
    async with WhipClient(server.url) as client:
        client.video(Encoded([[b"\x65"]]), "H264")
        offer = Wording("no profile").offered(await client.make_offer())
        refused = await client.post(offer)
        assert refused.status_code == 422
        assert refused.headers["content-type"] == "application/problem+json"
        assert "H264" in refused.json()["detail"]
