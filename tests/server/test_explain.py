"""Explanations over a real socket, while other streams play on."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from tests.server.conftest import jpeg
from tests.support.client import client
from tests.support.faces import backdrop, paste, person
from tests.support.server import running_server
from tests.support.tiny_repository import tiny_repository


@pytest.fixture(scope="module")
def mapped(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    models = tiny_repository(tmp_path_factory.mktemp("models") / "triton_models", maps=True)
    with running_server("--models", str(models)) as server:
        yield server


@pytest.fixture(scope="module")
def picture() -> bytes:
    return jpeg(paste(backdrop(), person(), (320, 180), 260))


async def test_a_face_is_explained_while_another_stream_plays_on(
    mapped: Any, picture: bytes
) -> None:
    async with client(mapped) as asking, client(mapped) as watching:
        verdicts = await asking.play(picture, 10)
        [face] = verdicts[-1]["faces"]
        playing = asyncio.create_task(watching.play(picture, 30))
        explained = 0
        while not playing.done():
            await asking.send({"type": "explain", "track": face["track"]})
            message = await asking.next("explanation", "error")
            if message["type"] == "explanation":
                explained += 1
            else:
                assert message["code"] == "explain_too_often"
                assert message["track"] == face["track"]
                await asyncio.sleep(0.1)
        assert explained >= 1
        verdicts = await playing
        assert [v["frame_id"] for v in verdicts] == list(range(30))
        assert all(len(v["faces"]) == 1 for v in verdicts[1:])


async def test_the_answer_lies_on_the_face(mapped: Any, picture: bytes) -> None:
    async with client(mapped) as one:
        verdicts = await one.play(picture, 10)
        [face] = verdicts[-1]["faces"]
        await one.send({"type": "explain", "track": face["track"]})
        answer = await one.next("explanation")
        assert answer["track"] == face["track"] and answer["members"] == ["tiny"]
        assert answer["media_time"] == pytest.approx(0.9)
        assert answer["box"] == pytest.approx(face["box"], abs=0.02)
        left, top, width, height = face["box"]
        xs, ys = zip(*answer["corners"], strict=True)
        assert min(xs) < left and max(xs) > left + width
        assert (min(ys) + max(ys)) / 2 == pytest.approx(top + height / 2, abs=0.1)
        values = [value for row in answer["heat"] for value in row]
        assert len(answer["heat"]) == 14 and len(values) == 196
        assert min(values) >= 0 and max(values) <= 1
        # A paused stream can still be asked: people pause to look.
        await one.send({"type": "pause"})
        await asyncio.sleep(0.6)
        await one.send({"type": "explain", "track": face["track"]})
        assert (await one.next("explanation", "error"))["type"] == "explanation"


async def test_a_track_that_is_not_there_gets_an_error(mapped: Any, picture: bytes) -> None:
    async with client(mapped) as one:
        await one.send({"type": "explain", "track": 3})
        answer = await one.next("error")
        assert (answer["code"], answer["track"]) == ("unknown_track", 3)
        await one.send({"type": "explain", "track": "3"})
        assert (await one.next("error"))["code"] == "bad_message"
        assert (await one.verdict_for(1, 0.0, picture))["type"] == "verdict"


async def test_models_without_maps_are_said_in_words(server: Any, portrait: bytes) -> None:
    async with client(server) as one:
        verdicts = await one.play(portrait, 9)
        [face] = verdicts[-1]["faces"]
        await one.send({"type": "explain", "track": face["track"]})
        answer = await one.next("error")
        assert answer["code"] == "no_explanation" and "without heat maps" in answer["message"]
