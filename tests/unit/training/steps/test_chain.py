"""The whole chain on videos made here: raw videos to a calibrated member that the engine runs."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from stream_server.engine import open_engine
from stream_server.engine.check import check_repository
from tests.support.training_sets import folder_set
from training.__main__ import main
from training.data.manifest import Manifest
from training.fit.head import load_frames
from training.judge.scoring import follow, series_of, video_logit
from training.judge.vote import Vote
from training.models.encoding import encode_with
from training.models.member import load_member, load_members
from training.models.registry import parse

pytestmark = pytest.mark.slow
STEPS = 48
MIX = '{"blended": 1, "paired": 0, "given": 5, "stills": 0, "harm": 0.2, "donor": 0}'


@pytest.fixture(scope="module")
def shards(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = folder_set(tmp_path_factory.mktemp("set"), 8, 8)
    out = tmp_path_factory.mktemp("shards")
    arguments = ["extract", str(root), "--layout", "folders", "--out", str(out)]
    assert main([*arguments, "--sharpness", "0"]) == 0
    assert main(["splits", str(out), "--shares", '{"train": 0.6, "dev": 0.4}', "--seed", "3"]) == 0
    return out


def train_arguments(shards: Path, run: Path, steps: int, *more: str) -> list[str]:
    return [
        *("train", "--model", "meso4_gru", "--shards", str(shards), "--run", str(run)),
        *("--steps", str(steps), "--size", "224", "--mix", MIX, "--rate", "0.003"),
        *("--precision", "32-true", "--passes", "1", "--head-steps", "60", "--sharpness", "0"),
        *more,
    ]


@pytest.fixture(scope="module")
def run(shards: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that was cut off after a third and taken up again."""
    folder = tmp_path_factory.mktemp("run")
    assert main(train_arguments(shards, folder, STEPS // 3, "--stage", "frames")) == 0
    assert main(train_arguments(shards, folder, STEPS)) == 0
    return folder


def test_a_run_goes_on_where_it_stopped_and_learns(run: Path, shards: Path) -> None:
    log = [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]
    assert [row["step"] for row in log if row["event"] == "end"] == [STEPS // 3, STEPS]
    settings = json.loads((run / "settings.json").read_text())
    assert settings["settings"]["seed"] == 0 and settings["versions"]["torch"]
    assert list((run / "tensorboard").glob("events*"))
    member = load_member(run / "member.pt")
    manifest = Manifest.open(shards)
    dev = manifest.where([row for row in manifest.rows if row.sample.split == "dev"])
    encoders = [(encode_with(member.encoder), run / "again")]
    tracks = [views[0] for views in follow(dev, encoders)]
    logits = [video_logit(member, series_of(member, {member.name: track})) for track in tracks]
    fake = [logit for logit, track in zip(logits, tracks, strict=True) if track.fake]
    real = [logit for logit, track in zip(logits, tracks, strict=True) if not track.fake]
    assert len(fake) >= 2 and len(real) >= 2
    better = np.mean([[high > low for low in real] for high in fake])
    assert better > 0.8  # chance is 0.5


def test_the_head_can_be_put_on_the_last_weights(
    run: Path, shards: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copy(run / "best.pt", tmp_path / "best.pt")
    arguments = train_arguments(shards, tmp_path, 1, "--stage", "head", "--take", "last")
    assert main(arguments) == 2 and "last.pt is missing" in capsys.readouterr().err
    shutil.copy(run / "last.pt", tmp_path / "last.pt")
    assert main(arguments) == 0
    last = torch.load(run / "last.pt", weights_only=True)["state"]
    taken = load_member(tmp_path / "member.pt").encoder
    assert taken is not None
    for name, value in taken.state_dict().items():
        assert torch.equal(value, last[f"encoder.{name}"])


def test_from_members_to_a_served_verdict(run: Path, shards: Path, tmp_path: Path) -> None:
    member, vote, repo = str(run / "member.pt"), tmp_path / "vote.json", tmp_path / "models"
    data = ["--members", member, "--shards", str(shards), "--sharpness", "0"]
    data += ["--cache", str(tmp_path / "cache")]
    assert main(["calibrate", *data, "--out", str(vote)]) == 0
    arguments = [*data, "--calibration", str(vote)]
    assert main(["evaluate", *arguments, "--out", str(tmp_path / "report")]) == 0
    report = json.loads((tmp_path / "report" / "evaluation.json").read_text())
    assert set(report["tiers"]) == {"clean", "web", "hard"}
    clean = report["tiers"]["clean"]
    (group,) = clean["groups"].values()
    assert group["auc"] > 0.8 and group["auc_interval"][0] <= group["auc"]
    assert set(clean["lengths"]) == {"1", "20", "40", "60", "80", "100"}
    page = (tmp_path / "report" / "evaluation.html").read_text()
    assert "data:image/jpeg" in page and "Reliability" not in page  # curves are pictures
    assert main(["ablate", *arguments, "--out", str(tmp_path / "ablation.json")]) == 0
    ablation = json.loads((tmp_path / "ablation.json").read_text())
    assert {"vote", "meso4_gru", "meso4_gru, mean of frames"} <= set(ablation)

    export = ["export", "--repo", str(repo), "--calibration", str(vote)]
    parity = tmp_path / "parity.json"
    real = ["--shards", str(shards), "--crops", "5", "--report", str(parity)]
    assert main([*export, "--add", member, *real]) == 0
    measured = {one["model"]: one["fp32"] for one in json.loads(parity.read_text())[0]["parity"]}
    assert measured["meso4_gru_encoder on 5 real crops"] < 1e-4
    assert check_repository(repo) == []
    assert_served_like_trained(run, shards, repo, Vote.load(vote), tmp_path)


def assert_served_like_trained(
    run: Path, shards: Path, repo: Path, vote: Vote, folder: Path
) -> None:
    """The engine's answer on real crops is the trained member's, calibrated."""
    import asyncio

    from training.judge.devset import crop_of

    manifest = Manifest.open(shards)
    rows = next(iter(manifest.videos().values()))
    crops = np.stack([crop_of(manifest, row) for row in rows])
    (member,) = load_members([run / "member.pt"])
    encode = encode_with(member.encoder)
    assert encode is not None
    with torch.inference_mode():
        length = torch.tensor([[len(crops)]], dtype=torch.int32)
        logit = member.head(torch.from_numpy(encode(crops))[None], length).numpy()
    expected = vote.probability(logit.astype(np.float64))[0]

    async def served() -> float:
        engine = open_engine("embedded", repo)
        answer = await engine.infer("clip_verdict", {"FRAMES": crops})
        await engine.close()
        return float(answer["PROBABILITY"].flatten()[0])

    # What weights in 16 bit move a logit by, a steep calibration makes more of.
    [voter] = vote.members
    assert asyncio.run(served()) == pytest.approx(expected, abs=1e-3 * max(1.0, voter.scale / 4))


def test_a_landmark_member_joins_and_leaves(run: Path, shards: Path, tmp_path: Path) -> None:
    landmarks, repo = tmp_path / "landmarks", tmp_path / "models"
    arguments = ["train", "--model", "landmark_gru", "--shards", str(shards)]
    arguments += ["--run", str(landmarks), "--head-steps", "20", "--passes", "1"]
    assert main([*arguments, "--sharpness", "0"]) == 0
    both = [str(run / "member.pt"), str(landmarks / "member.pt")]
    data = ["--shards", str(shards), "--sharpness", "0", "--cache", str(tmp_path / "cache")]
    data += ["--tiers", "clean"]
    for name, members in (("two", both), ("one", both[:1])):
        out = ["--out", str(tmp_path / f"{name}.json")]
        assert main(["calibrate", "--members", *members, *data, *out]) == 0
    export = ["export", "--repo", str(repo), "--calibration"]
    assert main([*export, str(tmp_path / "two.json"), "--add", *both]) == 0
    assert (repo / "landmark_gru_sequence").is_dir()
    assert "LANDMARKS" in (repo / "sequence_verdict" / "config.pbtxt").read_text()
    assert check_repository(repo) == []
    gone = [*export, str(tmp_path / "one.json"), "--remove", "landmark_gru"]
    assert main(gone) == 0
    assert not (repo / "landmark_gru_sequence").exists()
    assert "LANDMARKS" not in (repo / "sequence_verdict" / "config.pbtxt").read_text()
    assert check_repository(repo) == []
    assert main(gone) == 2  # it is no longer there


def test_bad_input_is_refused_with_a_reason(
    shards: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def refused(*arguments: str) -> str:
        assert main(list(arguments)) == 2
        return capsys.readouterr().err

    endless = train_arguments(shards, tmp_path / "a", 0)
    assert "would never end" in refused(*endless)
    assert "'odd_gru'" in refused("train", "--model", "odd_gru", *endless[3:])
    assert "no step 'dance'" in refused("dance")
    assert "x.json is missing" in refused("export", "--calibration", "x.json")
    one = tmp_path / "one"
    one.mkdir()
    kept = Manifest.open(shards)
    for row in kept.rows:
        if row.sample.label == "fake":
            target = one / row.shard
            if not target.exists():
                target.write_bytes((shards / row.shard).read_bytes())
    assert main(["splits", str(one), "--shares", '{"train": 0.5, "dev": 0.5}']) == 0
    assert "only one class" in refused(*train_arguments(one, tmp_path / "b", 2))


def test_a_loss_that_is_not_a_number_ends_the_run(
    shards: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = train_arguments(shards, tmp_path / "run", 3, "--stage", "frames")
    arguments[arguments.index("--rate") + 1] = "nan"
    assert main(arguments) == 2
    assert "the loss is nan at step" in capsys.readouterr().err


def test_frames_that_were_never_trained_are_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="best"):
        load_frames(parse("meso4_gru"), tmp_path / "best.pt")


def test_one_command_does_the_whole_chain(tmp_path: Path) -> None:
    data = folder_set(tmp_path / "set", 6, 4)
    arguments = ["chain", "--data", f"folders={data}", "--work", str(tmp_path / "work")]
    arguments += ["--repo", str(tmp_path / "models"), "--model", "meso4_mean", "--steps", "3"]
    arguments += ["--precision", "32-true", "--sharpness", "0"]
    mix = '{"blended":2,"given":0,"paired":0,"stills":0}'
    arguments += ["--train", f"--mix {mix} --passes 1 --head-steps 3"]
    assert main(arguments) == 0
    assert check_repository(tmp_path / "models") == []
    assert (tmp_path / "work" / "meso4_mean" / "report" / "evaluation.html").is_file()
    with pytest.raises(ValueError, match="LAYOUT=FOLDER"):
        from training.steps.chain import main as chain

        chain([*arguments[1:], "--data", "nowhere"])
