"""Splits by identity: no person and no source video in two of them."""

from __future__ import annotations

import bisect
import hashlib
import itertools
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from training.data.manifest import Manifest
from training.data.shards import Sample

SPLITS = ("train", "dev", "test")


class LeakError(ValueError):
    """A person or source video is in two splits."""


def check(samples: Sequence[Sample]) -> None:
    """Raise ``LeakError`` naming the identities that are in two splits."""
    where: dict[str, dict[str, str]] = {}
    for sample in samples:
        for identity in sample.identities:
            where.setdefault(identity, {}).setdefault(sample.split, sample.video)
    leaks = {name: places for name, places in where.items() if len(places) > 1}
    if leaks:
        name, places = next(iter(leaks.items()))
        shown = ", ".join(f"{video} in {split or 'none'}" for split, video in places.items())
        others = sorted(leaks)[:10]
        raise LeakError(
            f"{len(leaks)} identities are in two splits: {name} ({shown}); "
            f"among them {', '.join(others)}"
        )


def split(root: Path, shares: Mapping[str, float], seed: int = 0) -> Manifest:
    """Split the shards in ``root`` and write their listing; see ``assign``.

    Shards that cannot be read are left out; the manifest names them. Raises what ``assign`` and
    ``Manifest.scan`` raise.
    """
    manifest = Manifest.scan(root)
    chosen = assign([row.sample for row in manifest.rows], shares, seed)
    manifest.rows = [
        replace(row, sample=replace(row.sample, split=chosen[row.sample.video]))
        for row in manifest.rows
    ]
    check([row.sample for row in manifest.rows])
    manifest.write()
    return manifest


def assign(samples: Sequence[Sample], shares: Mapping[str, float], seed: int = 0) -> dict[str, str]:
    """The split of each video. Official splits stay; the rest goes by groups of shared identity.

    ``shares`` are the parts of the groups that go to each split. A group that an official split
    touches goes there whole. Raises ``LeakError`` where official splits share an identity, and
    ``ValueError`` for shares that are not positive or an unknown split.
    """
    unknown = [name for name in shares if name not in SPLITS]
    if unknown or not shares or min(shares.values()) <= 0:
        raise ValueError(f"shares are {dict(shares)}; they must be positive, of {SPLITS}")
    official = [sample for sample in samples if sample.split]
    check(official)
    groups = _groups(samples)
    fixed = {groups.root(f"video:{sample.video}"): sample.split for sample in official}
    total = sum(shares.values())
    result: dict[str, str] = {}
    for sample in samples:
        root = groups.root(f"video:{sample.video}")
        if root not in fixed:
            digest = hashlib.sha256(f"{seed}:{root}".encode()).digest()
            place = int.from_bytes(digest[:8], "big") / 2**64 * total
            edges = list(itertools.accumulate(shares.values()))
            fixed[root] = list(shares)[min(bisect.bisect(edges, place), len(edges) - 1)]
        result[sample.video] = fixed[root]
    return result


def families(samples: Sequence[Sample]) -> dict[str, str]:
    """For each video a name that all videos share that have a person or source in common."""
    groups = _groups(samples)
    return {sample.video: groups.root(f"video:{sample.video}") for sample in samples}


def _groups(samples: Sequence[Sample]) -> _Groups:
    groups = _Groups()
    for sample in samples:
        groups.join(f"video:{sample.video}", *(f"id:{name}" for name in sample.identities))
        if sample.pair:
            groups.join(f"video:{sample.video}", f"pair:{sample.dataset}/{sample.pair}")
    return groups


class _Groups:
    """Union-find over names; a group's root is its smallest name, whatever the order of joins."""

    def __init__(self) -> None:
        self._parent: dict[str, str] = {}

    def root(self, name: str) -> str:
        parent = self._parent.setdefault(name, name)
        while parent != self._parent[parent]:
            self._parent[parent] = self._parent[self._parent[parent]]
            parent = self._parent[parent]
        self._parent[name] = parent
        return parent

    def join(self, *names: str) -> None:
        roots = sorted({self.root(name) for name in names})
        for root in roots[1:]:
            self._parent[root] = roots[0]
