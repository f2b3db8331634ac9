"""What a member says about whole videos, under one delivery tier.

Features are computed once per member and tier and kept on disk; every figure (frames, windows of
any length, videos) then follows from them in seconds.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from stream_server.atomic import replacing, sweep
from stream_server.evidence import StreamOptions
from stream_server.looks import looks_due
from stream_server.vision.types import Floats
from training.augment.delivery import TIERS, Delivery
from training.augment.margin import Cut
from training.data.manifest import Manifest, landmarks_of, spread
from training.data.shards import Sample, Stored
from training.models.contract import MAX_STEPS
from training.models.encoding import Encode, encode_with, stamp
from training.models.member import Member

WINDOW = 20
SAMPLE_HZ = StreamOptions().sample_hz  # of what the extract step stores
STRIDE = 10


@dataclass(frozen=True)
class Followed:
    """One face track, or one picture, as a member sees it: ``[n, D]`` and ``[n, 10]``."""

    sample: Sample
    features: Floats
    landmarks: Floats

    @property
    def fake(self) -> bool:
        """Whether the track is labelled fake."""
        return self.sample.label == "fake"

    @property
    def still(self) -> bool:
        """Whether it is a single picture."""
        return len(self.landmarks) == 1


def follow(
    manifest: Manifest,
    encoders: Sequence[tuple[Encode | None, Path]],
    tier: str = "clean",
    stills: int = 2500,
) -> Iterator[list[Followed]]:
    """Each video's track and up to ``stills`` pictures under ``tier``, once for each encoder.

    What an encoder gave is kept in the folder beside it; pictures are read and harmed once for all.
    """
    if tier not in TIERS:
        raise ValueError(f"tier is {tier!r}, it must be one of {', '.join(TIERS)}")
    places = [(encode, folder / tier) for encode, folder in encoders]
    for _, folder in places:
        sweep(folder)
    videos = manifest.videos()
    for name, rows in videos.items():
        if len(rows) > 1:
            yield [one[0] for one in _kept(f"{name}.npz", manifest, rows, places, TIERS[tier])]
    singles = [rows[0] for rows in videos.values() if len(rows) == 1]
    chosen = spread(singles, stills)
    for start in range(0, len(chosen), 200):
        part = chosen[start : start + 200]
        name = f"stills-{start:06d}.npz"
        found = _kept(name, manifest, part, places, TIERS[tier])
        yield from (list(same) for same in zip(*found, strict=True))


def member_views(
    members: Sequence[Member],
    manifest: Manifest,
    cache: Path,
    tier: str = "clean",
    stills: int = 2500,
    half: bool = False,
) -> Iterator[dict[str, Followed]]:
    """Each track as every member's encoder sees it, by the members' names.

    Features are kept below ``cache``, in a folder for each encoder's weights; ``half`` encodes in
    16 bit.
    """
    encoders = [
        (encode_with(one.encoder, half), cache / f"{one.name}-{stamp(one.encoder)}")
        for one in members
    ]
    for views in follow(manifest, encoders, tier, stills):
        yield dict(zip((one.name for one in members), views, strict=True))


def _kept(
    name: str,
    manifest: Manifest,
    rows: Sequence[Stored],
    places: Sequence[tuple[Encode | None, Path]],
    tier: Delivery,
) -> list[list[Followed]]:
    """What each encoder gives for ``rows``, from its file or computed now."""
    keys = np.array([row.sample.key for row in rows])
    found = [_read(folder / name, keys) for _, folder in places]
    missing = [number for number, arrays in enumerate(found) if arrays is None]
    if missing:
        parts: list[list[Floats]] = [[] for _ in places]
        points: list[Floats] = []
        for start in range(0, len(rows), 32):
            crops = []
            for place, row in enumerate(rows[start : start + 32], start=start):
                rng = np.random.default_rng(place)
                image, landmarks = tier.apply(
                    manifest.image(row), landmarks_of(row.sample), row.sample.face_px, rng
                )
                points.append(Cut().points(landmarks))
                crops.append(Cut().apply(image, landmarks))
            for number in missing:
                encode = places[number][0]
                none = np.zeros((0, 0), np.float32)
                parts[number].append(encode(np.stack(crops)) if encode is not None else none)
        for number in missing:
            path = places[number][1] / name
            arrays = np.concatenate(parts[number]), np.stack(points)
            with replacing(path) as part, part.open("wb") as handle:
                np.savez(handle, features=arrays[0], landmarks=arrays[1], keys=keys)
            found[number] = arrays
    return [_followed(rows, *arrays) for arrays in found if arrays is not None]


def _read(path: Path, keys: NDArray[np.str_]) -> tuple[Floats, Floats] | None:
    """Features and landmarks from a file, where it is about the same samples."""
    if not path.exists():
        return None
    with np.load(path) as file:
        features, landmarks, known = file["features"], file["landmarks"], file["keys"]
    same = len(known) == len(keys) and bool((known == keys).all())
    return (features, landmarks) if same else None


def _followed(rows: Sequence[Stored], features: Floats, landmarks: Floats) -> list[Followed]:
    if len({row.sample.video for row in rows}) == 1:
        return [Followed(rows[0].sample, features, landmarks)]
    return [
        Followed(row.sample, features[n : n + 1], landmarks[n : n + 1])
        for n, row in enumerate(rows)
    ]


def series_of(member: Member, tracks: Mapping[str, Followed]) -> list[Floats]:
    """What the member's head takes of one track, given as each member's name to its view of it:
    its own features, those of the members that it reads, or landmarks."""
    if member.reads:
        return [tracks[name].features for name in member.reads]
    own = tracks[member.name]
    return [own.landmarks if member.encoder is None else own.features]


def window_logits(
    member: Member, series: Sequence[Floats], window: int = WINDOW, stride: int = STRIDE
) -> NDArray[np.float64]:
    """The logit of each window of ``window`` samples; of the whole track where it is shorter.

    A member that looks less often gets the samples that it would look at in a face that has its
    first verdict; that it looks at all of them before is left out of account.
    """
    if not 1 <= window <= MAX_STEPS:
        raise ValueError(f"window is {window}, it must be 1 to {MAX_STEPS}")
    count = len(series[0])
    size = min(window, count)
    starts = range(0, count - size + 1, stride)
    places = [_seen(start, size, member.sample_hz) for start in starts]
    longest = max(len(place) for place in places)
    # Padded by the last sample: what lies beyond the length changes nothing.
    padded = np.stack([np.pad(place, (0, longest - len(place)), "edge") for place in places])
    batches = [torch.from_numpy(values[padded]) for values in series]
    length = torch.tensor([[len(place)] for place in places], dtype=torch.int32)
    with torch.inference_mode():
        logits: NDArray[np.float64] = member.head(*batches, length).flatten().double().numpy()
    return logits


def _seen(start: int, size: int, rate: float | None) -> NDArray[np.int64]:
    """Which of ``size`` samples from ``start`` on a member of ``rate`` looks at; a window that
    lies between two looks is judged by its first sample."""
    beats = range(start, start + size)
    if rate is None or rate >= SAMPLE_HZ:
        return np.array(beats)
    due = [looks_due(beat, rate, SAMPLE_HZ) for beat in range(start - 1, start + size)]
    new = [beat for beat, before, now in zip(beats, due, due[1:], strict=False) if now > before]
    return np.array(new or [start])


def video_logit(member: Member, series: Sequence[Floats], window: int = WINDOW) -> float:
    """The mean over the track's windows."""
    return float(window_logits(member, series, window).mean())
