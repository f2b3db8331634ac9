"""The search for a blend's border: what is asked for, what it costs, what is kept."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from stream_server.vision.crop import CROP_SIZE, alignment, to_crop
from tests.support.training_sets import STRONG, folder_set
from training.__main__ import main
from training.augment.border import CELLS, UNKNOWN, border, nowhere, unknown
from training.augment.margin import Cut
from training.data.manifest import Manifest, landmarks_of
from training.fit.batches import UNDECIDED, TrainingBatches
from training.fit.frame_model import FrameModel
from training.fit.pairs import Mix
from training.models.dino import DinoEncoder
from training.models.encoder import MobileNetV2Encoder, as_input
from training.models.local import LocalHead, local_loss

LANDMARKS = np.array([[90, 100], [150, 100], [120, 130], [96, 165], [144, 165]], np.float32)


def disc(side: int = 240, radius: float = 60) -> np.ndarray:
    down, across = np.mgrid[:side, :side]
    away = np.hypot(down - 130, across - 120)
    return np.clip((radius - away) / 12 + 0.5, 0, 1).astype(np.float32)


def test_the_border_is_a_ring_where_the_mask_ends() -> None:
    cells = border(disc(), LANDMARKS, Cut())
    assert cells.shape == (CELLS, CELLS) and cells.min() >= 0 and cells.max() <= 1
    to_crop = alignment(LANDMARKS)
    centre = to_crop[:, :2] @ [120, 130] + to_crop[:, 2]
    reach = 60 * np.hypot(to_crop[0, 0], to_crop[1, 0])
    places = (np.arange(CELLS) + 0.5) * CROP_SIZE / CELLS
    away = np.hypot(places[:, None] - centre[1], places[None, :] - centre[0])
    assert cells[np.abs(away - reach) < 4].min() > 0.3
    assert cells[np.abs(away - reach) > 30].max() < 0.05


def test_the_border_follows_the_cut_and_not_the_mask_s_strength() -> None:
    plain = border(disc(), LANDMARKS, Cut())
    np.testing.assert_allclose(border(disc() * 0.4, LANDMARKS, Cut()), plain, atol=0.02)
    mirrored = border(disc(), LANDMARKS, Cut(mirror=True))
    np.testing.assert_allclose(mirrored, plain[:, ::-1], atol=0.02)


def test_a_blend_tells_its_mask() -> None:
    rng = np.random.default_rng(0)
    image = np.full((240, 240, 3), 128, np.uint8)
    made, mask = STRONG.blended(image, LANDMARKS, rng)
    changed = np.abs(made.astype(int) - 128).max(axis=2) > 2
    assert mask.shape == (240, 240) and mask.max() == pytest.approx(STRONG.ratio, abs=0.05)
    assert (mask[changed] > 0).all() and changed[mask > 0.5].all()
    weaker = replace(STRONG, ratio=0.4).blended(image, LANDMARKS, rng)[1]
    assert weaker.max() == pytest.approx(0.4, abs=0.02)


def test_what_is_unknown_costs_nothing_and_has_no_gradient() -> None:
    logits = torch.zeros(2, 1, CELLS, CELLS, requires_grad=True)
    wanted = torch.from_numpy(np.stack([nowhere(), unknown()]))
    loss = local_loss(logits, wanted, 1.0)
    assert loss.item() == pytest.approx(np.log(2))
    loss.backward()
    assert logits.grad is not None
    assert logits.grad[0].abs().min() > 0 and logits.grad[1].abs().max() == 0
    assert local_loss(logits, torch.full((2, CELLS, CELLS), UNKNOWN), 1.0).item() == 0


@pytest.mark.parametrize(
    ("encoder", "side"), [(MobileNetV2Encoder(), 12), (DinoEncoder(blocks=1, rank=2), 13)]
)
def test_head_and_target_cover_the_same_part_of_the_crop(
    encoder: MobileNetV2Encoder | DinoEncoder, side: int
) -> None:
    model = FrameModel(encoder, encoder.dim, LocalHead(encoder.local_widths)).eval()
    image = as_input(torch.randint(0, 256, (2, 224, 224, 3), dtype=torch.uint8))
    with torch.inference_mode():
        score, found = model.both(image)
        torch.testing.assert_close(score, model(image))
    assert found.shape == (2, 1, side, side)
    local_loss(found, torch.zeros(2, CELLS, CELLS), encoder.view)
    small = torch.nn.functional.avg_pool2d(found, 2)  # the first steps may see smaller crops
    local_loss(small, torch.zeros(2, CELLS, CELLS), encoder.view)


@pytest.mark.parametrize(("view", "side"), [(6 / 7, 12), (182 / 224, 13), (1.0, 16)])
def test_each_place_is_asked_for_what_lies_under_it(view: float, side: int) -> None:
    """The cells rise from left to right, so each place's target is where it lies in the crop."""
    wanted = ((torch.arange(CELLS) + 0.5) / CELLS).expand(2, CELLS, CELLS).clone()
    wanted[1] = UNKNOWN
    places = 0.5 + ((torch.arange(side) + 0.5) / side - 0.5) * view
    places = places.clamp(0.5 / CELLS, 1 - 0.5 / CELLS)  # beyond the outermost centres: theirs
    right = torch.logit(places).expand(2, 1, side, side).clone().requires_grad_(True)
    local_loss(right, wanted, view).backward()
    assert right.grad is not None and right.grad.abs().max() < 1e-7
    aside = torch.logit(places).roll(1).expand(2, 1, side, side)
    assert local_loss(aside, wanted, view) > local_loss(right, wanted, view) + 0.01


def test_the_patches_are_a_map_of_the_picture() -> None:
    """What is drawn beside a change in the right lower corner must lie there, not mirrored."""
    encoder = DinoEncoder(blocks=1).eval()
    image = torch.zeros(1, 3, 224, 224)
    other = image.clone()
    other[..., 21 + 10 * 14 : 21 + 11 * 14, 21 + 3 * 14 : 21 + 4 * 14] = 1
    with torch.inference_mode():
        (before,), (after,) = (encoder.searched(one)[1] for one in (image, other))
    away = (after - before).abs().sum(1)[0]
    assert divmod(int(away.argmax()), 13) == (10, 3)


def test_a_member_is_kept_without_the_local_head_and_taken_with_one() -> None:
    encoder = MobileNetV2Encoder()
    model = FrameModel(encoder, encoder.dim, LocalHead(encoder.local_widths))
    kept = model.kept()
    assert not any(name.startswith("local.") for name in kept)
    FrameModel(MobileNetV2Encoder(), encoder.dim).load_state_dict(kept)
    other = FrameModel(MobileNetV2Encoder(), encoder.dim, LocalHead(encoder.local_widths))
    other.take(kept, "best.pt")
    torch.testing.assert_close(other.logit.weight, model.logit.weight)
    with pytest.raises(ValueError, match="without a local head"):
        FrameModel(encoder, encoder.dim).both(torch.zeros(1, 3, 224, 224))
    with pytest.raises(ValueError, match=r"best\.pt does not fit .* beyond it encoder\.nothing"):
        other.take({**kept, "encoder.nothing": torch.zeros(1)}, "best.pt")
    kept.pop("logit.bias")
    with pytest.raises(ValueError, match=r"lacks logit\.bias"):
        other.take(kept, "best.pt")


@pytest.fixture(scope="module")
def shards(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = folder_set(tmp_path_factory.mktemp("set"), 3, 8)
    out = tmp_path_factory.mktemp("shards")
    arguments = ["extract", str(root), "--layout", "folders", "--out", str(out)]
    assert main([*arguments, "--sharpness", "0"]) == 0
    assert main(["splits", str(out), "--shares", '{"train": 0.5, "dev": 0.5}']) == 0
    return out


@pytest.fixture(scope="module")
def pairs(shards: Path) -> TrainingBatches:
    mix = Mix(blended=4, paired=0, given=2, stills=0)
    return TrainingBatches(Manifest.open(shards), mix, 96, 0)


def test_batches_say_where_own_blends_end_and_no_more(pairs: TrainingBatches) -> None:
    batch = pairs.batch(np.random.default_rng(1))
    cells = batch["border"].numpy()
    assert cells.shape == (12, CELLS, CELLS)
    assert (cells[0::2] == 0).all()
    assert (cells[1:8:2].max(axis=(1, 2)) > 0.2).all() and (cells[:8] >= 0).all()
    assert (cells[9::2] == UNKNOWN).all()


def test_hidden_pairs_are_blurred_and_undecided(shards: Path) -> None:
    mix = Mix(blended=2, paired=0, given=0, stills=0, harm=0, hidden=3)
    batch = TrainingBatches(Manifest.open(shards), mix, 96, 0).batch(np.random.default_rng(4))
    assert batch["label"].tolist() == [0, 1, 0, 1, *[UNDECIDED] * 6]
    assert (batch["border"][4:] == UNKNOWN).all()
    detail = batch["image"].float().diff(n=2, dim=2).abs().mean(dim=(1, 2, 3))
    assert detail[4:].max() < 0.6 * detail[:4].min(), detail


def test_donors_look_the_same_way(pairs: TrainingBatches) -> None:
    rng = np.random.default_rng(2)
    wanted = landmarks_of(pairs.pairs.real(rng).sample)
    aligned = to_crop(wanted, alignment(wanted))

    def away(row: Any) -> float:
        points = landmarks_of(row.sample)
        return float(np.abs(to_crop(points, alignment(points)) - aligned).sum())

    chosen = np.mean([away(pairs._alike(rng, wanted)) for _ in range(20)])
    assert chosen < 0.7 * np.mean([away(pairs.pairs.real(rng)) for _ in range(60)])


def arguments(shards: Path, run: Path, model: str) -> list[str]:
    return [
        *("train", "--model", model, "--shards", str(shards), "--run", str(run)),
        *("--stage", "frames", "--steps", "2", "--size", "96", "--sharpness", "0"),
        *("--mix", '{"blended": 2, "paired": 0, "given": 1, "hidden": 1}', "--local", "0.5"),
    ]


def test_a_run_searches_borders_and_leaves_no_trace_of_it(shards: Path, tmp_path: Path) -> None:
    assert main(arguments(shards, tmp_path, "mobilenetv2_mean")) == 0
    kept = torch.load(tmp_path / "last.pt", weights_only=True)["state"]
    assert not any(name.startswith("local.") for name in kept)
    going_on = torch.load(tmp_path / "checkpoints" / "last.ckpt", weights_only=False)["state_dict"]
    assert "model.local.logit.weight" in going_on


def test_a_model_without_maps_is_refused(
    shards: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments(shards, tmp_path, "meso4_mean")) == 2
    assert "--local 0.5: meso4_mean has no maps to search" in capsys.readouterr().err
