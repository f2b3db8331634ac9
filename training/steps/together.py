"""The together step: several nets on the same batches, for a few minutes of a quick GPU.

PLAN is JSON, one entry per net: ``{"NAME": {"model": "efficientnet_lite2_mean", "start": FILE,
"begin": FILE, "rank": 16, "course": {"rate": 0.0004, "asks": "both"}}}``. Pieces of the data, as
the pack step writes them, may be brought to the folder while the step runs.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import torch
from torch.utils.data import DataLoader

from training.fit.dev_crops import DevCrops
from training.fit.frame_model import FrameModel
from training.fit.growing import GrowingBatches
from training.fit.pairs import Mix
from training.fit.together import Course, Trainee, train_together
from training.models.local import LocalHead
from training.models.registry import feature_dim, make_encoder, parse
from training.models.weights import read_frames


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m training together", description=__doc__)
    parser.add_argument("--plan", type=Path, required=True, help="a JSON file")
    parser.add_argument("--shards", type=Path, required=True, help="folder of the pack step")
    parser.add_argument("--dev", type=Path, help="folder of its dev pieces, to judge on")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--minutes", type=float, required=True, help="from the first step on")
    parser.add_argument("--keep-minutes", type=float, default=2.5, help="between kept weights")
    parser.add_argument("--mix", type=json.loads, default={}, help="JSON: pairs a batch by stream")
    parser.add_argument("--group", type=int, default=4, help="batches per step")
    parser.add_argument("--workers", type=int, default=0, help="processes that make batches")
    parser.add_argument("--warmup", type=int, default=100, help="steps")
    parser.add_argument("--hold", type=float, default=0.3, help="share of the run at full rate")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(argv)
    torch.manual_seed(options.seed)
    torch.set_float32_matmul_precision("high")
    options.out.mkdir(parents=True, exist_ok=True)
    batches = GrowingBatches(options.shards, Mix(**options.mix), seed=options.seed)
    loader = DataLoader(
        batches, batch_size=None, num_workers=options.workers,
        prefetch_factor=3 if options.workers else None,
    )  # fmt: skip
    stream = iter(loader)  # the processes begin before the nets are on the device
    device = torch.device(options.device)
    plan: dict[str, dict[str, Any]] = json.loads(options.plan.read_text())
    trainees = [Trainee(name, *planned(facts), device) for name, facts in plan.items()]
    dev = DevCrops(options.dev) if options.dev else None
    train_together(
        trainees, stream, options.out, dev, options.minutes, options.group, options.keep_minutes,
        options.warmup, options.hold,
    )  # fmt: skip
    return 0


def planned(facts: dict[str, Any]) -> tuple[FrameModel, Course]:
    """The net that an entry of the plan names, and its course. Raises ``ValueError``."""
    known = {"model", "start", "begin", "rank", "course"}
    if set(facts) - known:
        odd = ", ".join(sorted(set(facts) - known))
        raise ValueError(f"the plan has {odd}; an entry has {', '.join(sorted(known))}")
    spec, course = parse(facts["model"]), Course(**facts.get("course", {}))
    start = Path(facts["start"]) if "start" in facts else None
    encoder: Any = make_encoder(spec, start, rank=int(facts.get("rank", 0)))
    if encoder is None:
        raise ValueError(f"{spec.name} has no encoder to train on single crops")
    if course.local and not hasattr(encoder, "local_widths"):
        raise ValueError(f"local {course.local:g}: {spec.name} has no maps to search")
    local = LocalHead(encoder.local_widths) if course.local else None
    model = FrameModel(encoder, feature_dim(encoder), local, course.asks == "both")
    if "begin" in facts:
        begin = read_frames(Path(facts["begin"]))
        # What the together step kept of a net with adapters lacks all that stood still.
        model.take({**model.kept(), **begin} if "rank" in facts else begin, facts["begin"])
    return model, course
