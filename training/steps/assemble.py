"""The assemble step: kept weights of the together step as a whole net, as train's best.pt is.

Kept weights are in 16 bit and lack what was never trained; that comes from the plan's start.
``--member`` writes the member whose head is the mean of the frames, too.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from training.fit.head import mean_member
from training.models.dino import DinoEncoder
from training.models.registry import parse
from training.models.weights import load_strictly, read, read_frames, save_frames
from training.steps.together import planned


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m training assemble", description=__doc__)
    parser.add_argument("--plan", type=Path, required=True, help="that the net was trained by")
    parser.add_argument("--net", required=True, help="its name in the plan")
    parser.add_argument("--weights", type=Path, required=True, help="NET-MINUTES.pt of that run")
    parser.add_argument("--out", type=Path, required=True, help="a frames file, as best.pt is")
    parser.add_argument("--member", type=Path, help="a member.pt, for export")
    options = parser.parse_args(argv)
    plan = json.loads(options.plan.read_text())
    if options.net not in plan:
        raise ValueError(f"{options.plan} has no net {options.net!r}, but {', '.join(plan)}")
    model, _ = planned(plan[options.net])
    kept = {name: value.float() for name, value in read_frames(options.weights).items()}
    load_strictly(model, {**model.state_dict(), **kept}, options.weights)
    if isinstance(model.encoder, DinoEncoder):
        model.encoder.fold()
    save_frames(options.out, model.kept(), {"dev": read(options.weights, "").get("dev", {})})
    sys.stdout.write(f"{options.out}\n")
    if options.member:
        mean_member(parse(plan[options.net]["model"]), options.out, options.member)
        sys.stdout.write(f"{options.member}\n")
    return 0
