"""What a well-behaved client sees, over real sockets."""

from __future__ import annotations

import asyncio
import json
import urllib.request
from typing import Any

import cv2
import numpy as np
import pytest

from tests.server.conftest import jpeg
from tests.support.client import client, frame
from tests.support.faces import backdrop, paste, person
from tests.support.server import TOKEN

pytestmark = pytest.mark.server
FACE_FIELDS = {"track", "box", "probability", "verdict", "samples", "reasons", "members", "grounds"}


async def test_welcome_says_what_the_contract_says(server: Any) -> None:
    source = {"kind": "tab", "title": "A film", "url": "https://example.org/"}
    hello = {"type": "hello", "protocol": 1, "token": TOKEN, "source": source, "window": 40}
    async with client(server, hello=hello) as one:
        welcome = one.welcome
    assert one.socket.subprotocol == "fakelight.v1"
    assert welcome["protocol"] == 1 and welcome["engine"] == "embedded"
    assert (welcome["sample_hz"], welcome["window"]) == (10, 40)
    assert set(welcome["limits"]) >= {"message_bytes", "pixels", "fps", "faces"}
    assert welcome["models"] == ["tiny"] and welcome["stream"]


async def test_a_face_gathers_and_then_has_a_verdict(server: Any, portrait: bytes) -> None:
    async with client(server) as one:
        verdicts = await one.play(portrait, 20)
    assert [v["type"] for v in verdicts] == ["verdict"] * 20
    assert [v["frame_id"] for v in verdicts] == list(range(20))
    assert all(v["captured_at"] == 1.5 and v["lag_ms"] >= 0 for v in verdicts)
    faces = [v["faces"] for v in verdicts]
    assert all(len(f) == 1 and set(f[0]) == FACE_FIELDS for f in faces)
    assert {f[0]["track"] for f in faces} == {1}
    assert faces[0][0]["verdict"] == "gathering" and faces[0][0]["probability"] is None
    last = faces[-1][0]
    assert last["verdict"] in ("likely_real", "unsure", "likely_fake")
    assert 0 <= last["probability"] <= 1 and set(last["members"]) == {"tiny"}


async def test_parts_of_a_large_video_are_one_video(server: Any) -> None:
    video = paste(backdrop(1920, 1080), person(), (700, 400), 190)
    small = np.asarray(cv2.resize(video, (640, 360), interpolation=cv2.INTER_AREA))
    both = np.zeros((656, 640, 3), np.uint8)
    both[:288, :288], both[296:] = video[256:544, 560:848], small
    near = {"of": [560, 256, 288, 288]}
    rect = {"video": [1920, 1080], "parts": [near]}
    far = {"of": [0, 0, 1920, 1080], "at": [0, 296, 640, 360]}
    all_parts = {"video": [1920, 1080], "parts": [near | {"at": [0, 0, 288, 288]}, far]}
    picture, cut_out = jpeg(both), jpeg(both[:288, :288])
    async with client(server) as one:
        assert one.welcome["limits"]["parts"] == 16
        verdicts = [await one.verdict_for(0, 0.0, picture, height=656, rect=all_parts)]
        for i in range(1, 12):
            sides = {"width": 288, "height": 288}
            verdicts.append(await one.verdict_for(i, i / 10, cut_out, **sides, rect=rect))
        wrong = {"video": [600, 400], "parts": [near]}
        refused = await one.verdict_for(12, 1.2, cut_out, width=288, height=288, rect=wrong)
    faces = [verdict["faces"] for verdict in verdicts]
    assert [[face["samples"] for face in some] for some in faces] == [[i + 1] for i in range(12)]
    assert faces[-1][0]["probability"] is not None
    left, top, width, height = faces[-1][0]["box"]
    assert abs(left + width / 2 - 700 / 1920) < 0.01 and abs(top + height / 2 - 400 / 1080) < 0.03
    assert refused["code"] == "bad_frame"
    assert "[560, 256, 288, 288], not within the video of 600x400" in refused["message"]


async def test_two_faces_have_two_tracks(server: Any, pair: bytes) -> None:
    async with client(server) as one:
        faces = (await one.play(pair, 5))[-1]["faces"]
    assert len({face["track"] for face in faces}) == 2
    assert sorted(face["box"][0] < 0.4 for face in faces) == [False, True]


async def test_no_face_is_a_verdict_too(server: Any, empty: bytes) -> None:
    async with client(server) as one:
        assert [v["faces"] for v in await one.play(empty, 3)] == [[], [], []]


async def test_status_comes_by_itself_again_and_again(server: Any) -> None:
    async with client(server) as one:
        first = await one.next("status")
        second = await one.next("status")
    fields = {"type", "engine", "fallback", "received", "analysed", "dropped"}
    assert set(first) == set(second) == fields


async def test_the_newest_frame_wins_and_every_frame_is_accounted_for(
    server: Any, portrait: bytes
) -> None:
    async with client(server) as one:
        for i in range(60):
            await one.send(frame(i, i / 60, portrait))
        verdicts: list[dict[str, Any]] = []
        while not verdicts or verdicts[-1]["frame_id"] != 59:
            verdicts.append(await one.next("verdict"))
        status = await one.next("status")
    assert status["received"] == 60
    assert status["analysed"] == len(verdicts) < 60
    assert status["analysed"] + status["dropped"] == 60


async def test_seek_starts_windows_anew_and_may_go_back(server: Any, portrait: bytes) -> None:
    async with client(server) as one:
        before = (await one.play(portrait, 10, start=100.0))[-1]["faces"][0]
        await one.send({"type": "seek"})
        after = await one.verdict_for(10, 3.0, portrait)
    assert before["samples"] == 10
    assert after["faces"][0]["samples"] == 1
    assert after["faces"][0]["track"] > before["track"]


async def test_pause_drops_frames_until_resume(server: Any, portrait: bytes) -> None:
    async with client(server) as one:
        await one.play(portrait, 2)
        await one.send({"type": "pause"})
        await one.send(frame(2, 0.2, portrait))
        await one.send({"type": "resume"})
        answer = await one.verdict_for(3, 0.3, portrait)
        status = await one.next("status")
    assert answer["frame_id"] == 3
    assert (status["received"], status["dropped"]) == (4, 1)


async def test_bye_ends_the_stream(server: Any) -> None:
    async with client(server) as one:
        await one.send({"type": "bye"})
        await one.socket.wait_closed()
    assert one.socket.close_code == 1000


async def test_a_new_resolution_in_mid_stream_keeps_the_face(server: Any, portrait: bytes) -> None:
    import io

    from PIL import Image as Pillow

    small = io.BytesIO()
    Pillow.open(io.BytesIO(portrait)).resize((480, 270)).save(small, "JPEG", quality=90)
    async with client(server) as one:
        await one.play(portrait, 5)
        answer = (await one.play(small.getvalue(), 3, start=0.5, width=480, height=270))[-1]
    assert [face["track"] for face in answer["faces"]] == [1]
    assert answer["faces"][0]["samples"] == 8


async def test_eight_streams_at_once_are_all_served(server: Any, portrait: bytes) -> None:
    async def watch() -> list[dict[str, Any]]:
        async with client(server) as one:
            return await one.play(portrait, 12)

    answers = await asyncio.gather(*(watch() for _ in range(8)))
    assert all(verdicts[-1]["faces"][0]["probability"] is not None for verdicts in answers)


async def test_sixteen_streams_open_on_one_token(server: Any) -> None:
    async with asyncio.TaskGroup() as group:
        opened = asyncio.Event()

        async def hold() -> None:
            async with client(server) as one:
                assert one.welcome
                await opened.wait()

        for _ in range(16):
            group.create_task(hold())
        await asyncio.sleep(1)
        opened.set()


async def test_streams_are_listed_with_their_source(server: Any, portrait: bytes) -> None:
    source = {"kind": "file", "title": "clip.mp4"}
    hello = {"type": "hello", "protocol": 1, "token": TOKEN, "source": source}
    async with client(server, hello=hello) as one:
        await one.play(portrait, 2)
        listed = await asyncio.to_thread(_get, server, "/v1/streams")
    mine = next(s for s in listed if s["id"] == one.welcome["stream"])
    assert mine["source"] == source and mine["analysed"] == 2 and len(mine["faces"]) == 1


async def test_a_stopping_server_says_so(models: Any, portrait: bytes) -> None:
    from tests.support.server import running_server

    with running_server("--models", str(models)) as other:
        async with client(other) as one:
            await one.play(portrait, 2)
            status = asyncio.to_thread(other.stop)
            stopping = asyncio.create_task(status)
            await asyncio.wait_for(one.socket.wait_closed(), 60)
            assert await stopping == 0
    assert one.socket.close_code == 4010
    assert "stopping" in one.socket.close_reason


def test_the_start_says_what_to_open_and_what_the_weights_are_for(server: Any) -> None:
    assert f"{server.url}/#token={TOKEN}" in server.output
    assert "research use only" in server.output
    assert "Load unpacked" in server.output


def _get(server: Any, path: str) -> Any:
    request = urllib.request.Request(
        server.url + path, headers={"Authorization": f"Bearer {TOKEN}"}
    )
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.load(answer)
