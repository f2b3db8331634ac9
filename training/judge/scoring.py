"""What a member says about whole videos, under one delivery tier.

Features are computed once per member and tier and kept on disk; every figure (frames, windows of
any length, videos) then follows from them in seconds.
"""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from stream_server.atomic import replacing
from stream_server.vision.types import Floats
from training.arrays import as_floats
from training.augment.delivery import TIERS, Delivery
from training.augment.margin import Cut
from training.data.manifest import Manifest, landmarks_of
from training.data.shards import Sample, Stored
from training.fit.frames_module import as_input
from training.fit.windows import MAX_STEPS, Encode, in_crop
from training.models.registry import Member

WINDOW = 20
STRIDE = 10


@dataclass(frozen=True)
class Followed:
    """One face track, or one picture, as a member sees it: ``[n, D]`` and ``[n, 10]``."""

    sample: Sample
    features: Floats
    landmarks: Floats

    @property
    def fake(self) -> bool:
        return self.sample.label == "fake"

    @property
    def still(self) -> bool:
        return len(self.landmarks) == 1


def encode_with(encoder: nn.Module | None, half: bool = False) -> Encode | None:
    """A function from crops uint8 ``[n, 224, 224, 3]`` to features ``[n, D]``.

    It works on a copy on the GPU where there is one. ``half`` uses bfloat16 on the CPU and float16
    on a GPU.
    """
    if encoder is None:
        return None
    if torch.cuda.is_available():
        encoder = copy.deepcopy(encoder).to("cuda")
    encoder.eval()
    device = next(encoder.parameters()).device
    kind = torch.bfloat16 if device.type == "cpu" else torch.float16

    def encode(crops: NDArray[np.uint8]) -> Floats:
        image = as_input(torch.from_numpy(crops).to(device))
        with torch.inference_mode(), torch.autocast(device.type, kind, enabled=half):
            return as_floats(encoder(image).float().cpu().numpy())

    return encode


def stamp(encoder: nn.Module | None) -> str:
    """A name for exactly these weights: a new training must not read an old one's features."""
    digest = hashlib.sha256()
    for name, value in encoder.state_dict().items() if encoder is not None else ():
        digest.update(name.encode() + value.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()[:12]


def follow(
    manifest: Manifest, encode: Encode | None, out: Path, tier: str = "clean", stills: int = 2500
) -> Iterator[Followed]:
    """Each video's track and up to ``stills`` pictures under ``tier``; kept in ``out``."""
    if tier not in TIERS:
        raise ValueError(f"tier is {tier!r}, it must be one of {', '.join(TIERS)}")
    folder = out / tier
    folder.mkdir(parents=True, exist_ok=True)
    videos = manifest.videos()
    for name, rows in videos.items():
        if len(rows) > 1:
            yield _kept(folder / f"{name}.npz", manifest, rows, encode, TIERS[tier])[0]
    singles = [rows[0] for rows in videos.values() if len(rows) == 1]
    places = np.linspace(0, len(singles) - 1, min(stills, len(singles))).round().astype(int)
    chosen = [singles[int(place)] for place in places]
    for start in range(0, len(chosen), 200):
        part = chosen[start : start + 200]
        yield from _kept(folder / f"stills-{start:06d}.npz", manifest, part, encode, TIERS[tier])


def _kept(
    path: Path, manifest: Manifest, rows: Sequence[Stored], encode: Encode | None, tier: Delivery
) -> list[Followed]:
    keys = np.array([row.sample.key for row in rows])
    if path.exists():
        with np.load(path) as file:
            features, landmarks, known = file["features"], file["landmarks"], file["keys"]
        if len(known) == len(keys) and (known == keys).all():
            return _followed(rows, features, landmarks)
    landmarks = np.zeros((len(rows), 10), np.float32)
    parts: list[Floats] = []
    for start in range(0, len(rows), 32):
        crops = []
        for place, row in enumerate(rows[start : start + 32], start=start):
            rng = np.random.default_rng(place)
            image, points = tier.apply(
                manifest.image(row), landmarks_of(row.sample), row.sample.face_px, rng
            )
            landmarks[place] = in_crop(points, Cut())
            if encode is not None:
                crops.append(Cut().apply(image, points))
        parts.append(encode(np.stack(crops)) if encode is not None else landmarks[:0, :0])
    features = np.concatenate(parts)
    with replacing(path) as part, part.open("wb") as handle:
        np.savez(handle, features=features, landmarks=landmarks, keys=keys)
    return _followed(rows, features, landmarks)


def _followed(rows: Sequence[Stored], features: Floats, landmarks: Floats) -> list[Followed]:
    if len({row.sample.video for row in rows}) == 1:
        return [Followed(rows[0].sample, features, landmarks)]
    return [
        Followed(row.sample, features[n : n + 1], landmarks[n : n + 1])
        for n, row in enumerate(rows)
    ]


def series_of(member: Member, track: Followed) -> Floats:
    """What the member's head takes: features, or landmarks where it has no encoder."""
    return track.landmarks if member.encoder is None else track.features


def window_logits(
    member: Member, track: Followed, window: int = WINDOW, stride: int = STRIDE
) -> NDArray[np.float64]:
    """The logit of each window of ``window`` samples; of the whole track where it is shorter."""
    if not 1 <= window <= MAX_STEPS:
        raise ValueError(f"window is {window}, it must be 1 to {MAX_STEPS}")
    series = series_of(member, track)
    size = min(window, len(series))
    starts = list(range(0, len(series) - size + 1, stride))
    batch = torch.from_numpy(np.stack([series[start : start + size] for start in starts]))
    length = torch.full((len(starts), 1), size, dtype=torch.int32)
    with torch.inference_mode():
        logits: NDArray[np.float64] = member.head(batch, length).flatten().double().numpy()
    return logits


def video_logit(member: Member, track: Followed, window: int = WINDOW) -> float:
    """The mean over the track's windows."""
    return float(window_logits(member, track, window).mean())


def frame_logits(member: Member, track: Followed) -> NDArray[np.float64]:
    """Each sample on its own, as a still picture."""
    return window_logits(member, track, 1, 1)
