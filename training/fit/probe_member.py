"""A member without an encoder, fitted on the features that served ones give.

It asks another question than they do: not whether a face was swapped, but whether the whole head
was generated or driven by sound. So it joins the vote as one-or-the-other.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from training.data.manifest import Manifest
from training.fit.probe import (
    Rows,
    auc_by_maker,
    fit_linear,
    joined,
    of_kind,
    rows_of,
    scores_of,
)
from training.judge.devset import thinned
from training.judge.scoring import member_views
from training.models.encoding import stamp
from training.models.heads import BoundedLinear, Probe
from training.models.member import Member, save_member
from training.models.served import OnnxEncoder
from training.run_dir import RunDir

PENALTIES = (0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0)


@dataclass(frozen=True)
class Look:
    """What a probe is fitted on: the delivery ``tiers``, and of each split at most so many samples
    a video, videos and single pictures of each set, label and maker. The fakes of the data sets
    ``apart`` are left out: they are made otherwise than what is asked for.
    """

    tiers: Sequence[str]
    apart: Sequence[str]
    train: tuple[int, int, int] = (10, 120, 500)
    dev: tuple[int, int, int] = (20, 100, 400)


def train_probe(
    name: str, members: Sequence[Member], manifest: Manifest, cache: Path, look: Look, run: RunDir
) -> Member:
    """Fit a probe on what the encoders of ``members`` give; ``run`` gets its ``member.pt``.

    Features are kept below ``cache``. Of several penalties on its weights, for videos and for
    single pictures, the one is taken that does best on dev, over its makers and the tiers alike;
    the run's log holds the figures of all.
    Raises ``ValueError`` for a split without faces of both kinds.
    """
    dims = {one.name: one.dim for one in members}
    rows: dict[str, dict[str, Rows]] = {}
    for split, limits in (("train", look.train), ("dev", look.dev)):
        part = thinned(_part(manifest, split, look.apart), *limits)
        for tier in look.tiers:
            sys.stderr.write(f"{split}, {tier}: {len(part)} faces\n")
            views = member_views(members, part, cache / split, tier, stills=len(part))
            rows.setdefault(split, {})[tier] = rows_of(views, look.apart)
    probe = Probe(list(dims.values()))
    figures: dict[str, object] = {}
    train = joined(list(rows["train"].values()))
    for kind, still, layer in (("videos", False, probe.moving), ("pictures", True, probe.still)):
        dev = {tier: of_kind(part, still) for tier, part in rows["dev"].items()}
        mine = of_kind(train, still)
        if len({*mine.fake.tolist()}) < 2 or len({*next(iter(dev.values())).fake.tolist()}) < 2:
            sys.stderr.write(f"{kind}: not both real and fake in train and dev; none are judged\n")
            continue
        best, figures[kind] = _best(mine, dev, kind, run)
        layer.load_state_dict(best.state_dict())
    if not figures:
        raise ValueError("neither videos nor pictures are both real and fake in train and dev")
    facts: dict[str, object] = {
        "dev": figures,
        "fitted_on": {one.name: _weights(one) for one in members},
        "kind": "either",
    }
    member = Member(name, None, probe, sum(dims.values()), facts, dims)
    save_member(run.path / "member.pt", member, facts)
    return member


def _weights(member: Member) -> str:
    """A name for the weights in fp32, whichever file of theirs was run."""
    encoder = member.encoder
    return encoder.weights if isinstance(encoder, OnnxEncoder) else stamp(encoder)


def _part(manifest: Manifest, split: str, apart: Sequence[str]) -> Manifest:
    """The faces of ``split`` without the fakes ``apart``."""
    rows = manifest.split(split).rows
    return manifest.where(
        row for row in rows if row.sample.label == "real" or row.sample.dataset not in apart
    )


def _best(
    train: Rows, dev: Mapping[str, Rows], name: str, run: RunDir
) -> tuple[BoundedLinear, dict[str, object]]:
    """The logit that does best on dev, and its figures."""
    found: list[tuple[float, BoundedLinear, dict[str, object]]] = []
    for penalty in PENALTIES:
        layer = fit_linear(train, penalty)
        per_tier = {tier: auc_by_maker(part, scores_of(layer, part)) for tier, part in dev.items()}
        mean = float(np.mean([value for one in per_tier.values() for value in one.values()]))
        run.log("penalty", kind=name, penalty=penalty, mean=mean, dev=per_tier)
        sys.stderr.write(f"{name}, penalty {penalty:g}: mean over dev's makers {mean:.3f}\n")
        found.append((mean, layer, {"penalty": penalty, "mean": mean, **per_tier}))
    _, layer, figures = max(found, key=lambda one: one[0])
    return layer, figures
