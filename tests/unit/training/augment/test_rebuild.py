"""Faces that autoencoders made anew: what changes, what stays, and that a batch takes them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from stream_server.vision.detect import FaceDetector
from stream_server.vision.types import Floats, Image
from tests.support.tiny_shards import tiny_shards
from tests.support.training_sets import portrait
from training.__main__ import main
from training.augment.border import UNKNOWN
from training.augment.rebuild import Rebuild
from training.data.manifest import Manifest
from training.fit.autoencoder import train_autoencoder
from training.fit.batches import TrainingBatches
from training.fit.pairs import Mix
from training.models.autoencoder import KINDS, Autoencoder, Kind, load_autoencoder

SMALL = Kind("nearest", 2, 4, 8)


@pytest.fixture(scope="module")
def shards(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_shards(tmp_path_factory.mktemp("shards"))


@pytest.fixture(scope="module")
def folder(shards: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("autoencoders")
    train = Manifest.open(shards).split("train")
    train_autoencoder(SMALL, train, root / f"{SMALL.name}.pt", 0, 150)
    return root


@pytest.fixture(scope="module")
def face() -> tuple[Image, Floats]:
    picture = portrait(3)
    return picture, FaceDetector(min_face=40).detect(picture).landmarks[0]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_every_kind_gives_a_picture_of_the_same_size(kind: Kind) -> None:
    pictures = torch.rand(2, 3, 40, 56) * 2 - 1
    made = Autoencoder(kind)(pictures)
    assert made.shape == pictures.shape and made.abs().max() <= 1


def test_kinds_have_names_of_their_own() -> None:
    assert len({kind.name for kind in KINDS}) == len(KINDS)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"up": "cubic"}, "up is 'cubic'"),
        ({"halvings": 5}, "halvings is 5"),
        ({"code": 0}, "code is 0, it must be 1 to 192"),
        ({"width": 500}, "width is 500"),
    ],
)
def test_a_kind_that_cannot_be_names_the_value(values: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Kind(**values)


@pytest.mark.slow
def test_training_brings_the_picture_back(folder: Path, face: tuple[Image, Floats]) -> None:
    picture = torch.from_numpy(face[0][:128, :128]).permute(2, 0, 1)[None].float() / 127.5 - 1
    trained = load_autoencoder(folder / f"{SMALL.name}.pt")
    torch.manual_seed(0)
    with torch.inference_mode():
        off = (trained(picture) - picture).abs().mean()
        untrained = (Autoencoder(SMALL)(picture) - picture).abs().mean()
    assert off < untrained / 3


@pytest.mark.slow
def test_the_whole_picture_or_what_a_mask_covers_is_made_anew(
    folder: Path, face: tuple[Image, Floats]
) -> None:
    picture, landmarks = face
    nets = Rebuild.load(folder).nets
    softer = []
    for seed in range(6):
        rng = np.random.default_rng(seed)
        real, made, mask = Rebuild(nets, whole=1).apply(picture, landmarks, rng)
        assert mask is None and made.shape == real.shape == picture.shape
        assert made.dtype == real.dtype == np.uint8
        assert (made != real).any(axis=2).mean() > 0.5
        softer.append(not np.array_equal(real, picture))
        assert np.abs(real.astype(int) - picture).mean() < 12  # the same picture, softer at most
    assert any(softer) and not all(softer)
    for seed in range(6):
        rng = np.random.default_rng(seed)
        real, made, mask = Rebuild(nets, whole=0).apply(picture, landmarks, rng)
        assert mask is not None and np.array_equal(real, picture)
        outside = mask == 0
        assert outside.any() and np.array_equal(made[outside], picture[outside])
        assert (made[~outside] != picture[~outside]).any()


@pytest.mark.slow
def test_a_batch_holds_a_real_face_beside_itself_made_anew(shards: Path, folder: Path) -> None:
    mix = Mix(blended=0, paired=0, given=0, stills=0, rebuilt=4, harm=0)
    batches = TrainingBatches(Manifest.open(shards), mix, 96, 0, rebuild=Rebuild.load(folder))
    batch = batches.batch(np.random.default_rng(2))
    assert batch["label"].tolist() == [0, 1] * 4
    image = batch["image"].float()
    apart = (image[0::2] - image[1::2]).abs().mean((1, 2, 3))
    others = (image[0] - image[2]).abs().mean()
    assert (apart > 0).all() and apart.max() < others  # the same moment of the same person
    where = batch["border"]
    assert (where[0::2] == 0).all()
    whole = (where[1::2] == UNKNOWN).all(dim=(1, 2))
    assert ((where[1::2].amax((1, 2)) > 0) | whole).all()


def test_a_mix_of_rebuilt_faces_without_autoencoders_is_refused(shards: Path) -> None:
    with pytest.raises(ValueError, match="2 rebuilt pairs needs --autoencoders"):
        TrainingBatches(Manifest.open(shards), Mix(rebuilt=2), 96, 0)


def test_an_empty_folder_and_another_file_are_refused(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="run the autoencoders step first"):
        Rebuild.load(tmp_path)
    torch.save({"state": {}}, tmp_path / "other.pt")
    with pytest.raises(ValueError, match="holds no autoencoder"):
        Rebuild.load(tmp_path)


@pytest.mark.slow
def test_the_step_trains_what_is_missing_and_keeps_what_is_there(
    shards: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    step = ["autoencoders", "--shards", str(shards), "--out", str(tmp_path), "--steps", "3",
            "--kinds", "nearest-4-6", "shuffle-8-24"]  # fmt: skip
    assert main(step) == 0
    files = {path: path.read_bytes() for path in tmp_path.iterdir()}
    assert sorted(path.name for path in files) == ["nearest-4-6.pt", "shuffle-8-24.pt"]
    assert "grey levels off" in capsys.readouterr().out
    assert main(step) == 0
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == files
    assert main([*step[:-2], "transposed-4-6", "--minutes", "0", "--steps", "0"]) == 2
    assert "minutes 0 and steps 0: the run would never end" in capsys.readouterr().err
