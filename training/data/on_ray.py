"""``extract --ray``: units on the nodes of a Ray cluster.

A node reads the videos and writes the shard itself, so the data set and ``--out`` must lie at the
same path on every node. Bringing the patches back to the driver would send all of them over the
network once more, and a driver that dies would take them along; so it loses what was in hand.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import cv2

from stream_server.atomic import sweep_file
from stream_server.ray_cluster import ClusterError, Done, Lost, connect
from training.data.extract import Extracted, Extractor, Unit

Settings = tuple[Path, float, int, float, bool, str]
_VISIBLE_SECONDS = 30.0  # NFS may show a new file to other machines so much later


@dataclass(frozen=True)
class Found:
    """The answer of a node. ``unseen`` are files of the unit that the node does not have."""

    extracted: Extracted
    unseen: tuple[Path, ...] = ()


@cache
def extractor(settings: Settings) -> Extractor:
    """The extractor of this process, single-threaded."""
    cv2.setNumThreads(1)
    return Extractor(*settings)


def extract_unit(settings: Settings, unit: Unit) -> Found:
    """What runs on a node."""
    unseen = {item.path for item in unit.items if not item.path.exists()}
    if unseen:
        return Found(Extracted(), tuple(sorted(unseen)))
    return Found(extractor(settings).run(unit))


def extract_on_cluster(
    address: str, settings: Settings, todo: list[Unit], log: Callable[..., None]
) -> Iterator[tuple[str, Extracted | None, dict[str, str]]]:
    """(unit, what came of it, where) for each of ``todo`` as it is done; ``None`` where it is given
    up.

    The paths in ``settings`` and ``todo`` must be absolute. ``log(event, **values)`` hears of
    every attempt that went down with its node. Raises ``ClusterError`` where the cluster cannot be
    used, or does not see the same files.
    """
    with connect(address) as cluster:
        for outcome in cluster.run(extract_unit, settings, todo):
            unit = outcome.unit
            if isinstance(outcome, Lost):
                event = "retry" if outcome.again else "given_up"
                log(event, unit=unit.name, attempt=outcome.attempt, reason=outcome.reason)
                if not outcome.again:
                    yield unit.name, None, {}
                continue
            yield unit.name, _settled(settings, outcome), {"node": outcome.node}


def _settled(settings: Settings, outcome: Done[Unit, Found]) -> Extracted:
    unit, found = outcome.unit, outcome.result
    mine = extractor(settings)
    for path in found.unseen:
        if path.exists():
            raise ClusterError(
                f"node {outcome.node} has no {path}; with --ray, the data set must lie at the same"
                " path on every node"
            )
    if found.unseen:
        # Gone since they were listed, for everyone: as without a cluster.
        return mine.run(unit)
    target = mine.target(unit)
    if not _appears(target):
        raise ClusterError(
            f"node {outcome.node} has written {target}, which this machine does not see; with"
            " --ray, --out must be one folder that every node shares"
        )
    if outcome.attempt > 1:
        for written in _written(mine, unit):
            sweep_file(written)
    return found.extracted


def _appears(target: Path) -> bool:
    until = time.monotonic() + _VISIBLE_SECONDS
    while not target.exists():
        if time.monotonic() > until:
            return False
        time.sleep(0.2)
    return True


def _written(mine: Extractor, unit: Unit) -> list[Path]:
    """All files that come of ``unit``."""
    names: list[dict[str, Any]] = []
    target = mine.target(unit)
    if mine.form == "video":
        names = json.loads(target.read_text())
    return [target, *(mine.out / facts["file"] for facts in names)]
