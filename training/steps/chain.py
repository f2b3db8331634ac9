"""The chain step: every step from raw videos to a member in the model repository, in order.

Each step is the one of that name with its own settings; what is done already is not done again,
so a chain that was cut off goes on where it stopped.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from training.steps import ablate, calibrate, evaluate, export, extract, splits, train


def commands(options: argparse.Namespace) -> list[tuple[str, list[str]]]:
    """The steps with their arguments."""
    shards, run = options.work / "shards", options.work / options.model
    member, vote = str(run / "member.pt"), str(run / "vote.json")
    data = ["--members", member, "--shards", str(shards), "--cache", str(options.work / "cache")]
    data += ["--sharpness", str(options.sharpness)]
    data += ["--half"] if "bf16" in options.precision else []
    result: list[tuple[str, list[str]]] = []
    for source in options.data:
        layout, _, folder = source.partition("=")
        if not folder:
            raise ValueError(f"--data {source!r}: it must be LAYOUT=FOLDER")
        arguments = [folder, "--layout", layout, "--out", str(shards)]
        arguments += ["--sharpness", str(options.sharpness), "--workers", str(options.workers)]
        result.append(("extract", arguments))
    result.append(("splits", [str(shards)]))
    training = ["--model", options.model, "--shards", str(shards), "--run", str(run)]
    training += ["--minutes", str(options.minutes), "--steps", str(options.steps)]
    training += ["--precision", options.precision, "--sharpness", str(options.sharpness)]
    training += ["--start", str(options.start)] if options.start else []
    training += options.train.split()
    result.append(("train", training))
    result.append(("calibrate", [*data, "--out", vote]))
    report = [*data, "--calibration", vote, "--out"]
    result.append(("evaluate", [*report, str(run / "report")]))
    result.append(("ablate", [*report, str(run / "ablation.json")]))
    exporting = ["--repo", str(options.repo), "--add", member, "--calibration", vote]
    exporting += ["--shards", str(shards)]
    result.append(("export", [*exporting, "--report", str(run / "parity.json")]))
    return result


def _apart(name: str, arguments: list[str]) -> int:
    return subprocess.run([sys.executable, "-m", "training", name, *arguments]).returncode


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m training chain", description=__doc__)
    parser.add_argument("--data", nargs="+", required=True, help="LAYOUT=FOLDER of each data set")
    parser.add_argument("--work", type=Path, required=True, help="folder for all that is made")
    parser.add_argument("--repo", type=Path, required=True, help="model repository to export to")
    parser.add_argument("--model", default="mobilenetv2_lstm")
    parser.add_argument("--start", type=Path, help="a file of ImageNet weights")
    parser.add_argument("--minutes", type=float, default=0, help="of training; 0: by --steps")
    parser.add_argument("--steps", type=int, default=0)
    parser.add_argument("--precision", default="bf16-mixed", help="16-mixed on a V100")
    parser.add_argument("--sharpness", type=float, default=12)
    parser.add_argument("--workers", type=int, default=1, help="processes that extract")
    parser.add_argument("--train", default="", help="more arguments for the train step")
    options = parser.parse_args(argv)
    steps: dict[str, Callable[[list[str]], int]] = {
        "extract": extract.main,
        "splits": splits.main,
        "train": train.main,
        "calibrate": calibrate.main,
        "evaluate": evaluate.main,
        "ablate": ablate.main,
        "export": export.main,
    }
    for name, arguments in commands(options):
        sys.stderr.write(f"== {name} {' '.join(arguments)}\n")
        # Further processes are started with the command line of the first: it must be train's.
        apart = name == "train" and train.processes(arguments) > 1
        status = _apart(name, arguments) if apart else steps[name](arguments)
        if status:
            return status
    return 0
