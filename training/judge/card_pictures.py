"""The model card's table of how single pictures are judged, from the calibrate step's JSON."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def picture_tables(calibration: Mapping[str, Any]) -> list[str]:
    """Lines of Markdown. Raises ``ValueError`` where no vote for pictures was fitted."""
    if "pictures" not in calibration:
        raise ValueError("the calibration holds no vote for single pictures to tell of")
    figures, vote = calibration["figures"]["pictures"], calibration["pictures"]
    real = vote["threshold_real"]
    could = figures["could_be_called_real"]
    worst = max(could["fakes_by_unmet_maker"].values())
    called = f"likely real up to {real:.2f}" if real else "none is called likely real"
    tiers = "; ".join(
        f"{tier} {one['fakes_flagged']:.0%} of fakes, {one['reals_flagged']:.1%} of reals"
        for tier, one in figures["tiers"].items()
    )
    lines = [
        "### Single pictures",
        "",
        f"They have a vote of their own, of {' and '.join(figures['members'])}, each for itself: "
        f"likely fake from {vote['threshold_fake']:.2f}, {called}. (The rows *pictures* above are "
        "of the vote for windows.) Stills, face crops and single frames of videos, "
        f"{figures['real']} real and {figures['fake']} fake, by folds over people; every set and "
        f"maker alike, {figures['fakes_flagged']:.0%} of the fakes are flagged and "
        f"{figures['reals_flagged']:.1%} of the reals ({tiers}). *Never met* is by votes that were "
        "fitted without any fake of that maker. A line for likely real that is to leave out fewer "
        f"than 5 % of each maker's fakes would let {could['reals']:.0%} of the reals pass, and up "
        f"to {worst:.0%} of the fakes of a maker never met.",
        "",
        "| fakes by | flagged | flagged where never met |",
        "|---|---|---|",
    ]
    unmet = figures["fakes_flagged_by_unmet_maker"]
    lines += [
        f"| {name} | {share:.0%} | {unmet[name]:.0%} |"
        for name, share in figures["fakes_flagged_by_maker"].items()
    ]
    lines += ["", "| reals of | flagged |", "|---|---|"]
    lines += [
        f"| {name} | {share:.1%} |" for name, share in figures["reals_flagged_by_set"].items()
    ]
    return lines
