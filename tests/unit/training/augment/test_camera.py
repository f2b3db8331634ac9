"""Light and camera of a source: what each peculiarity does, and that both of a pair share it."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from stream_server.vision.types import Floats, Image
from tests.support.training_sets import folder_set, portrait
from training.__main__ import main
from training.augment.camera import Camera
from training.data.manifest import Manifest
from training.fit.batches import TrainingBatches
from training.fit.pairs import Mix


@pytest.fixture(scope="module")
def shards(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = folder_set(tmp_path_factory.mktemp("set"), 2, 8)
    out = tmp_path_factory.mktemp("shards")
    arguments = ["extract", str(root), "--layout", "folders", "--out", str(out)]
    assert main([*arguments, "--sharpness", "0"]) == 0
    return out


@pytest.fixture(scope="module")
def picture() -> Image:
    return portrait(4)


def ycrcb(image: Image) -> Floats:
    return cv2.cvtColor(image, cv2.COLOR_RGB2YCrCb).astype(np.float32)


def detail(plane: Floats, axis: int) -> float:
    return float(np.abs(np.diff(plane.astype(np.float32), axis=axis)).mean())


def test_at_strength_zero_every_camera_is_plain(picture: Image) -> None:
    for seed in range(20):
        made = Camera.random(np.random.default_rng(seed), 0.0).apply(picture)
        assert np.array_equal(made, picture)


def test_cameras_differ_and_repeat_by_seed(picture: Image) -> None:
    def made(seed: int) -> Image:
        return Camera.random(np.random.default_rng(seed)).apply(picture)

    assert np.array_equal(made(1), made(1))
    changes = [np.abs(made(seed).astype(int) - picture).mean() for seed in range(30)]
    assert max(changes) > 8 and sum(change > 0 for change in changes) > 15
    assert all(made(seed).shape == picture.shape for seed in range(30))


def test_light_has_no_edge() -> None:
    gray = np.full((240, 240, 3), 110, np.uint8)
    seen = 0
    for seed in range(60):
        camera = Camera.random(np.random.default_rng(seed))
        if camera.light is None:
            continue
        seen += 1
        lit = Camera(light=camera.light).apply(gray).astype(np.int16)
        for axis in (0, 1):
            assert np.abs(np.diff(lit, axis=axis)).max() <= 4, seed
        assert lit.std() > 1, seed
    assert seen > 15


def test_tone_changes_colour_or_contrast_alone(picture: Image) -> None:
    plain, pale = ycrcb(picture), ycrcb(Camera(saturation=0.4).apply(picture))
    ratio = np.abs(pale[:, :, 1:] - 128).mean() / np.abs(plain[:, :, 1:] - 128).mean()
    assert 0.35 < ratio < 0.45
    assert np.abs(pale[:, :, 0] - plain[:, :, 0]).mean() < 1.5
    flat = ycrcb(Camera(contrast=0.65).apply(picture))
    assert 0.6 < flat[:, :, 0].std() / plain[:, :, 0].std() < 0.7


def bar() -> Image:
    """Gray on the left, red on the right."""
    made = np.full((120, 120, 3), 60, np.uint8)
    made[:, 60:] = (200, 60, 60)
    return made


def test_analogue_colour_bleeds_along_the_line_and_luma_stays() -> None:
    camera, upright = Camera(bleed=4.0), bar()
    along, across = camera.apply(upright), camera.apply(upright.transpose(1, 0, 2).copy())
    steps = np.abs(np.diff(ycrcb(upright)[60, :, 1])).max()
    assert np.abs(np.diff(ycrcb(along)[60, :, 1])).max() < 0.2 * steps
    assert np.abs(np.diff(ycrcb(across)[:, 60, 1])).max() > 0.6 * steps
    # Some colours that bleed cannot be shown at their luma, so only most of it stays.
    assert np.median(np.abs(ycrcb(along)[:, :, 0] - ycrcb(upright)[:, :, 0])) <= 1


def test_slip_moves_the_colour_against_the_luma() -> None:
    moved = ycrcb(Camera(slip=3).apply(bar()))[60]
    assert np.abs(np.diff(moved[:, 0])).argmax() == 59
    assert np.abs(np.diff(moved[:, 1])).argmax() == 62


def test_edges_lines_and_noise(picture: Image) -> None:
    luma = ycrcb(picture)[:, :, 0]
    sharp = ycrcb(Camera(sharpen=1.5, radius=1.5).apply(picture))[:, :, 0]
    assert detail(sharp, 1) > 1.4 * detail(luma, 1)
    laced = ycrcb(Camera(interlaced=True).apply(picture))[:, :, 0]
    assert detail(laced, 0) < 0.98 * detail(luma, 0) and laced.shape == luma.shape
    rough = np.random.default_rng(0).normal(0, 8, picture.shape)
    noisy = np.clip(picture + rough, 0, 255).astype(np.uint8)
    for how in (1, 2, 3):
        calm = Camera(suppress=how).apply(noisy).astype(float)
        assert np.abs(calm - picture).mean() < 0.85 * np.abs(noisy.astype(float) - picture).mean()


def test_both_of_a_pair_come_from_one_camera(shards: Path) -> None:
    def pair(camera: float) -> list[Image]:
        mix = Mix(harm=0.0, camera=camera)
        batches = TrainingBatches(Manifest.open(shards), mix, 96, 0)
        rng = np.random.default_rng(3)
        row = batches.pairs.real(rng)
        return [crop for crop, _ in batches._pair(np.random.default_rng(8), 96, row, row)]

    first, second = pair(1.0)
    plain, _ = pair(0.0)
    # The same face on both sides: what one has, the other must have to the last grey level.
    assert np.array_equal(first, second)
    assert not np.array_equal(first, plain)


def test_blended_and_given_faces_both_come_from_a_camera(
    shards: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Camera, "random", lambda *_: Camera(saturation=0.0))
    mix = Mix(blended=2, paired=0, given=1, stills=0, harm=0.0, camera=1.0)
    batch = TrainingBatches(Manifest.open(shards), mix, 96, 0).batch(np.random.default_rng(5))
    reals = batch["image"][0::2].int()
    assert (reals.amax(dim=3) - reals.amin(dim=3)).max() <= 2  # grey, as that camera is
