"""What a detector says to the swapped clips, beside the real ones."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from stream_server.engine import MicroBatcher, open_engine
from stream_server.vision.crop import alignment, to_crop
from stream_server.vision.detect import FaceDetector
from stream_server.vision.types import Floats
from training.arrays import as_floats
from training.data.extract import Face, faces
from training.data.layouts import Item
from training.judge.metrics import auc

RATE, WINDOW, STRIDE = 10.0, 20, 10
PROTOCOL = (
    "Face crops of each clip's main face at 10 a second; windows of 20 crops, half overlapping; "
    "a clip's score is the mean log odds of its windows. Intervals are not given for the AUC by "
    "window: windows of one clip are not independent."
)


@dataclass(frozen=True)
class Scored:
    """One clip: the probabilities of its windows, oldest first."""

    path: Path
    fake: bool
    windows: tuple[float, ...]

    @property
    def log_odds(self) -> float:
        """The mean over the windows, probabilities cut to a millionth from 0 and 1."""
        sure = np.clip(np.array(self.windows), 1e-6, 1 - 1e-6)
        return float(np.log(sure / (1 - sure)).mean())

    @property
    def probability(self) -> float:
        """The sigmoid of ``log_odds``."""
        return float(1 / (1 + np.exp(-self.log_odds)))


def judge(
    models: Path, clips: Mapping[Path, bool], more: Sequence[Path] = (), threads: int = 1
) -> dict[str, Any]:
    """Score ``clips`` (path to whether it is fake) with the ensembles of a model repository.

    ``more`` are further real clips. Returns each clip's windows and the AUC against the real ones
    among ``clips`` (``against_own``) and against all (``against_all``). Raises ``ValueError`` where
    a clip cannot be read, shows no face, or one kind is missing.
    """
    if len(set(clips.values())) < 2:
        raise ValueError(f"{len(clips)} clips of one kind: an AUC needs real and fake ones")
    scored = asyncio.run(_scored(models, {**clips, **dict.fromkeys(more, False)}, threads))
    return {
        "protocol": PROTOCOL,
        "models": str(models),
        "against_own": figures(scored[: len(clips)]),
        "against_all": figures(scored),
        "clips": [
            {
                "file": one.path.name,
                "label": "fake" if one.fake else "real",
                "probability": round(one.probability, 4),
                "windows": [round(value, 4) for value in one.windows],
            }
            for one in scored
        ],
    }


def figures(scored: Sequence[Scored]) -> dict[str, float]:
    """The AUC by window and by clip, and of how many."""
    labels = [one.fake for one in scored for _ in one.windows]
    values = [value for one in scored for value in one.windows]
    fakes = [one.fake for one in scored]
    return {
        "real_clips": fakes.count(False),
        "fake_clips": fakes.count(True),
        "real_windows": labels.count(False),
        "fake_windows": labels.count(True),
        "auc_by_window": round(auc(labels, values), 4),
        "auc_by_clip": round(auc(fakes, [one.log_odds for one in scored]), 4),
    }


async def _scored(models: Path, clips: Mapping[Path, bool], threads: int) -> list[Scored]:
    engine = open_engine("embedded", models, threads=threads)
    batcher = MicroBatcher(engine)
    detector = FaceDetector(min_face=40)
    result = []
    try:
        for number, (path, fake) in enumerate(clips.items(), start=1):
            sys.stderr.write(f"\rjudging {number}/{len(clips)} {path.name}\033[K")
            crops, points = crops_of(path, detector)
            features = await batcher.features(crops)
            windows = []
            for start in starts(len(crops)):
                part = slice(start, start + WINDOW)
                own = {name: values[part] for name, values in features.items()}
                windows.append((await batcher.verdicts(own, points[part]))[0])
            result.append(Scored(path, fake, tuple(windows)))
        sys.stderr.write("\n")
    finally:
        await batcher.close()
        await engine.close()
    return result


def crops_of(path: Path, detector: FaceDetector) -> tuple[np.ndarray[Any, Any], Floats]:
    """The main face's crops uint8 ``[n, 224, 224, 3]`` and landmarks ``[n, 10]`` of a clip.

    Raises ``ValueError`` where it cannot be read or shows no face.
    """
    tracks: dict[int, list[Face]] = {}
    item = Item(name=path.stem, path=path, kind="video", label="real", dataset="")
    for number, face in faces(item, detector, RATE):
        tracks.setdefault(number, []).append(face)
    if not tracks:
        raise ValueError(f"{path}: no face found")
    main = max(tracks.values(), key=lambda track: sum(face.side for face in track))
    points = [to_crop(face.local, alignment(face.local)).reshape(10) for face in main]
    return np.stack([face.crop() for face in main]), as_floats(np.stack(points))


def starts(length: int) -> Sequence[int]:
    """Where windows begin: half overlapping, and one over everything where there is less."""
    return range(0, max(length - WINDOW, 0) + 1, STRIDE)
