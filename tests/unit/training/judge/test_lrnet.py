"""LRNet's published weights on whole videos: the authors' code out of a clone, dlib's landmarks."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import dlib
import numpy as np
import pytest
import torch
from skimage import data

from tests.support.scan_media import every, moving_face, two_faces, without_faces, write_video
from training.__main__ import main
from training.data.layouts import Item
from training.judge.lrnet import BLOCK, LRNet

CALIBRATOR = """
import numpy as np

def calibrate_landmark(frames, shapes):
    assert frames[0].dtype == np.uint8 and shapes[0].shape == (68, 2)
    return [((shape - shape.mean(0)) / 200).ravel().tolist() for shape in shapes]
"""
MODEL = """
import torch
from skimage import data

class LRNet(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.level = torch.nn.Parameter(torch.zeros(()))

    def forward(self, x):
        assert x.shape[2] == 136
        fake = torch.sigmoid(self.level).expand(len(x))
        return torch.stack((1 - fake, fake), 1)
"""


def clone(folder: Path, *levels: float) -> Path:
    """A stand-in for the authors' repository: networks that say ``levels``, whatever they see."""
    for name, text in (("calibrator/LC.py", CALIBRATOR), ("demo/utils/model.py", MODEL)):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    (folder / "demo/model_weights").mkdir()
    for name, level in zip(("g1", "g2"), levels, strict=True):
        torch.save({"level": torch.tensor(level)}, folder / f"demo/model_weights/{name}.pth")
    return folder


@pytest.fixture(scope="module")
def predictor(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """dlib's own kind of predictor, taught on one face."""
    gray = cv2.cvtColor(data.astronaut(), cv2.COLOR_RGB2GRAY)
    (box,) = dlib.get_frontal_face_detector()(gray, 1)
    places = [
        dlib.point(
            box.left() + round(box.width() * x / 10), box.top() + round(box.height() * y / 7)
        )
        for x in range(10)
        for y in range(7)
    ][:68]
    options = dlib.shape_predictor_training_options()
    options.cascade_depth, options.num_trees_per_cascade_level = 2, 5
    options.feature_pool_size, options.oversampling_amount = 20, 5
    path = tmp_path_factory.mktemp("dlib") / "68.dat"
    found = dlib.full_object_detection(box, dlib.points(places))
    dlib.train_shape_predictor([gray], [[found]], options).save(str(path))
    return path


@pytest.mark.slow
def test_videos_are_judged_by_the_authors_rule_and_once(
    predictor: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root, out = tmp_path / "videos", tmp_path / "lrnet.json"
    for kind in ("real", "fake"):
        (root / kind).mkdir(parents=True)
    write_video(root / "real" / "one.mp4", moving_face(), every(25, 3))
    write_video(root / "real" / "none.mp4", without_faces(), every(25, 3))
    write_video(root / "real" / "short.mp4", moving_face(), every(25, 1))
    write_video(root / "fake" / "other.mp4", moving_face(share=0.5), every(25, 3))
    arguments = ["lrnet", str(root), "--layout", "folders", "--split", "", "--out", str(out)]
    arguments += ["--clone", str(clone(tmp_path / "clone", 3.0, 1.0))]
    arguments += ["--predictor", str(predictor)]
    assert main(arguments) == 0
    report = json.loads(out.read_text())
    assert report["decided"] == {"of": 2, "decided": 2, "wrong": 1}
    assert report["auc"] == 0.5
    assert {one["name"] for one in report["abstained"]} == {"real-none", "real-short"}
    rows = [json.loads(line) for line in out.with_suffix(".rows.jsonl").read_text().splitlines()]
    mean = sum(1 / (1 + np.exp(-level)) for level in (3.0, 1.0)) / 2
    told = {one["name"]: one["probability"] for one in rows}
    assert told["real-one"] == pytest.approx(mean, abs=1e-6) and told["real-none"] is None

    monkeypatch.setattr("training.judge.lrnet.Judge.judge", lambda *_: pytest.fail("judged again"))
    assert main(arguments) == 0 and json.loads(out.read_text()) == report


def test_landmarks_lie_on_the_face_of_the_part_that_is_asked_for(
    predictor: Path, tmp_path: Path
) -> None:
    judge = LRNet(clone(tmp_path / "clone", -3.0, -3.0), predictor).open()
    path = write_video(tmp_path / "pair.mp4", two_faces(), every(25, 2))
    half = Item("left", path, "video", "real", "set", region=(0.0, 0.0, 0.5, 1.0))
    seen = list(judge._faces(half))
    assert len(seen) > BLOCK
    for image, shape in seen:
        assert shape.shape == (68, 2)
        assert (shape > 0).all() and (shape < np.array(image.shape[1::-1])).all()
    steps = np.abs(np.diff([shape.mean(axis=0) for _, shape in seen], axis=0)).max()
    assert steps < 0.2 * np.ptp(seen[0][1], axis=0).max()
    row = judge.judge(half)
    assert row.verdict == "likely_real" and row.probability == pytest.approx(0.0474, abs=1e-3)


def test_what_is_missing_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "real").mkdir()
    write_video(tmp_path / "real" / "one.mp4", moving_face(), every(25, 1))
    arguments = ["lrnet", str(tmp_path), "--layout", "folders", "--split", "", "--clone", "nowhere"]
    arguments += ["--predictor", "none.dat", "--out", str(tmp_path / "x.json")]
    assert main(arguments) == 2
    assert "nowhere/calibrator/LC.py is missing" in capsys.readouterr().err
