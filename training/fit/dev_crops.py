"""A development set on the device where nets are trained: cut once, judged often."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from stream_server.atomic import replacing
from training.data.manifest import Manifest
from training.judge.devset import Scored, score_videos


class DevCrops:
    """The crops of a development set, cut once and judged often.

    Its pieces may be brought to ``folder`` later: there is nothing to judge on until they are.
    """

    def __init__(self, folder: Path, per_video: int = 8) -> None:
        self.folder, self.per_video = folder, per_video
        self._videos: list[Scored] = []
        self.crops = torch.zeros(0, 224, 224, 3, dtype=torch.uint8)

    def _cut(self) -> None:
        if self._videos or not any(self.folder.glob("*.tar")):
            return
        kept: list[NDArray[np.uint8]] = []

        def keep(crops: NDArray[np.uint8]) -> NDArray[np.float64]:
            kept.append(crops)
            return np.zeros(len(crops))

        self._videos = score_videos(Manifest.scan(self.folder), keep, self.per_video)
        self.crops = torch.from_numpy(np.concatenate(kept))

    def judged(self, score: Callable[[Tensor], NDArray[np.float64]]) -> list[list[Scored]]:
        """Every video with its scores, for each question that ``score`` answers: crops uint8
        ``[n, 224, 224, 3]`` in, ``[n, questions]`` out."""
        self._cut()
        if not self._videos:
            return []
        edges = np.cumsum([len(video.scores) for video in self._videos])[:-1]
        return [
            [
                Scored(v.sample, part)
                for v, part in zip(self._videos, np.split(one, edges), strict=True)
            ]
            for one in score(self.crops).T
        ]


def write_scores(path: Path, judged: Sequence[Sequence[Scored]]) -> None:
    """Write what each video got, for each question, to ``path`` as JSON."""
    rows = [
        {"video": one.sample.video, "dataset": one.sample.dataset, "label": one.sample.label,
         "method": one.sample.method, "scores": [q.scores.round(3).tolist() for q in questions]}
        for questions in zip(*judged, strict=True)
        for one in questions[:1]
    ]  # fmt: skip
    with replacing(path) as part:
        part.write_text(json.dumps(rows))
