"""Swapped frames and clips of two made people: what is changed, what is written, what is judged."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from stream_server.vision.crop import align_crop, alignment, to_crop
from stream_server.vision.detect import FaceDetector
from tests.support.faces import backdrop
from tests.support.gan_people import clip, faces_of, frame
from tests.support.paths import MODELS
from tests.support.training_sets import write_video
from training.__main__ import main
from training.data.layouts import clips as clips_layout
from training.data.manifest import Manifest
from training.gan.clips import METHOD, Origin, Recording, frames
from training.gan.detector_scores import judge, starts
from training.gan.faces import MARGIN, ROOM, Person
from training.gan.make_clips import make_clips
from training.gan.nets import PEOPLE, Shape, Swapper
from training.gan.outline import face_mask
from training.gan.swap import Paste, Tone, finished_mask, recoloured, swap_face
from training.gan.trainer import Plan, Trainer

PASTE = Paste()


@pytest.fixture(scope="module")
def people() -> dict[str, Person]:
    return {name: faces_of(name) for name in PEOPLE}


@pytest.fixture(scope="module")
def maker(people: dict[str, Person]) -> Swapper:
    trainer = Trainer(Shape(32, 16, 64), Plan(130, batch=6, rate=1e-3, critic_from=130), people)
    trainer.run(lambda _: False, lambda _, __: None)
    return trainer.maker.eval()


@pytest.fixture(scope="module")
def made(
    maker: Swapper, people: dict[str, Person], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A folder of swapped clips; the clips they are of lie in ``source`` beside it, indexed."""
    root = tmp_path_factory.mktemp("gan")
    source = root / "source"
    rows = "".join(f"{n}.mp4,train,real,,Made,full,{n}0\n" for n in PEOPLE)
    given = {name: [clip(source / f"{name}.mp4", name, count=12)] for name in PEOPLE}
    (source / "index.csv").write_text("file,split,label,method,source,half,source_ids\n" + rows)
    make_clips(maker, people, given, root / "out")
    return root / "out"


def test_only_the_face_is_changed(maker: Swapper, people: dict[str, Person]) -> None:
    image = frame("a", 3)
    landmarks = FaceDetector(min_face=40).detect(image).landmarks[0]
    tone = Tone.of_all(people["b"].pictures)
    swapped, weight = swap_face(maker, image, landmarks, "b", tone, PASTE)
    off = np.abs(swapped.astype(int) - image).mean(axis=2)
    assert swapped.shape == image.shape and weight.shape == image.shape[:2]
    assert np.all(off[weight == 0] == 0)
    assert (weight > 0.5).sum() > 900 and off[weight > 0.5].mean() > 3
    # The other person's face comes in this one's colours: it is far darker as it was recorded.
    inside = weight > 0.5
    assert abs(float(swapped[inside].mean()) - float(image[inside].mean())) < 12
    assert float(people["a"].pictures.mean()) > float(people["b"].pictures.mean()) + 40


def test_colours_are_carried_over() -> None:
    rng = np.random.default_rng(0)
    image = rng.integers(60, 120, (40, 40, 3)).astype(np.uint8)
    other = (rng.integers(100, 220, (40, 40, 3)) * (1.0, 0.8, 0.7)).astype(np.uint8)
    wanted = Tone.of(other)
    now = Tone.of(recoloured(image, Tone.of(image), wanted))
    assert np.abs(now.mean - wanted.mean).max() < 3
    assert np.abs(Tone.of(image).mean - wanted.mean).max() > 10
    flat = np.full((40, 40, 3), 90, np.uint8)
    assert recoloured(flat, Tone.of(flat), wanted).std(axis=(0, 1)).max() < 1


def test_the_mask_ends_before_the_picture_does() -> None:
    mask = finished_mask(np.ones((32, 32), np.float32), PASTE)
    assert mask[16, 16] == pytest.approx(1) and mask.max() <= 1
    assert not mask[0].any() and not mask[:, -1].any()


def test_the_outline_leaves_out_the_background() -> None:
    image = frame("a", 0)
    landmarks = FaceDetector(min_face=40).detect(image).landmarks[0]
    crop = align_crop(image, landmarks, 100, MARGIN * ROOM)
    points = to_crop(landmarks, alignment(landmarks, 100, MARGIN * ROOM))
    mask = face_mask(crop, points)
    assert all(mask[int(y), int(x)] > 127 for x, y in points)
    assert not mask[:, :8].any() and not mask[:, -8:].any() and 0.15 < (mask > 127).mean() < 0.6
    assert np.array_equal(mask, face_mask(crop, points))


def test_the_clips_are_labelled_videos_of_both(made: Path) -> None:
    with (made / "index.csv").open() as handle:
        rows = {row["file"]: row for row in csv.DictReader(handle)}
    assert set(rows) == {
        "gan-real-a.mp4", "gan-real-b.mp4", "gan-fake-a-as-b.mp4", "gan-fake-b-as-a.mp4"
    }  # fmt: skip
    for name, row in rows.items():
        pictures = [image for image, _ in frames(made / name)]
        assert len(pictures) == 12 and pictures[0].shape == (200, 240, 3)
        fake = name.startswith("gan-fake")
        assert row["label"] == ("fake" if fake else "real")
        assert row["method"] == (METHOD if fake else "")
        assert (row["source"], row["split"], row["fps"]) == ("Made", "train", "10.0")
        person = name.split("-")[2][0]
        assert row["pair"] == f"gan-{person}"
        assert set(row["source_ids"].split("+")) == ({"a0", "b0"} if fake else {f"{person}0"})
        plain = [image for image, _ in frames(made.parent / "source" / f"{person}.mp4")]
        middle, corner = (slice(70, 120), slice(100, 140)), (slice(0, 40), slice(0, 40))
        off = np.abs(np.stack(pictures).astype(int) - np.stack(plain)).mean(axis=(0, 3))
        assert off[corner].mean() < 3
        assert (off[middle].mean() > 4) == fake


def test_the_clips_go_into_training(made: Path, tmp_path: Path) -> None:
    items = {item.name: item for item in clips_layout(made)}
    assert items["gan-fake-a-as-b"].identities == ("Made:a0", "Made:b0")
    arguments = ["extract", str(made), "--layout", "clips", "--out", str(tmp_path)]
    assert main([*arguments, "--sharpness", "0"]) == 0
    moments: dict[tuple[str, float], set[str]] = {}
    for row in Manifest.scan(tmp_path).rows:
        moments.setdefault((row.sample.pair, row.sample.time), set()).add(row.sample.label)
    assert len(moments) == 24 and all(kinds == {"real", "fake"} for kinds in moments.values())


def test_a_detector_judges_them(made: Path) -> None:
    shown = {path: "fake" in path.name for path in sorted(made.glob("*.mp4"))}
    answer = judge(MODELS, shown, [made.parent / "source" / "a.mp4"])
    for group, reals in (("against_own", 2), ("against_all", 3)):
        found = answer[group]
        assert (found["real_clips"], found["fake_clips"]) == (reals, 2)
        assert (found["real_windows"], found["fake_windows"]) == (reals, 2)
        assert 0 <= found["auc_by_window"] <= 1 and 0 <= found["auc_by_clip"] <= 1
    assert len(answer["clips"]) == 5
    for row in answer["clips"]:
        assert row["windows"] and all(0 < value < 1 for value in row["windows"])
        assert row["probability"] == pytest.approx(row["windows"][0], abs=1e-3)
    with pytest.raises(ValueError, match="2 clips of one kind"):
        judge(MODELS, {path: False for path, fake in shown.items() if not fake})
    assert list(starts(45)) == [0, 10, 20] and list(starts(7)) == [0] and list(starts(20)) == [0]


def test_what_cannot_be_swapped_is_refused(
    maker: Swapper, people: dict[str, Person], tmp_path: Path
) -> None:
    write_video(tmp_path / "wall.mp4", [backdrop(240, 200)] * 4)
    with pytest.raises(ValueError, match=r"wall.mp4: no face found in 4 frames"):
        Recording.of(tmp_path / "wall.mp4")
    (tmp_path / "a.mp4").write_bytes(b"no video")
    with pytest.raises(ValueError, match=r"a\.mp4"):
        Recording.of(tmp_path / "a.mp4")
    head = "file,split,label,method,source,half,source_ids\n"
    (tmp_path / "index.csv").write_text(
        head + "a.mp4,train,real,,Made,full,a\nb.mp4,dev,real,,Made,full,b\n"
    )
    (tmp_path / "b.mp4").write_bytes(b"")
    assert Origin.of(tmp_path / "b.mp4") == Origin("Made", "b", "dev")
    assert Origin.of(Path("elsewhere/c.mp4")) == Origin("gan", "c", "")
    given = {name: [tmp_path / f"{name}.mp4"] for name in PEOPLE}
    with pytest.raises(ValueError, match="of the splits dev, train"):
        make_clips(maker, people, given, tmp_path / "out")
