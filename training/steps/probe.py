"""The probe step: a member without an encoder, on the features that served ones give.

It asks another question than they do: not whether a face was swapped, but whether the whole head
was generated or driven by sound. So it joins the vote as one-or-the-other.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from training.data.manifest import Manifest, Quality
from training.data.shards import SWAPS
from training.fit.probe_member import Look, train_probe
from training.models.served import members_with_encoder
from training.run_dir import RunDir


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m training probe", description=__doc__)
    parser.add_argument("--models", type=Path, default=Path("triton_models"))
    parser.add_argument("--reads", nargs="*", default=[], help="members; all with an encoder")
    parser.add_argument(
        "--embedded", action="store_true", help="by the files that the embedded engine opens"
    )
    parser.add_argument("--name", default="generated_heads", help="the new member's name")
    parser.add_argument("--shards", type=Path, required=True, help="folder of the extract step")
    parser.add_argument("--run", type=Path, required=True, help="where member.pt goes")
    parser.add_argument("--cache", type=Path, default=Path("runs/features"))
    parser.add_argument("--sharpness", type=float, default=12, help="variance of the Laplacian")
    parser.add_argument("--tiers", nargs="+", default=["clean", "web", "hard"])
    parser.add_argument(
        "--apart", nargs="*", default=list(SWAPS), help="data sets whose fakes are left out"
    )
    numbers = ("SAMPLES", "VIDEOS", "STILLS")
    parser.add_argument(
        "--thin", type=int, nargs=3, default=(10, 120, 500), metavar=numbers,
        help="of each video, and of each set, label and maker, at most",
    )  # fmt: skip
    parser.add_argument(
        "--thin-dev", type=int, nargs=3, default=(20, 100, 400), metavar=numbers
    )  # fmt: skip
    options = parser.parse_args(argv)
    members = members_with_encoder(options.models, options.reads, options.embedded)
    manifest = Manifest.open(options.shards, Quality(sharpness=options.sharpness))
    look = Look(options.tiers, options.apart, tuple(options.thin), tuple(options.thin_dev))
    run = RunDir(options.run, vars(options))
    member = train_probe(options.name, members, manifest, options.cache, look, run)
    sys.stdout.write(json.dumps(member.facts["dev"], indent=2) + "\n")
    return 0
