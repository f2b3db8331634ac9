"""LRNet's published weights on whole videos: a peer that sees nothing but how landmarks move.

Sun et al., "Improving the Efficiency and Robustness of Deepfakes Detection through Precise
Geometric Features", CVPR 2021. Its networks and the smoothing of its landmarks are the authors' own
code, run from a clone of their repository (frederickszk/LRNet, MIT); the 68 landmarks are those of
dlib, one of the detectors that they name.
"""

from __future__ import annotations

import hashlib
import importlib.util
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from types import ModuleType
from typing import Any

import cv2
import numpy as np
import torch

from stream_server.ingest.files.media import WHOLE, ReadCounts
from stream_server.ingest.files.open import open_media
from stream_server.ingest.files.region import within
from stream_server.vision.types import Image
from training.arrays import as_image
from training.data.layouts import Item
from training.judge.product import Judgement
from training.judge.vote import Array

BLOCK = 30  # frames that the networks see at once (demo/configs/args_inference.yaml)
FRAMES = 4 * BLOCK + 1  # of each video
_CODE = ("calibrator/LC.py", "demo/utils/model.py")
_WEIGHTS = ("demo/model_weights/g1.pth", "demo/model_weights/g2.pth")
_SEARCHED, _FOLLOWED = 640, 120  # pixels: the picture's longer side at first, then the face's
_ROOM = 0.6  # around the face of the frame before, in faces


@dataclass(frozen=True)
class LRNet:
    """The authors' code and weights from ``clone``, and dlib's landmarks from ``predictor``.

    Raises ``FileNotFoundError`` for a file that is missing.
    """

    clone: Path
    predictor: Path

    def __post_init__(self) -> None:
        for path in (*(self.clone / name for name in (*_CODE, *_WEIGHTS)), self.predictor):
            if not path.is_file():
                raise FileNotFoundError(f"{path} is missing")

    @property
    def stamp(self) -> str:
        """What the judgements depend on besides the videos."""
        digest = hashlib.sha256(Path(__file__).read_bytes())
        for path in (*(self.clone / name for name in (*_CODE, *_WEIGHTS)), self.predictor):
            digest.update(hashlib.sha256(path.read_bytes()).digest())
        return digest.hexdigest()[:16]

    def open(self) -> Judge:
        """Everything loaded, to judge many videos."""
        import dlib

        smoothing, model = (_module(self.clone / name) for name in _CODE)
        nets = []
        for name in _WEIGHTS:
            net = model.LRNet().eval()
            net.load_state_dict(torch.load(self.clone / name, "cpu", weights_only=True))
            nets.append(net)
        landmarks = dlib.shape_predictor(str(self.predictor))
        return Judge(smoothing, nets, dlib.get_frontal_face_detector(), landmarks)


@dataclass(frozen=True)
class Judge:
    """``smoothing`` is the calibrator's module, ``nets`` are those of places and of movements."""

    smoothing: ModuleType
    nets: list[Any]
    detector: Any
    landmarks: Any

    def judge(self, item: Item) -> Judgement:
        """The verdict on the first ``FRAMES`` frames with a face.

        The probability is the mean over blocks, for ranking; the verdict is by the authors' rule:
        fake where half of the blocks are. A video too short for a block has none.
        Raises ``UnusableError`` where it cannot be decoded at all.
        """
        seen = list(islice(self._faces(item), FRAMES))
        images, shapes = [image for image, _ in seen], [shape for _, shape in seen]
        size = float(np.median([np.ptp(one, axis=0).max() for one in shapes])) if shapes else 0.0
        blocks = self._blocks(images, shapes)
        probability = float(np.mean(blocks)) if blocks else None
        verdict = "not_enough_evidence"
        if blocks:
            fakes = sum(one >= 0.5 for one in blocks)
            verdict = "likely_fake" if 2 * fakes >= len(blocks) else "likely_real"
        return Judgement(
            item.name, item.dataset, item.method, item.label,
            item.identities[0] if item.identities else item.name,
            size, verdict, probability, (),
        )  # fmt: skip

    def _faces(self, item: Item) -> Iterator[tuple[Image, Array]]:
        """The frames in which a face was found, BGR, with its landmarks ``[68, 2]`` in pixels."""
        media = within(open_media(item.path, str(item.path)), item.region)
        last: Array | None = None
        for _, frame in media.read(WHOLE, media.info.rate, ReadCounts()):
            last = self._found(cv2.cvtColor(frame.image, cv2.COLOR_RGB2GRAY), last)
            if last is not None:
                yield as_image(cv2.cvtColor(frame.image, cv2.COLOR_RGB2BGR)), last

    def _found(self, gray: Any, last: Array | None) -> Array | None:
        """The largest face, looked for near ``last`` where there is one."""
        import dlib

        height, width = gray.shape
        left, top, right, bottom, factor = 0, 0, width, height, _SEARCHED / max(height, width)
        if last is not None:
            side = np.ptp(last, axis=0).max()
            (left, top) = np.maximum(last.min(axis=0) - _ROOM * side, 0).astype(int)
            (right, bottom) = (last.max(axis=0) + _ROOM * side).astype(int)
            factor = _FOLLOWED / max(side, 1.0)
        part = gray[top:bottom, left:right]
        if not part.size:
            return None
        factor = min(factor, 1.5)
        how = cv2.INTER_AREA if factor < 1 else cv2.INTER_LINEAR
        part = cv2.resize(part, None, fx=factor, fy=factor, interpolation=how)
        boxes = self.detector(part, 1 if last is None else 0)
        if not boxes:
            return None
        best = max(boxes, key=lambda box: box.width())
        corners = (best.left(), best.top(), best.right(), best.bottom())
        x0, y0, x1, y1 = (round(value / factor) for value in corners)
        box = dlib.rectangle(x0 + int(left), y0 + int(top), x1 + int(left), y1 + int(top))
        found = self.landmarks(gray, box)
        places = [(found.part(number).x, found.part(number).y) for number in range(68)]
        return np.array(places, np.float64)

    def _blocks(self, images: list[Image], shapes: list[Array]) -> list[float]:
        """How fake each whole block is to both networks together, 0 to 1."""
        if len(images) <= BLOCK:
            return []
        whole = [shape.astype(int) for shape in shapes]
        smooth = np.array(self.smoothing.calibrate_landmark(images, whole), np.float32)
        result = []
        for start in range(0, len(smooth) - BLOCK, BLOCK):
            block = smooth[start : start + BLOCK]
            with torch.inference_mode():
                both = [
                    float(net(torch.from_numpy(values[None]))[0, 1])
                    for net, values in zip(self.nets, (block, np.diff(block, axis=0)), strict=True)
                ]
            result.append(sum(both) / 2)
        return result


def _module(path: Path) -> ModuleType:
    """The authors' file at ``path``, run as it is."""
    spec = importlib.util.spec_from_file_location(f"lrnet_{path.stem.lower()}", path)
    if spec is None or spec.loader is None:
        raise ValueError(f"{path} is no Python file")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
