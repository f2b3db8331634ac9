"""The explain step: where in each face a member sees manipulation, as pictures and numbers."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from stream_server.atomic import write_text
from training.judge.heat_pictures import explain_pictures, pictures_in
from training.models.member import load_member


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m training explain", description=__doc__)
    parser.add_argument("inputs", type=Path, nargs="+", metavar="IMAGE|FOLDER")
    parser.add_argument("--member", type=Path, required=True, help="a member.pt of the train step")
    parser.add_argument("--out", type=Path, required=True, help="folder for pictures and heat.json")
    options = parser.parse_args(argv)
    paths = pictures_in(options.inputs)
    member = load_member(options.member)
    found = explain_pictures(member, paths, options.out)
    facts = {"member": member.name, "faces": found}
    write_text(options.out / "heat.json", json.dumps(facts, indent=2) + "\n")
    sys.stdout.write(f"{len(found)} faces of {len(paths)} pictures in {options.out}\n")
    return 0
