"""Data sets on disk to items, and splits that no identity crosses."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from training.data.layouts import LayoutError
from training.data.public_sets import LAYOUTS
from training.data.shards import Sample
from training.data.splits import LeakError, assign, check


def touch(root: Path, *names: str) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()


def test_faceforensics(tmp_path: Path) -> None:
    touch(
        tmp_path,
        "original_sequences/youtube/c23/videos/000.mp4",
        "original_sequences/youtube/c40/videos/000.mp4",
        "manipulated_sequences/Deepfakes/c23/videos/000_003.mp4",
        "manipulated_sequences/NeuralTextures/c40/videos/005_010.mp4",
        "manipulated_sequences/DeepFakeDetection/c23/videos/01_02__a__X.mp4",
    )
    (tmp_path / "splits").mkdir()
    for name, pairs in (("train", [["000", "003"]]), ("val", [["005", "010"]]), ("test", [])):
        (tmp_path / "splits" / f"{name}.json").write_text(json.dumps(pairs))
    items = {item.name: item for item in LAYOUTS["faceforensics"](tmp_path)}
    assert len(items) == 4
    fake = items["ffpp-deepfakes-c23-000_003"]
    assert (fake.label, fake.method, fake.split) == ("fake", "Deepfakes", "train")
    assert fake.identities == ("FaceForensics++:000", "FaceForensics++:003")
    assert items["ffpp-youtube-c40-000"].label == "real"
    assert items["ffpp-neuraltextures-c40-005_010"].split == "dev"


def test_dfd(tmp_path: Path) -> None:
    touch(
        tmp_path,
        "original_sequences/actors/c23/videos/01__walk.mp4",
        "manipulated_sequences/DeepFakeDetection/c23/videos/01_02__walk__ABC.mp4",
    )
    real, fake = LAYOUTS["dfd"](tmp_path)
    assert real.identities == ("DFD:01",) and fake.identities == ("DFD:01", "DFD:02")
    assert (real.label, fake.label) == ("real", "fake")


def test_dfdc(tmp_path: Path) -> None:
    (tmp_path / "part_0").mkdir()
    facts = {
        "a.mp4": {"label": "FAKE", "split": "train", "original": "b.mp4"},
        "b.mp4": {"label": "REAL", "split": "train", "original": None},
    }
    (tmp_path / "part_0" / "metadata.json").write_text(json.dumps(facts))
    fake, real = LAYOUTS["dfdc"](tmp_path)
    assert (fake.label, real.label) == ("fake", "real")
    assert fake.identities == real.identities == ("DFDC:b.mp4",)
    facts["a.mp4"]["label"] = "MAYBE"
    (tmp_path / "part_0" / "metadata.json").write_text(json.dumps(facts))
    with pytest.raises(LayoutError, match="'MAYBE'"):
        list(LAYOUTS["dfdc"](tmp_path))


def test_celebdf(tmp_path: Path) -> None:
    touch(
        tmp_path,
        "Celeb-real/id0_0000.mp4",
        "YouTube-real/00001.mp4",
        "Celeb-synthesis/id0_id1_0000.mp4",
    )
    items = {item.name: item for item in LAYOUTS["celebdf"](tmp_path)}
    assert items["celebdf-celeb-synthesis-id0_id1_0000"].identities == (
        "Celeb-DF:id0",
        "Celeb-DF:id1",
    )
    (tmp_path / "List_of_testing_videos.txt").write_text("1 YouTube-real/00001.mp4\n")
    splits = {item.name: item.split for item in LAYOUTS["celebdf"](tmp_path)}
    assert splits["celebdf-youtube-real-00001"] == "test"
    assert splits["celebdf-celeb-real-id0_0000"] == ""


def test_clips_and_crops(tmp_path: Path) -> None:
    head = "file,split,label,method,source,half,source_ids,width,height,fps,median_face_px\n"
    (tmp_path / "index.csv").write_text(
        head
        + "dev/a.mp4,dev,fake,Swap,Demo,right,a,640,360,25,90\n"
        + "dev/b.mp4,dev,real,,FF,full,1+2,640,360,25,90\n"
    )
    half, full = LAYOUTS["clips"](tmp_path)
    assert half.region == (0.5, 0.0, 1.0, 1.0) and half.pair == "a"
    assert full.identities == ("FF:1", "FF:2") and full.pair == ""
    (tmp_path / "index.csv").write_text(head + "dev/a.mp4,dev,fake,S,D,top,a,6,3,2,9\n")
    with pytest.raises(LayoutError, match="line 2: half is 'top'"):
        list(LAYOUTS["clips"](tmp_path))
    for name in ("train", "dev"):
        (tmp_path / f"{name}.csv").write_text(
            "file,shard,label,source_video,original_width,original_height\n"
            f"{name}.jpg,{name}-00.tar,fake,x.mp4,200,200\n"
        )
    (tmp_path / "reals.csv").write_text("file,shard,label\nr.jpg,reals-00.tar,real\n")
    stills = list(LAYOUTS["crops"](tmp_path))
    assert [item.split for item in stills] == ["train", "dev", "train"]
    assert stills[0].identities == ("DFDC:x.mp4",)


def test_a_folder_of_another_kind_is_refused_by_name(tmp_path: Path) -> None:
    for layout in LAYOUTS.values():
        with pytest.raises(LayoutError, match=tmp_path.name):
            list(layout(tmp_path))


def sample(video: str, split: str, *identities: str, pair: str = "") -> Sample:
    return Sample(
        video, video, 0, 0.0, (0.0,) * 10, 90, 1, 99, "real", "set", "", split, pair, identities
    )


def test_a_split_that_leaks_is_refused_by_name() -> None:
    rows = [sample("a", "train", "p:ann"), sample("b", "dev", "p:bob"), sample("c", "dev", "p:ann")]
    with pytest.raises(LeakError, match="p:ann"):
        check(rows)
    with pytest.raises(LeakError, match="p:ann"):
        assign(rows, {"train": 1})
    check(rows[:2])


def test_what_shares_an_identity_stays_together() -> None:
    rows = [sample(f"v{n}", "", f"p:{n // 2}", f"q:{n // 3}") for n in range(6)]
    rows += [sample(f"w{n}", "", f"r:{n}") for n in range(300)]
    rows += [sample("x", "", "s:1", pair="m"), sample("y", "", "s:2", pair="m")]
    shares = {"train": 0.8, "dev": 0.1, "test": 0.1}
    chosen = assign(rows, shares)
    assert len({chosen[f"v{n}"] for n in range(6)}) == 1  # chained by their identities
    assert chosen["x"] == chosen["y"]
    counts = [list(chosen.values()).count(name) for name in shares]
    assert counts[0] > 200 and counts[1] > 10 and counts[2] > 10
    assert assign(list(reversed(rows)), shares) == chosen
    assert assign(rows, shares, seed=1) != chosen


def test_an_official_split_takes_its_relatives_along() -> None:
    rows = [sample("a", "test", "p:1"), sample("b", "", "p:1", "p:2"), sample("c", "", "p:2")]
    assert assign(rows, {"train": 1}) == {"a": "test", "b": "test", "c": "test"}


@pytest.mark.parametrize("shares", [{}, {"train": 0}, {"holiday": 1}])
def test_odd_shares_are_refused(shares: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="shares are"):
        assign([sample("a", "", "p")], shares)


def test_stills_keep_maker_and_person_and_check_label_and_split(tmp_path: Path) -> None:
    head = "file,split,label,maker,source,person\n"
    rows = ["dev/fake/a.png,dev,fake,Painter,some/page,anna", "train/real/b.png,train,real,,set,"]
    (tmp_path / "index.csv").write_text(head + "\n".join(rows) + "\n")
    fake, real = LAYOUTS["stills"](tmp_path)
    assert (fake.kind, fake.label, fake.split) == ("still", "fake", "dev")
    assert (fake.method, fake.dataset, fake.identities) == (
        "Painter",
        "some/page",
        ("some/page:anna",),
    )
    assert fake.path == tmp_path / "dev/fake/a.png" and fake.name == "dev-fake-a"
    assert real.identities == () and real.method == ""
    (tmp_path / "index.csv").write_text(head + "a.png,dev,maybe,,set,\n")
    with pytest.raises(LayoutError, match="line 2: label is 'maybe'"):
        list(LAYOUTS["stills"](tmp_path))
