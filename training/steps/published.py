"""The published step: MesoNet's published weights as a member's file, for ``judge --members``.

The files (``Meso4_DF.h5`` and so on) lie in the authors' repository, github.com/DariusAf/MesoNet.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m training published", description=__doc__)
    parser.add_argument("weights", type=Path, help="a file of Keras'")
    parser.add_argument("--out", type=Path, required=True, help="member.pt")
    options = parser.parse_args(argv)
    from training.models.member import save_member
    from training.models.mesonet_published import published

    member = published(options.weights)
    save_member(options.out, member, member.facts)
    sys.stdout.write(f"{options.out}: {member.name}\n")
    return 0
