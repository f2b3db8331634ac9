"""The model card's tables of what the judge step found by folds over people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

_KINDS = ("videos", "pictures")
_HEADER = [
    "| | real | fake | AUC, mean of all pairs | worst pair | caught | decided "
    "| fakes called real | reals flagged | ECE |",
    "|---|---|---|---|---|---|---|---|---|---|",
]


def fold_tables(report: Mapping[str, Any], members: Sequence[str]) -> list[str]:
    """Lines of Markdown from the judge step's JSON, for the joint vote of ``members``.

    Raises ``ValueError`` where it judged no such vote.
    """
    wanted = frozenset(members)
    named = {frozenset(name.replace(" or ", " + ").split(" + ")): name for name in report["votes"]}
    if wanted not in named:
        raise ValueError(f"the judge step's report has no vote of {', '.join(members)}")
    tiers: Mapping[str, Mapping[str, Any]] = report["votes"][named[wanted]]
    lines = [
        "### Reals of every set against every maker's fakes",
        "",
        f"By {report['folds']} folds over people, each judged by a vote and thresholds that were "
        "fitted on the others; sets and makers of fewer than five together. *Caught* is the share "
        "of fakes above the score that leaves 2 % of the reals above it; all shares count every "
        "set and maker alike, but *decided*.",
        "",
        *_HEADER,
    ]
    for kind in _KINDS:
        for tier, found in tiers.items():
            if kind in found:
                lines.append(_row(f"{kind}, {tier}", found[kind]))
    for kind in _KINDS:
        shown = {tier: found[kind] for tier, found in tiers.items() if kind in found}
        if shown:
            lines += ["", *_makers(kind, shown)]
    return lines


def peer_tables(reports: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Lines of Markdown from the judge step's JSON on published networks, one of each by its name.

    Raises ``ValueError`` where a report is not of one vote alone.
    """
    lines = [
        "### Published networks on the same clips",
        "",
        "Judged as the table above, each with a threshold and a calibration of its own: MesoNet "
        "(Afchar et al., WIFS 2018) with its authors' weights, on our crops, a video's score being "
        "the mean of its pictures' logits.",
        "",
        *_HEADER,
    ]
    for name, report in reports.items():
        if len(report["votes"]) != 1:
            raise ValueError(f"{name}: {len(report['votes'])} votes, a peer has one")
        [tiers] = report["votes"].values()
        lines += [
            _row(f"{name}, {kind}, {tier}", found[kind])
            for kind in _KINDS
            for tier, found in tiers.items()
            if kind in found
        ]
    return lines


def _row(name: str, one: Mapping[str, Any]) -> str:
    called = one["called"]
    worst = f"{one['worst']['auc']:.2f} ({one['worst']['where']})"
    shares = [one["caught"], called["decided"], called["fakes_called_real"]]
    cells = [name, str(one["real"]), str(one["fake"]), f"{one['mean']:.3f}", worst]
    cells += [f"{share:.0%}" for share in shares]
    cells += [f"{called['reals_flagged']:.1%}", f"{one['ece']:.3f}"]
    return f"| {' | '.join(cells)} |"


def _makers(kind: str, tiers: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Each maker's AUC against the reals of each set alike, a column a tier."""
    makers = list(dict.fromkeys(name for one in tiers.values() for name in one["makers"]))
    lines = [
        f"| {kind}: fakes of, against the reals of each set alike | {' | '.join(tiers)} |",
        "|---" * (len(tiers) + 1) + "|",
    ]
    for name in makers:
        cells = [f"{one['makers'][name]:.3f}" if name in one["makers"] else ""
                 for one in tiers.values()]  # fmt: skip
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return lines
