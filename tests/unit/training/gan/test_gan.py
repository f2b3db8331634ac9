"""The face swapper's networks, training, resuming and grid, on two made people."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from tests.support.gan_people import clip, faces_of
from training.__main__ import main
from training.gan.faces import LEAST, Person, load, save
from training.gan.grid import ROWS, grid
from training.gan.measure import errors
from training.gan.nets import PEOPLE, Shape, Swapper, composed
from training.gan.run import CHECKPOINT, FACES, read_report
from training.gan.trainer import Plan, Trainer, load_maker
from training.gan.warp import Bend, draw, training_faces

pytestmark = pytest.mark.slow  # trains networks
SHAPE = Shape(32, 16, 64)


@pytest.fixture(scope="module")
def people() -> dict[str, Person]:
    return {name: faces_of(name) for name in PEOPLE}


def trained(people: dict[str, Person], iterations: int, **changes: object) -> Trainer:
    plan = Plan(iterations, batch=8, rate=1e-3, critic_from=50, **changes)
    trainer = Trainer(SHAPE, plan, people)
    trainer.run(lambda _: False, lambda _, __: None)
    return trainer


def test_it_learns_two_people(people: dict[str, Person]) -> None:
    before = errors(Trainer(SHAPE, Plan(1), people).maker, people)
    maker = trained(people, 220).maker
    after = errors(maker, people)
    assert after["faces"] == 16  # what was held out, of both
    assert after["l1"] < before["l1"] / 3 and after["psnr"] > before["psnr"] + 6
    assert after["l1"] < before["mean_l1"] and after["l1_face"] < before["mean_l1_face"]
    assert after["mask_l1"] < before["mask_l1"] / 4 and after["mask_iou"] > 0.85
    # The same face comes out as two people, and each decoder keeps to its own: b is far darker.
    maker.eval()
    for name in PEOPLE:
        pictures, _ = people[name].part(held=True)
        given = torch.from_numpy(pictures[:, 4:36, 4:36]).permute(0, 3, 1, 2).float() / 127.5 - 1
        with torch.no_grad():
            light, dark = (maker(given, person)[0].mean() for person in PEOPLE)
        assert light > dark + 0.05


@pytest.mark.parametrize(("size", "bottom"), [(32, 4), (64, 4), (96, 6), (128, 4)])
def test_pictures_and_masks_come_in_the_size_asked_for(size: int, bottom: int) -> None:
    shape = Shape(size, 8, 16)
    assert shape.bottom == bottom
    picture, mask = Swapper(shape)(torch.zeros(2, 3, size, size), "b")
    assert picture.shape == (2, 3, size, size) and mask.shape == (2, 1, size, size)
    assert float(mask.detach().min()) >= 0 and float(mask.detach().max()) <= 1
    same = composed(picture, torch.zeros_like(mask), torch.ones_like(picture))
    assert torch.equal(same, torch.ones_like(picture))


def test_views_are_bent_going_in_and_straight_in_what_is_asked_for(
    people: dict[str, Person],
) -> None:
    faces = training_faces(people["a"])
    rng = torch.Generator().manual_seed(3)
    still = Bend(warp=0, turn=0, zoom=0, shift=0, light=0)
    batch = draw(faces, 6, 32, still, rng)
    assert torch.equal(batch.source, batch.target)
    bent = draw(faces, 6, 32, Bend(warp=0.1, turn=0, zoom=0, shift=0, light=0), rng)
    assert float((bent.source - bent.target).abs().mean()) > 0.02
    assert bent.mask.shape == (6, 1, 32, 32) and 0 <= bent.mask.min() <= bent.mask.max() <= 1
    # Without any change a view is the middle of a stored picture, or its mirror image.
    stored = people["a"].part(held=False)[0][:, 4:36, 4:36].astype(np.float32)
    one = (batch.target[0].permute(1, 2, 0).numpy() + 1) * 127.5
    off = [np.abs(view - one).mean() for face in stored for view in (face, face[:, ::-1])]
    assert min(off) < 0.5


def test_a_run_that_goes_on_is_the_run_that_was_never_cut(
    people: dict[str, Person], tmp_path: Path
) -> None:
    whole = Trainer(SHAPE, Plan(6, batch=2, critic_from=0), people)
    whole.run(lambda _: False, lambda _, __: None)
    first = Trainer(SHAPE, Plan(6, batch=2, critic_from=0), people)
    first.run(lambda trainer: trainer.iteration == 3, lambda _, __: None)
    first.save(tmp_path / CHECKPOINT)
    second = Trainer(SHAPE, Plan(6, batch=2, critic_from=0), people)
    second.load(tmp_path / CHECKPOINT)
    assert second.iteration == 3
    second.run(lambda _: False, lambda _, __: None)
    for name, values in whole.maker.state_dict().items():
        assert torch.equal(values, second.maker.state_dict()[name]), name
    other = Trainer(Shape(32, 8, 64), Plan(6), people)
    with pytest.raises(ValueError, match=r"'width': 16.*'width': 8"):
        other.load(tmp_path / CHECKPOINT)


def test_a_killed_run_goes_on_from_its_checkpoint(tmp_path: Path) -> None:
    run, out = tmp_path / "run", tmp_path / "out"
    command = ["synthesize", "--gan", "--run", str(run), "--out", str(out)]
    for name in PEOPLE:
        command += [f"--{name}", str(clip(tmp_path / f"{name}.mp4", name))]
    command += ["--size", "32", "--width", "8", "--batch", "1", "--checkpoint-seconds", "0"]
    child = subprocess.Popen(
        [sys.executable, "-m", "training", *command, "--iterations", "1000000"],
        stderr=subprocess.DEVNULL,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    try:
        while not (run / CHECKPOINT).is_file() and child.poll() is None:
            time.sleep(0.1)
    finally:
        child.send_signal(signal.SIGKILL)
        child.wait()
    _, reached = load_maker(run / CHECKPOINT)
    assert reached >= 1
    assert main([*command, "--iterations", str(reached + 5)]) == 0
    log = [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]
    assert [line["iteration"] for line in log if line["event"] == "resumed"] == [reached]
    report = read_report(run)
    assert report["iterations"] == reached + 5 and "before" in report and "after" in report
    assert len(report["clips"]) == 4 and all((out / name).is_file() for name in report["clips"])


def test_the_grid_shows_both_people(people: dict[str, Person], tmp_path: Path) -> None:
    trainer = Trainer(SHAPE, Plan(1), people)
    picture = grid(trainer.maker, people, columns=4)
    assert picture.shape == (2 * len(ROWS) * 34, 4 * 34, 3)
    first = people["a"].part(held=False)[0][0, 4:36, 4:36]
    assert np.array_equal(picture[:32, :32], first)
    last = people["b"].part(held=True)[0][-1, 4:36, 4:36]
    top = len(ROWS) * 34
    assert np.array_equal(picture[top : top + 32, 3 * 34 : 3 * 34 + 32], last)
    with pytest.raises(ValueError, match="columns is 1, it must be 2 to 64"):
        grid(trainer.maker, people, columns=1)
    trainer.save(tmp_path / CHECKPOINT)
    save(tmp_path / FACES, people)
    assert np.array_equal(load(tmp_path / FACES)["b"].masks, people["b"].masks)
    out = tmp_path / "grid.png"
    assert main(["synthesize", "--grid", "--run", str(tmp_path), "--out", str(out)]) == 0
    assert cv2.imread(str(out)).shape == (2 * len(ROWS) * 34, 8 * 34, 3)


@pytest.mark.parametrize("precision", ["bf16", "16"])
def test_it_trains_in_sixteen_bits(people: dict[str, Person], precision: str) -> None:
    trainer = trained(people, 3, precision=precision)
    assert all(torch.isfinite(values).all() for values in trainer.maker.state_dict().values())


def test_what_cannot_be_used_is_named_with_its_limit(
    people: dict[str, Person], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    a = clip(tmp_path / "a.mp4", "a")
    short = clip(tmp_path / "short.mp4", "b", count=10)
    empty = tmp_path / "wall.mp4"
    from tests.support.faces import backdrop
    from tests.support.training_sets import write_video

    write_video(empty, [backdrop(240, 200)] * 5)
    base = ["synthesize", "--gan", "--run", str(tmp_path / "run"), "--out", str(tmp_path / "out")]
    for more, message in (
        (["--a", a], "--b is missing"),
        (["--a", a, "--b", empty], f"{empty}: no face found; faces must be at least 40 pixels"),
        (["--a", a, "--b", short], f"person b has 8 faces to train on, at least {LEAST}"),
        (["--a", a, "--b", tmp_path / "none.mp4"], "none.mp4"),
        (["--a", a, "--b", a, "--size", "50"], "size is 50, it must be one of (32, 64, 96, 128)"),
        (["--a", a, "--b", a, "--width", "4"], "width is 4, it must be 8 to 256"),
        (["--a", a, "--b", a, "--batch", "0"], "batch is 0, it must be 1 to 512"),
        (["--a", a, "--b", a, "--iterations", "0"], "iterations is 0, it must be at least 1"),
        (["--a", a, "--b", a, "--minutes", "0"], "minutes is 0.0, it must be more than 0"),
        (["--a", a, "--b", a, "--held", "1"], "held-out part is 1.0, it must be between 0 and 1"),
        (["--a", a, "--b", a, "--threads", "0"], "threads is 0, it must be at least 1"),
    ):
        assert main([*base, *map(str, more)]) == 2
        assert message in capsys.readouterr().err
    nothing = ["synthesize", "--grid", "--run", str(tmp_path / "no"), "--out", str(tmp_path / "g")]
    assert main(nothing) == 2
    assert "checkpoint.pt is missing: run synthesize --gan" in capsys.readouterr().err
