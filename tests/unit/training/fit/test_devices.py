"""Several processes that train as one, and the options of a run that need one to be seen."""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
import zlib
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.utils.data import DataLoader

from tests.support.paths import ROOT
from tests.support.server import free_port
from tests.support.tiny_shards import tiny_shards
from training.__main__ import main
from training.data.manifest import Manifest
from training.fit.batches import TrainingBatches
from training.fit.frame_model import FrameModel
from training.fit.pairs import Mix
from training.run_dir import first_process

MIX = '{"blended": 1, "paired": 0, "given": 1, "stills": 0, "donor": 0}'


@pytest.fixture(scope="module")
def shards(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_shards(tmp_path_factory.mktemp("shards"))


def arguments(shards: Path, run: Path, steps: int, *more: str) -> list[str]:
    return [
        *("train", "--model", "meso4_mean", "--shards", str(shards), "--run", str(run)),
        *("--stage", "frames", "--steps", str(steps), "--size", "64", "--mix", MIX),
        *("--accelerator", "cpu", *more),
    ]


def events(run: Path, kind: str) -> list[dict[str, Any]]:
    rows = [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]
    return [row for row in rows if row["event"] == kind]


def start(command: list[str], **variables: str) -> subprocess.Popen[str]:
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "GLOO_SOCKET_IFNAME": "lo", **variables}
    return subprocess.Popen(
        [sys.executable, "-m", "training", *command],
        cwd=ROOT,
        env=environment,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )


def finished(*processes: subprocess.Popen[str]) -> None:
    try:
        for process in processes:
            output, _ = process.communicate(timeout=500)
            assert process.returncode == 0, output
    finally:
        for process in processes:
            process.kill()


def agreed(run: Path, steps: int) -> list[float]:
    """The checksums of the processes' first batches, of the last run; all else must agree."""
    first, last = events(run, "ranks")[-2:]
    assert len(first["gradient"]) == 2 and first["gradient"][0] == first["gradient"][1] > 0
    assert len(last["weights"]) == 2 and last["weights"][0] == last["weights"][1]
    assert last["step"] == [steps, steps]
    batches: list[float] = first["batch"]
    return batches


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_two_processes_train_as_one_and_resume_as_two_nodes(shards: Path, tmp_path: Path) -> None:
    """Real processes over gloo: first two of one machine, then two "machines" of one each."""
    run = tmp_path / "run"
    common = ("--strategy", "ddp", "--precision", "32-true")
    finished(start(arguments(shards, run, 3, "--devices", "2", *common)))
    before = agreed(run, 3)
    assert len(events(run, "start")) == len(events(run, "end")) == 1  # the first alone writes
    assert [path.name for path in (run / "checkpoints").iterdir()] == ["last.ckpt"]
    assert (run / "best.pt").is_file()

    nodes = arguments(shards, run, 5, "--devices", "1", "--num-nodes", "2", *common)
    address = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(free_port())}
    finished(*(start(nodes, NODE_RANK=str(rank), **address) for rank in (0, 1)))
    after = agreed(run, 5)
    assert len({*before, *after}) == 4  # no batch twice, in either run
    assert [row["step"] for row in events(run, "end")] == [3, 5]
    assert len(events(run, "start")) == 2


@pytest.mark.filterwarnings("ignore:This DataLoader will create:UserWarning")  # on one core
def test_processes_share_the_batches_out(shards: Path) -> None:
    manifest = Manifest.open(shards)
    mix = Mix(blended=1, paired=0, given=1, stills=0, donor=0)

    def drawn(rank: int, ranks: int, count: int, workers: int = 0, begin: int = 0) -> list[int]:
        batches = TrainingBatches(manifest, mix, 48, 5, start=begin)
        batches.share(rank, ranks)
        loader = DataLoader(batches, batch_size=None, num_workers=workers)
        return [zlib.crc32(one["image"].numpy()) for one in itertools.islice(loader, count)]

    alone = drawn(0, 1, 6)
    assert len(set(alone)) == 6
    # The same batches in all, each to one process, whatever number of workers draws them.
    assert drawn(0, 2, 3) == alone[0::2]
    assert drawn(1, 2, 3, workers=2) == alone[1::2]
    assert drawn(1, 2, 1, begin=2) == alone[5:]


@pytest.mark.parametrize(
    ("variables", "first"),
    [
        ({}, True),
        ({"LOCAL_RANK": "0", "NODE_RANK": "0"}, True),
        ({"LOCAL_RANK": "1", "NODE_RANK": "0"}, False),
        ({"LOCAL_RANK": "0", "NODE_RANK": "1"}, False),
        ({"RANK": "0", "LOCAL_RANK": "0"}, True),
        ({"RANK": "8", "LOCAL_RANK": "0"}, False),
        ({"SLURM_PROCID": "3"}, False),
    ],
)
def test_the_first_process_is_known(
    variables: dict[str, str], first: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("RANK", "LOCAL_RANK", "NODE_RANK", "SLURM_PROCID"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert first_process() == first


def test_half_precision_of_the_gpu_is_refused_on_a_cpu(
    shards: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments(shards, tmp_path / "run", 1, "--precision", "16-mixed")) == 2
    assert "16-mixed needs a GPU; a CPU takes bf16-mixed or 32-true" in capsys.readouterr().err
    assert not (tmp_path / "run" / "best.pt").exists()


@pytest.mark.skipif(torch.accelerator.is_available(), reason="this machine has a GPU")
def test_a_gpu_that_is_not_there_is_named(
    shards: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = arguments(shards, tmp_path / "run", 1)
    command[command.index("--accelerator") + 1] = "gpu"
    assert main(command) == 2
    assert "accelerator gpu: PyTorch finds no GPU here" in capsys.readouterr().err


def test_bf16_and_accumulation_with_weights_and_biases(
    shards: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WANDB_MODE", "offline")
    monkeypatch.setenv("WANDB_SILENT", "true")
    kinds: list[torch.dtype | None] = []
    forward = FrameModel.forward

    def spied(self: FrameModel, image: Tensor) -> Tensor:
        on = torch.is_autocast_enabled("cpu")
        kinds.append(torch.get_autocast_dtype("cpu") if on else None)
        return forward(self, image)

    monkeypatch.setattr(FrameModel, "forward", spied)
    run = tmp_path / "run"
    more = ("--precision", "bf16-mixed", "--accumulate", "2", "--wandb", "fakelight-test")
    assert main(arguments(shards, run, 2, *more)) == 0
    assert set(kinds) == {torch.bfloat16}
    state = torch.load(run / "checkpoints" / "last.ckpt", weights_only=False)
    progress = state["loops"]["fit_loop"]["epoch_loop.batch_progress"]["total"]["completed"]
    assert (state["global_step"], progress) == (2, 4)
    (offline,) = (run / "wandb").glob("offline-run-*")
    name = (run / "wandb_id.txt").read_text().strip()
    assert (offline / f"run-{name}.wandb").stat().st_size > 0
    import wandb

    assert wandb.run is None  # it was closed


def test_weights_and_biases_is_asked_for_by_name_where_it_is_missing(
    shards: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setitem(sys.modules, "wandb", None)  # as if it were not installed
    assert main(arguments(shards, tmp_path / "run", 1, "--wandb", "x")) == 2
    assert "pip install 'fakelight[wandb]'" in capsys.readouterr().err


def test_patience_ends_a_run_that_gets_no_better(shards: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    more = ("--precision", "32-true", "--rate", "0", "--dev-minutes", "0", "--patience", "2")
    assert main(arguments(shards, run, 40, *more)) == 0
    (end,) = events(run, "end")
    values = [row["choice"] for row in events(run, "dev")]
    # One judging after each step and one at the end; the last two before it brought nothing.
    assert end["step"] == len(values) - 1 < 40
    assert max(values[:-3]) >= max(values[-3:])
