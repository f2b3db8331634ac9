"""The autoencoders step: small nets that make real faces anew, for training on what they leave."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from training.data.manifest import Manifest, Quality
from training.fit.autoencoder import train_autoencoder
from training.models.autoencoder import KINDS


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m training autoencoders", description=__doc__)
    names = [kind.name for kind in KINDS]
    parser.add_argument("--shards", type=Path, required=True, help="folder of the extract step")
    parser.add_argument("--out", type=Path, required=True, help="folder; those in it are kept")
    parser.add_argument("--kinds", nargs="+", choices=names, default=names, metavar="KIND",
                        help=f"of {', '.join(names)}; all")  # fmt: skip
    parser.add_argument("--minutes", type=float, default=5, help="for each")
    parser.add_argument("--steps", type=int, default=0, help="for each, where fewer; 0: no matter")
    parser.add_argument("--sharpness", type=float, default=12, help="variance of the Laplacian")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(argv)
    train = Manifest.open(options.shards, Quality(sharpness=options.sharpness)).split("train")
    options.out.mkdir(parents=True, exist_ok=True)
    for kind in KINDS:
        path = options.out / f"{kind.name}.pt"
        if kind.name in options.kinds and not path.exists():
            ends = options.minutes, options.steps
            off = train_autoencoder(kind, train, path, *ends, options.seed, _tell)
            _tell(f"{path}: {off:.1f} grey levels off")
    return 0


def _tell(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()
