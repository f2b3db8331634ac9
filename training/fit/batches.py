"""Endless training batches of crops, mixed so that no source gives its label away.

A batch is made of six streams: real faces, each beside its own self-blended image; real faces, each
beside itself as an autoencoder gives it; live swaps, each beside the real half of the same moment;
given fakes of each method in turn beside real faces of the same data set; single-picture fakes
beside their originals; and generated heads beside real faces of any set. Whatever stands side by
side goes through the same delivery and the same cut, so that only the manipulation differs.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.utils.data import IterableDataset

from stream_server.vision.crop import alignment, to_crop
from stream_server.vision.types import Floats, Image
from training.arrays import as_image
from training.augment.border import border, nowhere, unknown
from training.augment.camera import Camera
from training.augment.delivery import Delivery
from training.augment.margin import Cut
from training.augment.rebuild import Rebuild
from training.augment.self_blend import Blend
from training.data.manifest import Manifest, landmarks_of
from training.data.shards import Stored
from training.fit.pairs import Mix, Pairs, is_generated

Batch = dict[str, Tensor]
Crop = tuple[Image, Floats]  # a crop and where its border is; see training.augment.border
_CANDIDATES = 12  # donors to choose from
_HIDING = (0.011, 0.022)  # blur in parts of the crop: of a face some 15 to 30 pixels stay
UNDECIDED = 0.5
# What a pair asks: was the face in a real picture changed, or was the whole head generated?
CHANGED, GENERATED = 0, 1


class TrainingBatches(IterableDataset[Batch]):
    """Batches of ``image`` uint8 ``[n, size, size, 3]`` and ``label`` ``[n]``: real, fake, real…

    Hidden pairs come last, with the label ``UNDECIDED``.

    ``border`` ``[n, 14, 14]`` says where a blend's border runs; see ``training.augment.border``.
    ``question`` ``[n]`` is ``CHANGED`` or ``GENERATED``, whichever a pair's fake is an answer to.

    The first ``warm`` batches are ``warm_size`` pixels wide. ``start`` is the number of batches
    that an earlier run has used up, per process where several train together.
    """

    def __init__(
        self, manifest: Manifest, mix: Mix, size: int, seed: int, warm: int = 0,
        warm_size: int = 160, start: int = 0, rebuild: Rebuild | None = None,
    ) -> None:  # fmt: skip
        if mix.rebuilt and rebuild is None:
            raise ValueError(f"a mix of {mix.rebuilt} rebuilt pairs needs --autoencoders FOLDER")
        self.pairs = Pairs(manifest, mix)
        self.manifest, self.mix, self.size, self.seed = manifest, mix, size, seed
        self.warm, self.warm_size, self.start = warm, warm_size, start
        self.rebuild = rebuild
        self.rank, self.ranks = 0, 1

    def share(self, rank: int, ranks: int) -> None:
        """Draw the batches of process ``rank`` of ``ranks`` from here on; none are drawn twice."""
        self.rank, self.ranks = rank, ranks

    def __iter__(self) -> Iterator[Batch]:
        cv2.setNumThreads(1)
        worker = torch.utils.data.get_worker_info()
        number, step = (worker.id, worker.num_workers) if worker else (0, 1)
        count = self.start + number
        while True:
            rng = np.random.default_rng((self.seed, count * self.ranks + self.rank))
            yield self.batch(rng, self.warm_size if count < self.warm else self.size)
            count += step

    def batch(self, rng: np.random.Generator, size: int | None = None) -> Batch:
        """One batch; the same for the same state of ``rng``."""
        size = size or self.size
        mix = self.mix
        made: list[Crop] = []
        for _ in range(mix.blended):
            made += self._blended(rng, size)
        asked = [CHANGED] * len(made)
        for _ in range(mix.rebuilt):
            made += self._rebuilt(rng, size)
            asked += [GENERATED] * 2
        drawn = [
            (self.pairs.moment, mix.paired),
            (self.pairs.given, mix.given),
            (self.pairs.still, mix.stills),
            (self.pairs.head, mix.heads),
        ]
        for draw, count in drawn:
            for number in range(math.ceil(count)):
                pair = draw(rng) if count >= number + 1 or rng.random() < count % 1 else None
                made += self._pair(rng, size, *pair) if pair else self._blended(rng, size)
                asked += [GENERATED if pair and is_generated(pair[1]) else CHANGED] * 2
        labels = [0.0, 1.0] * (len(made) // 2)
        for _ in range(mix.hidden):
            made += self._hidden(rng, size)
            labels += [UNDECIDED] * 2
            asked += [CHANGED] * 2
        crops, borders = zip(*made, strict=True)
        return {
            "image": torch.from_numpy(np.stack(crops)),
            "label": torch.tensor(labels),
            "border": torch.from_numpy(np.stack(borders)),
            "question": torch.tensor(asked),
        }

    def _blended(self, rng: np.random.Generator, size: int) -> list[Crop]:
        row = self.pairs.real(rng)
        image, landmarks = self._load(row)
        # Before it is blended, as whoever makes a fake begins with what a camera gave.
        image = Camera.random(rng, self.mix.camera).apply(image)
        donor = self._load(self._alike(rng, landmarks)) if rng.random() < self.mix.donor else None
        blend = Blend.lips(rng) if rng.random() < self.mix.lips else Blend.random(rng)
        fake, mask = blend.blended(image, landmarks, rng, donor)
        faces = [(image, landmarks, row.sample.face_px), (fake, landmarks, row.sample.face_px)]
        crops, cut = self._delivered(rng, size, faces)
        return list(zip(crops, (nowhere(), border(mask, landmarks, cut)), strict=True))

    def _rebuilt(self, rng: np.random.Generator, size: int) -> list[Crop]:
        assert self.rebuild is not None  # __init__ refuses such a mix without
        row = self.pairs.real(rng)
        image, landmarks = self._load(row)
        image = Camera.random(rng, self.mix.camera).apply(image)
        real, fake, mask = self.rebuild.apply(image, landmarks, rng)
        faces = [(made, landmarks, row.sample.face_px) for made in (real, fake)]
        crops, cut = self._delivered(rng, size, faces)
        where = unknown() if mask is None else border(mask, landmarks, cut)
        return list(zip(crops, (nowhere(), where), strict=True))

    def _hidden(self, rng: np.random.Generator, size: int) -> list[Crop]:
        pair = self.pairs.given(rng) if rng.random() < 0.5 else None
        made = self._pair(rng, size, *pair) if pair else self._blended(rng, size)
        blur = float(rng.uniform(*_HIDING)) * size
        hidden = [as_image(cv2.GaussianBlur(crop, (0, 0), blur)) for crop, _ in made]
        return [(crop, unknown()) for crop in hidden]

    def _alike(self, rng: np.random.Generator, landmarks: Floats) -> Stored:
        """Of some real faces the one that looks most in the direction of ``landmarks``."""
        wanted = to_crop(landmarks, alignment(landmarks))
        rows = [self.pairs.real(rng) for _ in range(_CANDIDATES)]
        found = [landmarks_of(row.sample) for row in rows]
        away = [float(np.abs(to_crop(one, alignment(one)) - wanted).sum()) for one in found]
        return rows[int(np.argmin(away))]

    def _pair(self, rng: np.random.Generator, size: int, real: Stored, fake: Stored) -> list[Crop]:
        camera = Camera.random(rng, self.mix.camera)
        faces: list[tuple[Image, Floats, float]] = []
        for row in (real, fake):
            image, landmarks = self._load(row)
            faces.append((camera.apply(image), landmarks, row.sample.face_px))
        crops, _ = self._delivered(rng, size, faces)
        return list(zip(crops, (nowhere(), unknown()), strict=True))

    def _delivered(
        self, rng: np.random.Generator, size: int, faces: list[tuple[Image, Floats, float]]
    ) -> tuple[list[Image], Cut]:
        delivery, cut = Delivery.random(rng, self.mix.harm), Cut.random(rng)
        result: list[Image] = []
        for image, landmarks, face_px in faces:
            image, landmarks = delivery.apply(image, landmarks, face_px, rng)
            result.append(cut.apply(image, landmarks, size))
        return result, cut

    def _load(self, row: Stored) -> tuple[Image, Floats]:
        return self.manifest.image(row), landmarks_of(row.sample)
