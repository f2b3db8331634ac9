"""The mean of several runs' weights."""

from pathlib import Path

import pytest
import torch

from training.__main__ import main
from training.fit.frame_model import FrameModel
from training.fit.head import load_frames
from training.models.mesonet import Meso4
from training.models.registry import parse


def written(path: Path, seed: int, dim: int | None = None) -> Path:
    torch.manual_seed(seed)
    encoder = Meso4()
    model = FrameModel(encoder, dim or encoder.dim)
    torch.save({"state": model.state_dict(), "dev": {}}, path)
    return path


def test_the_mean_of_two_runs_can_be_gone_on_from(tmp_path: Path) -> None:
    files = [written(tmp_path / f"{seed}.pt", seed) for seed in (0, 1)]
    assert main(["average", *map(str, files), "--run", str(tmp_path / "mean")]) == 0
    spec = parse("meso4_mean")
    encoder, logit = load_frames(spec, tmp_path / "mean" / "best.pt")
    parts = [load_frames(spec, file) for file in files]
    torch.testing.assert_close(logit.weight, (parts[0][1].weight + parts[1][1].weight) / 2)
    for mean, one, two in zip(
        encoder.parameters(), parts[0][0].parameters(), parts[1][0].parameters(), strict=True
    ):
        torch.testing.assert_close(mean, (one + two) / 2)
    assert not torch.equal(parts[0][1].weight, parts[1][1].weight)


def test_what_cannot_be_averaged_is_refused_by_name(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one, other = written(tmp_path / "one.pt", 0), written(tmp_path / "other.pt", 0, 7)
    run = ["--run", str(tmp_path / "mean")]
    torch.save({"name": "x"}, tmp_path / "member.pt")
    cases = [
        ([str(one)], "only one file"),
        ([str(one), str(other)], "other.pt holds another model than"),
        ([str(one), str(tmp_path / "member.pt")], "member.pt holds no frames weights"),
        ([str(one), str(tmp_path / "gone.pt")], "gone.pt is missing"),
    ]
    for files, words in cases:
        assert main(["average", *files, *run]) == 2
        assert words in capsys.readouterr().err
    assert not (tmp_path / "mean").exists()
