"""Heat maps from the engine: arithmetic, the explain message, and what goes wrong."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stream_server.engine import EmbeddedEngine, ModelNotFound, ModelRepository
from stream_server.engine.base import EngineUnavailable
from stream_server.engine.check import check_repository
from stream_server.engine.fallback import FallbackEngine
from stream_server.explain.explainer import Explainer
from stream_server.explain.heat import Part, joined, weighed
from stream_server.explain.paint import heat_over
from stream_server.explain.requests import ExplainRequests
from stream_server.protocol import Explain, ProtocolError, parse_control
from stream_server.stream import Moment
from stream_server.vision.crop import align_crop, alignment, corners
from tests.support.tiny_repository import tiny_reader, tiny_repository
from training.export.ensembles import write_ensembles
from training.export.repository_writer import place_member, write_vote
from training.judge.vote import Vote, Voter


@pytest.fixture(scope="module")
def mapped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models") / "triton_models"
    return tiny_repository(folder, ("one", "two"), ("points",), maps=True)


def spotted(row: int, column: int, size: int = 7) -> np.ndarray:
    crop = np.full((224, 224, 3), 128, np.uint8)
    cell = 224 // size
    crop[row * cell : (row + 1) * cell, column * cell : (column + 1) * cell] = (250, 10, 130)
    return crop


def test_only_what_speaks_for_manipulation_is_kept() -> None:
    maps = np.zeros((1, 2, 2, 2), np.float32)
    maps[0, 0, 0, 0], maps[0, 1, 1, 1] = 2, 3
    found = weighed(maps, np.array([[1.0, -1.0]], np.float32))
    assert found.tolist() == [[[2.0, 0.0], [0.0, -3.0]]]
    grid = joined([Part(found[0], 1.0)], 2)
    assert grid.ravel() == pytest.approx([2 / 3, 0, 0, 0])


def test_members_are_added_on_one_grid_and_nothing_stays_nothing() -> None:
    left, right = np.zeros((7, 7), np.float32), np.zeros((8, 8), np.float32)
    left[3, 0], right[4, 7] = 1.0, 2.0
    grid = joined([Part(left, 1.0), Part(right, 1.0)])
    assert grid.shape == (14, 14) and grid.max() == 1
    assert grid[:, :3].max() > 0.3 and grid[:, -2:].max() == 1 and grid[:, 5:9].max() == 0
    assert joined([Part(-left, 1.0)]).max() == 0
    faint = joined([Part(left - 4 * np.eye(7, dtype=np.float32), 1.0)])
    assert 0 < faint.max() <= 0.25, "what speaks against it outweighs what speaks for it"
    assert joined([]).tolist() == np.zeros((14, 14)).tolist()


def test_a_member_that_sees_the_middle_says_nothing_of_the_border() -> None:
    grid = joined([Part(np.ones((6, 6), np.float32), 6 / 7)])
    assert grid[1:-1, 1:-1].min() == 1 and grid[0].max() == 0 and grid[:, -1].max() == 0


def test_a_map_is_put_where_it_belongs() -> None:
    signed = np.zeros((7, 7), np.float32)
    signed[1, 5] = 1
    row, column = np.unravel_index(joined([Part(signed, 1.0)]).argmax(), (14, 14))
    assert row in (2, 3) and column in (10, 11)


def test_colours_rise_in_lightness_and_the_face_stays_visible() -> None:
    crop = np.full((64, 64, 3), 128, np.uint8)
    ramp = np.repeat(np.linspace(0, 1, 14, dtype=np.float32)[None], 14, 0)
    painted = heat_over(crop, ramp).astype(float)
    light = painted[32] @ [0.2126, 0.7152, 0.0722]
    assert (np.diff(light[4:-4]) > -0.5).all() and light[-1] - light[0] > 80
    assert heat_over(crop // 2, ramp)[32, 32].tolist() != heat_over(crop, ramp)[32, 32].tolist()


def test_the_crop_lies_where_its_corners_say() -> None:
    down, across = np.mgrid[0:250, 0:250]
    picture = np.stack((across, down, across * 0), axis=-1).astype(np.uint8)
    points = np.array([[150, 100], [230, 120], [185, 150], [140, 185], [210, 200]], np.float32)
    crop = align_crop(picture, points)
    quad = corners(alignment(points))
    # Each pixel holds its own place, so the crop tells what it was cut from.
    x, y = quad.mean(axis=0)
    assert crop[111:113, 111:113, :2].reshape(-1, 2).mean(axis=0) == pytest.approx(
        [x - 0.5, y - 0.5], abs=1
    )
    side = np.linalg.norm(quad[1] - quad[0])
    assert np.allclose(np.linalg.norm(quad[3] - quad[0]), side, rtol=1e-4)
    assert quad[1][1] > quad[0][1], "the crop turns with the face"


async def test_the_heat_map_is_the_gradient_of_the_vote(mapped: Path) -> None:
    engine = EmbeddedEngine(ModelRepository.load(mapped))
    explainer = Explainer(engine)
    assert explainer.members == ("one", "two")
    heat = await explainer.explain(spotted(2, 5))
    assert heat.grid.shape == (14, 14) and heat.members == ("one", "two")
    assert heat.grid.min() >= 0 and heat.grid.max() <= 1

    async def logit(crop: np.ndarray) -> float:
        features = engine.run("face_features", {"FRAMES": crop[None]})
        window = {
            name: np.zeros((1, 100, array.shape[-1]), np.float32)
            for name, array in features.items()
        }
        for name, array in features.items():
            window[name][0, 0] = array
        window["LANDMARKS"] = np.zeros((1, 100, 10), np.float32)
        window["LENGTH"] = np.ones((1, 1), np.int32)
        p = float(engine.run("sequence_verdict", window)["PROBABILITY"][0, 0])
        return float(np.log(p / (1 - p)))

    # Brightening one field moves the vote by what the gradient says of its colours.
    crop = spotted(2, 5)
    signed = sum(
        explainer._shares[name] * np.einsum("c,chw->hw", answer["GRADIENT"][0], answer["MAP"][0])
        for name in explainer.members
        for answer in [engine.run(f"{name}_map", {"FRAMES": crop[None]})]
    )
    before = await logit(crop)
    for row, column in ((2, 5), (0, 0), (6, 3)):
        changed = crop.astype(float)
        field = np.s_[row * 32 : row * 32 + 32, column * 32 : column * 32 + 32]
        changed[field] *= 0.9
        moved = (before - await logit(changed.round().astype(np.uint8))) / 0.1
        assert moved == pytest.approx(float(signed[row, column]), abs=0.002)
    await engine.close()


async def test_a_member_that_asks_another_question_leaves_the_shares_as_they_are(
    tmp_path: Path,
) -> None:
    shares = []
    for readers in ({}, {"heads": ("one", "two")}):
        repo = tiny_repository(tmp_path / str(len(readers)), ("one", "two"), maps=True)
        vote = Vote((Voter("one", 1.5, 0.3, 0.6), Voter("two", 0.5, -0.2, 0.7)), 0.1)
        if readers:
            place_member(repo, "heads", tiny_reader({"one": 8, "two": 9}), {"one": 8, "two": 9})
            vote = replace(vote, members=(*vote.members, Voter("heads", 2.0, 1.0, kind="either")))
        write_vote(repo, vote)
        write_ensembles(repo)
        engine = EmbeddedEngine(ModelRepository.load(repo))
        explainer = Explainer(engine)
        assert explainer.members == ("one", "two")
        await explainer.explain(spotted(2, 5))
        assert explainer._shares is not None
        shares.append(explainer._shares["one"] / explainer._shares["two"])
        await engine.close()
    assert shares[0] == pytest.approx(0.9 / 0.35, rel=1e-3)
    assert shares[1] == pytest.approx(shares[0], rel=0.01)


async def test_repositories_with_map_models_pass_their_check(mapped: Path) -> None:
    assert check_repository(mapped) == []


async def test_without_map_models_there_is_no_heat(tmp_path: Path) -> None:
    engine = EmbeddedEngine(ModelRepository.load(tiny_repository(tmp_path / "models")))
    explainer = Explainer(engine)
    assert explainer.members == ()
    with pytest.raises(ModelNotFound, match="without heat maps"):
        await explainer.explain(spotted(1, 1))
    await engine.close()


async def test_crops_that_are_explained_together_share_calls(mapped: Path) -> None:
    calls: list[tuple[str, int]] = []

    class Noting(EmbeddedEngine):
        async def infer(self, model: Any, inputs: Any) -> Any:
            if model.endswith("_map"):
                calls.append((model, len(inputs["FRAMES"])))
            return await super().infer(model, inputs)

    engine = Noting(ModelRepository.load(mapped))
    crops = [spotted(2, 5), spotted(0, 0), spotted(6, 3)]
    together = await Explainer(engine, at_once=2).explain_all(crops)
    assert calls == [("one_map", 2), ("two_map", 2), ("one_map", 1), ("two_map", 1)]
    alone = Explainer(engine)
    for crop, heat in zip(crops, together, strict=True):
        np.testing.assert_allclose(heat.grid, (await alone.explain(crop)).grid, atol=1e-5)
    assert await alone.explain_all([]) == []
    await engine.close()


async def test_a_failing_map_model_does_not_take_triton_down(mapped: Path) -> None:
    repository = ModelRepository.load(mapped)

    class Primary(EmbeddedEngine):
        async def infer(self, model: Any, inputs: Any) -> Any:
            if model.endswith("_map"):
                raise EngineUnavailable("too slow")
            return await super().infer(model, inputs)

    engine = FallbackEngine(Primary(repository), EmbeddedEngine(repository))
    heat = await Explainer(engine).explain(spotted(2, 2))
    assert heat.grid.shape == (14, 14)
    assert not engine.fallback and engine.stats.primary_failures == 0
    await engine.close()


def moment(track: int = 1) -> Moment:
    quad = np.array([[0.1, 0.1], [0.5, 0.1], [0.5, 0.8], [0.1, 0.8]], np.float32)
    return Moment(track, 3.5, (0.2, 0.2, 0.2, 0.4), spotted(3, 3), quad)


async def wait_for(sent: list[Any], count: int) -> None:
    async with asyncio.timeout(60):
        while len(sent) < count:
            await asyncio.sleep(0.01)


async def test_explain_is_answered_one_at_a_time_and_not_too_often(mapped: Path) -> None:
    engine = EmbeddedEngine(ModelRepository.load(mapped))
    sent: list[dict[str, Any]] = []
    now = [100.0]
    moments = {1: moment(1), 2: None}
    asking = ExplainRequests(Explainer(engine), moments.__getitem__, sent.append, lambda: now[0])
    asking.ask(1)
    asking.ask(1)
    await wait_for(sent, 2)
    refused, answer = sent
    assert (refused["type"], refused["code"], refused["track"]) == (
        "error", "explain_too_often", 1,
    )  # fmt: skip
    assert answer["type"] == "explanation" and answer["track"] == 1
    assert answer["media_time"] == 3.5 and answer["members"] == ["one", "two"]
    assert len(answer["heat"]) == 14 and len(answer["heat"][0]) == 14
    assert len(answer["corners"]) == 4
    json.dumps(answer, allow_nan=False)
    asking.ask(7)
    asking.ask(2)
    assert [(m["code"], m["track"]) for m in sent[2:]] == [
        ("unknown_track", 7), ("no_explanation", 2),
    ]  # fmt: skip
    now[0] += 1
    asking.ask(1)
    await wait_for(sent, 5)
    assert sent[4]["type"] == "explanation"
    await engine.close()
    now[0] += 1
    asking.ask(1)
    await wait_for(sent, 6)
    assert sent[5]["code"] == "no_explanation" and "closed" in sent[5]["message"]


@pytest.mark.parametrize(
    "fields",
    ["", ',"track":"1"', ',"track":-1', ',"track":1,"more":2'],
)
def test_bad_explain_messages_are_refused(fields: str) -> None:
    with pytest.raises(ProtocolError, match="bad explain"):
        parse_control(f'{{"type":"explain"{fields}}}')
    assert parse_control('{"type":"explain","track":4}') == Explain(type="explain", track=4)
