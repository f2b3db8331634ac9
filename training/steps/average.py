"""The average step: one set of frames weights from several runs of one model.

Runs that began from the same weights and saw other data or other harm often lie in one valley: the
mean of their weights keeps what each has learnt, at the cost of one (Wortsman et al., "Model
soups", ICML 2022). Whether it does is for dev to say.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import torch
from torch import Tensor

from stream_server.atomic import replacing

State = dict[str, Tensor]


def averaged(states: list[State], names: list[str]) -> State:
    """The mean of ``states``; whole numbers are the first one's.

    Raises ``ValueError`` naming the file (one of ``names``) that is of another model.
    """
    first = states[0]
    for name, state in zip(names, states, strict=True):
        if {k: v.shape for k, v in state.items()} != {k: v.shape for k, v in first.items()}:
            raise ValueError(f"{name} holds another model than {names[0]}")
    return {
        key: torch.stack([state[key] for state in states]).mean(0)
        if value.is_floating_point()
        else value
        for key, value in first.items()
    }


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m training average", description=__doc__)
    parser.add_argument("weights", nargs="+", type=Path, help="best.pt or last.pt of each run")
    parser.add_argument("--run", type=Path, required=True, help="run directory to write it to")
    options = parser.parse_args(argv)
    if len(options.weights) < 2:
        raise ValueError("only one file of weights; the mean of at least two is asked for")
    states: list[State] = []
    for path in options.weights:
        if not path.is_file():
            raise FileNotFoundError(f"{path} is missing; train --stage frames writes it")
        found = torch.load(path, map_location="cpu", weights_only=True)
        if "state" not in found:
            raise ValueError(f"{path} holds no frames weights; give best.pt or last.pt")
        states.append(found["state"])
    state = averaged(states, [str(path) for path in options.weights])
    target = options.run / "best.pt"
    with replacing(target) as part:
        torch.save({"state": state, "of": [str(path) for path in options.weights]}, part)
    sys.stdout.write(f"{target}\n")
    return 0
