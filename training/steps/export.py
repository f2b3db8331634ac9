"""The export step: members and the vote into the model repository that both engines serve."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict, replace
from pathlib import Path

from stream_server.atomic import write_text
from stream_server.engine.rates import parse_rate
from training.data.manifest import Manifest
from training.export.ensembles import write_ensembles
from training.export.member_rate import check_settings, parse_setting, set_rate
from training.export.members import check_names, export_members
from training.export.repository_writer import readers_of, remove_member, set_pictures
from training.judge.devset import crops_of
from training.judge.served_vote import served_vote
from training.judge.vote import Vote
from training.models.member import load_member


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m training export", description=__doc__)
    parser.add_argument("--repo", type=Path, default=Path("triton_models"))
    parser.add_argument("--add", type=Path, nargs="*", default=[], help="member.pt files")
    parser.add_argument("--no-maps", action="store_true", help="leave out the heat maps' models")
    parser.add_argument("--no-fp16", action="store_true", help="no files for a V100 for --add")
    parser.add_argument("--remove", nargs="*", default=[], help="names of members to take out")
    parser.add_argument(
        "--rate",
        nargs="*",
        default=[],
        metavar="MEMBER=HZ",
        help="let members look less often than at every sample; MEMBER=every takes it back",
    )
    parser.add_argument("--sample-hz", metavar="HZ", help="the rate of the members of --add")
    parser.add_argument(
        "--calibration",
        type=Path,
        help="of the calibrate step; --rate alone may leave the vote as it is. Given alone, where "
        "it keeps the repository's vote, it writes how single pictures are judged",
    )
    parser.add_argument(
        "--notes", default="Platt and thresholds on dev videos, see docs/model-card.md"
    )
    parser.add_argument("--shards", type=Path, help="measure parity on faces of these, too")
    parser.add_argument("--crops", type=int, default=48, help="how many of them")
    parser.add_argument("--report", type=Path, help="write parity and file sizes here (JSON)")
    options = parser.parse_args(argv)
    rates = dict(parse_setting(one) for one in options.rate)
    changed = options.add or options.remove or rates
    if not (changed or options.calibration):
        raise ValueError("none of --add, --remove, --rate and --calibration given")
    if options.sample_hz is not None and not options.add:
        raise ValueError("--sample-hz is for the members of --add; --rate sets that of others")
    if options.calibration is None:
        if options.add or options.remove:
            raise ValueError("other members need another vote: --calibration names its file")
        check_settings(options.repo, rates)
        for name, rate in rates.items():
            set_rate(options.repo, name, rate)
        write_ensembles(options.repo)
        return 0
    vote = Vote.load(options.calibration)
    if not changed and replace(served_vote(options.repo), pictures=None) == replace(
        vote, pictures=None
    ):
        if vote.pictures is None:
            raise ValueError(f"{options.calibration} has no vote for pictures to write")
        set_pictures(options.repo, vote.pictures)
        return 0
    members = [load_member(path) for path in options.add]
    check_names(options.repo, vote, [member.name for member in members], options.remove)
    seeing = [member.name for member in members if member.encoder is not None]
    if options.sample_hz is not None:
        rates = {**dict.fromkeys(seeing, parse_rate(options.sample_hz)), **rates}
    check_settings(options.repo, rates, seeing, options.remove)
    # Those that read others' features go first, so that both may be named in any order.
    for name in sorted(options.remove, key=lambda name: bool(readers_of(options.repo, name))):
        if not remove_member(options.repo, name):
            raise ValueError(f"{options.repo} holds no member {name!r}")
    crops = crops_of(Manifest.open(options.shards), options.crops) if options.shards else None
    maps = not options.no_maps
    reports = export_members(
        options.repo, members, vote, options.notes, maps, crops, rates, not options.no_fp16
    )
    for report in reports:
        sys.stdout.write("\n".join(report.lines()) + "\n")
    if options.report:
        facts = [asdict(report) for report in reports]
        write_text(options.report, json.dumps(facts, indent=2, default=dict) + "\n")
    return 0
