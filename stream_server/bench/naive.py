"""The straightforward way to scan a clip, as the baseline that ``fakelight bench scan`` prints.

Every frame is decoded and searched for faces at its full size. Every verdict, four a second from
the 20th sample on, puts the whole window of crops through the CNN again. Same detector, crop,
models and thresholds as the real thing.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

from stream_server.engine import EmbeddedEngine, ModelRepository
from stream_server.engine.spec import FACE_FEATURES, LANDMARKS, SEQUENCE_VERDICT
from stream_server.ingest.files.video import VideoFile
from stream_server.rhythm import Rhythm
from stream_server.scan.faces.verdict import robust
from stream_server.settings import load
from stream_server.vision.crop import align_crop, alignment, to_crop
from stream_server.vision.detect import FaceDetector
from stream_server.vision.types import Floats, Image

_WINDOW, _SAMPLE_HZ, _VERDICT_HZ = 20, 10, 4


def naive_scan(path: Path) -> dict[str, Any]:
    """Scan the largest face of ``path`` and return the probability and how much was computed."""
    settings = load()
    engine = EmbeddedEngine(ModelRepository.load(settings.models), threads=settings.threads)
    detector = FaceDetector(min_face=settings.min_face, threads=settings.threads)
    window: list[tuple[Image, Floats]] = []
    scores: list[float] = []
    sampling, judging = Rhythm(_SAMPLE_HZ), Rhythm(_VERDICT_HZ)
    frames = 0
    for frame in VideoFile(path, str(path)).every_frame():
        found = detector.detect(frame.image)
        frames += 1
        if not len(found) or not sampling.due(frame.media_time):
            continue
        largest = int((found.boxes[:, 2:] - found.boxes[:, :2]).prod(axis=1).argmax())
        points = found.landmarks[largest]
        window.append((align_crop(frame.image, points), to_crop(points, alignment(points))))
        window = window[-_WINDOW:]
        if len(window) < _WINDOW or not judging.due(frame.media_time):
            continue
        scores.append(_verdict(engine, window))
    return {"frames_searched": frames, "verdicts": len(scores), "probability": robust(scores)}


def _verdict(engine: EmbeddedEngine, window: list[tuple[Image, Floats]]) -> float:
    """One window of crops, all of it, through the encoders and the sequence models."""
    repository = engine.repository
    features = engine.run(FACE_FEATURES, {"FRAMES": np.stack([crop for crop, _ in window])})
    inputs: dict[str, Any] = {"LENGTH": np.array([[len(window)]], np.int32)}
    length = repository.sequence_length
    for member, dim in repository.feature_dims.items():
        padded = np.zeros((1, length, dim), np.float32)
        padded[0, : len(window)] = features[f"FEATURES_{member}"]
        inputs[f"FEATURES_{member}"] = padded
    if repository.uses_landmarks:
        points = np.zeros((1, length, 10), np.float32)
        points[0, : len(window)] = np.stack([points.reshape(10) for _, points in window])
        inputs[LANDMARKS] = points
    return float(engine.run(SEQUENCE_VERDICT, inputs)["PROBABILITY"][0, 0])


if __name__ == "__main__":
    sys.stdout.write(json.dumps(naive_scan(Path(sys.argv[1]))) + "\n")
