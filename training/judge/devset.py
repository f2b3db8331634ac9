"""The development set as crops, and its figures per group."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stream_server.vision.types import Image
from training.augment.margin import Cut
from training.data.manifest import Manifest, landmarks_of, spread
from training.data.shards import Sample, Stored
from training.judge.metrics import auc

Score = Callable[[NDArray[np.uint8]], NDArray[np.float64]]
_STILLS, _AT_ONCE = 600, 50


@dataclass(frozen=True)
class Scored:
    """One video or picture with the scores of its crops in the order of time."""

    sample: Sample
    scores: NDArray[np.float64]

    @property
    def mean(self) -> float:
        """The mean over the crops."""
        return float(self.scores.mean())


def thinned(manifest: Manifest, samples: int, videos: int, stills: int) -> Manifest:
    """Less of a large set: the first ``samples`` of each video, and at most ``videos`` videos and
    ``stills`` pictures of each data set, label and method, evenly over their names."""
    groups: dict[tuple[str, str, str, bool], list[list[Stored]]] = {}
    for _, rows in sorted(manifest.videos().items()):
        one = rows[0].sample
        kind = (one.dataset, one.label, one.method, len(rows) == 1)
        groups.setdefault(kind, []).append(rows)
    kept: list[Stored] = []
    for (*_, still), members in groups.items():
        for rows in spread(members, stills if still else videos):
            kept += rows[:samples]
    return manifest.where(kept)


def few_of_each(manifest: Manifest, per_person: int = 3, samples: int = 60) -> Manifest:
    """At most ``per_person`` videos of one person and label, of each the first ``samples``.

    A station's hundred clips of one presenter are one face and one studio. Pictures all stay.
    """
    seen: dict[tuple[str, str, str], int] = {}
    kept: list[Stored] = []
    for video, rows in sorted(manifest.videos().items()):
        first = rows[0].sample
        if len(rows) > 1:
            who = first.identities[0] if first.identities else video
            place = (first.dataset, first.method, who)
            seen[place] = seen.get(place, 0) + 1
            if seen[place] > per_person:
                continue
        kept += rows[:samples]
    return manifest.where(kept)


def some_stills(manifest: Manifest, count: int) -> Manifest:
    """All videos, and at most ``count`` single pictures of each data set and label."""
    kept: list[Stored] = []
    stills: dict[tuple[str, str], list[Stored]] = {}
    for rows in manifest.videos().values():
        if len(rows) > 1:
            kept += rows
        else:
            stills.setdefault((rows[0].sample.dataset, rows[0].sample.label), []).append(rows[0])
    for group in stills.values():
        kept += spread(group, count)
    return manifest.where(kept)


def crops_of(manifest: Manifest, count: int) -> Image:
    """At most ``count`` serving crops, evenly over the manifest, uint8 ``[n, 224, 224, 3]``."""
    return np.stack([crop_of(manifest, row) for row in spread(manifest.rows, count)])


def crop_of(manifest: Manifest, row: Stored) -> Image:
    """The serving crop of ``row``, uint8 ``[224, 224, 3]``."""
    return Cut().apply(manifest.image(row), landmarks_of(row.sample))


def score_videos(manifest: Manifest, score: Score, per_video: int = 10) -> list[Scored]:
    """Score up to ``per_video`` crops of each video, and some hundred of the single pictures."""
    videos = list(manifest.videos().values())
    singles = [rows for rows in videos if len(rows) == 1]
    step = max(len(singles) / _STILLS, 1.0)
    kept = {int(number * step) for number in range(_STILLS)}
    chosen = [spread(rows, per_video) for rows in videos if len(rows) > 1]
    chosen += [rows for number, rows in enumerate(singles) if number in kept]
    flat = [row for rows in chosen for row in rows]
    scores: list[float] = []
    for start in range(0, len(flat), _AT_ONCE):
        crops = [crop_of(manifest, row) for row in flat[start : start + _AT_ONCE]]
        scores += score(np.stack(crops)).tolist()
    result: list[Scored] = []
    place = 0
    for rows in chosen:
        values = np.array(scores[place : place + len(rows)], np.float64)
        result.append(Scored(rows[0].sample, values))
        place += len(rows)
    return result


def group_aucs(scored: Sequence[Scored]) -> dict[str, float]:
    """AUC by video per data set, per method, and the share of pairs in the right order.

    ``across/METHOD`` is a method's fakes against the reals of all data sets, videos against videos,
    ``across pictures/METHOD`` pictures against pictures: what counts for a maker whose own set
    holds hardly a real one.
    """
    result: dict[str, float] = {}
    datasets = sorted({one.sample.dataset for one in scored})
    for dataset in datasets:
        rows = [one for one in scored if one.sample.dataset == dataset]
        reals = [one for one in rows if one.sample.label == "real"]
        fakes = [one for one in rows if one.sample.label == "fake"]
        if not reals or not fakes:
            continue
        result[dataset] = _auc(reals, fakes)
        methods = sorted({one.sample.method for one in fakes})
        if len(methods) > 1:
            for method in methods:
                of_method = [one for one in fakes if one.sample.method == method]
                result[f"{dataset}/{method}"] = _auc(reals, of_method)
        pairs = {one.sample.pair: one.mean for one in reals if one.sample.pair}
        ordered = [one.mean > pairs[one.sample.pair] for one in fakes if one.sample.pair in pairs]
        if ordered:
            result[f"{dataset}/pairs in order"] = float(np.mean(ordered))
    for method in sorted({one.sample.method for one in scored if one.sample.label == "fake"}):
        for still in (False, True):
            alike = [one for one in scored if (len(one.scores) == 1) == still]
            every = [one for one in alike if one.sample.label == "real"]
            of_method = [
                one for one in alike if one.sample.label == "fake" and one.sample.method == method
            ]
            if every and of_method:
                result[f"across{' pictures' if still else ''}/{method}"] = _auc(every, of_method)
    return result


def _auc(reals: Sequence[Scored], fakes: Sequence[Scored]) -> float:
    labels = [0] * len(reals) + [1] * len(fakes)
    return auc(labels, [one.mean for one in [*reals, *fakes]])
