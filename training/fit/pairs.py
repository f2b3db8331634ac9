"""What stands side by side in a batch: real faces and fakes, drawn by source and method."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from training.data.manifest import Manifest
from training.data.shards import SWAPS, Stored

T = TypeVar("T")
Videos = dict[str, list[Stored]]
# From so many on a data set or method is drawn as often as any other: real people on video, single
# pictures, clips of one maker. Below so many real videos a fake's data set counts as none.
_PEOPLE, _PICTURES, _CLIPS, _ALONE = 12, 1000, 10, 5


@dataclass(frozen=True)
class Mix:
    """Pairs per batch from each stream, and where self-blending takes its real faces from.

    Of ``paired``, ``given``, ``stills`` and ``heads`` a part of a pair is that chance of one; where
    it is not drawn, a blended one stands in its place.
    Raising ``blended`` teaches the blend itself; raising ``given`` and ``stills`` the makers of
    the given fakes; raising ``paired`` live swaps. ``donor`` is the share of blends with another
    person's face, ``harm`` how often delivery harms a picture: at 1 a quarter of the pictures
    show nothing any more, and learning is slow. ``hidden`` pairs are blurred until nobody could
    tell and are to be scored as undecided: what is left then (who it is, the light, the camera) is
    no evidence, and a net that goes by it shifts its scores from source to source. ``camera`` is
    how often a source is given another light and another camera's peculiarities. ``heads`` pairs
    have a fake whose data set holds hardly a real video, as a maker's demo page does, beside a real
    face of any set. ``lips`` is the share of blends that look like a lip-sync net's.
    """

    blended: int = 8
    paired: float = 4
    given: float = 4
    stills: float = 2
    donor: float = 0.25
    harm: float = 0.5
    video_share: float = 0.35
    hidden: int = 0
    camera: float = 0.0
    heads: float = 0
    lips: float = 0.0
    rebuilt: int = 0


class Pairs:
    """Draws (real, fake) pairs from a manifest's training rows.

    Data sets are drawn in equal shares, but for small ones: one of fewer than ``_PEOPLE`` people on
    video, or ``_PICTURES`` single pictures, in proportion. Raises ``ValueError`` without a real
    face.
    """

    def __init__(self, manifest: Manifest, mix: Mix) -> None:
        self.manifest, self.mix = manifest, mix
        self.real_videos: dict[str, Videos] = defaultdict(lambda: defaultdict(list))
        self.real_stills: dict[str, list[Stored]] = defaultdict(list)
        self.fakes: dict[str, Videos] = defaultdict(lambda: defaultdict(list))
        self.heads: dict[str, Videos] = defaultdict(lambda: defaultdict(list))
        self.fake_stills: dict[str, list[Stored]] = defaultdict(list)
        moments: dict[tuple[str, int], dict[str, Stored]] = defaultdict(dict)
        self.originals: dict[str, Stored] = {}
        self.filmed: dict[str, list[list[Stored]]] = defaultdict(list)
        counts = Counter(row.sample.video for row in manifest.rows)
        given: list[Stored] = []
        for row in manifest.rows:
            sample = row.sample
            if sample.pair:
                moments[sample.pair, round(sample.time * 100)][sample.label] = row
            if counts[sample.video] == 1 and not sample.pair:
                if sample.label == "real":
                    self.real_stills[sample.dataset].append(row)
                    if sample.identities:
                        self.originals[sample.identities[0]] = row
                else:
                    self.fake_stills[sample.dataset].append(row)
            elif sample.label == "real":
                videos = self.real_videos[sample.dataset]
                if sample.video not in videos:
                    for identity in sample.identities[:1]:
                        self.filmed[identity].append(videos[sample.video])
                videos[sample.video].append(row)
            elif not sample.pair:
                given.append(row)
        for row in given:
            sample = row.sample
            alone = mix.heads > 0 and len(self.real_videos.get(sample.dataset, ())) < _ALONE
            (self.heads if alone else self.fakes)[sample.method][sample.video].append(row)
        by_pair: dict[str, list[tuple[Stored, Stored]]] = defaultdict(list)
        for (pair, _), both in moments.items():
            if len(both) == 2:
                by_pair[pair].append((both["real"], both["fake"]))
        self.moments = list(by_pair.values())
        if not self.real_videos and not self.real_stills:
            raise ValueError(f"{manifest.root}: no real face to train on, only one class")
        self._people = {
            name: len({who for rows in videos.values() for who in rows[0].sample.identities or (
                rows[0].sample.video,)})
            for name, videos in self.real_videos.items()
        }  # fmt: skip

    def real(self, rng: np.random.Generator, dataset: str | None = None) -> Stored:
        """A real face from a video or a still, of ``dataset`` where it has a video."""
        videos, stills = self.real_videos, self.real_stills
        moving = not stills or (bool(videos) and rng.random() < self.mix.video_share)
        if dataset is not None and dataset in videos:
            name = dataset
        elif moving:
            name = _drawn(rng, {name: min(count, _PEOPLE) for name, count in self._people.items()})
        else:
            name = _drawn(rng, {name: min(len(rows), _PICTURES) for name, rows in stills.items()})
            return pick(rng, stills[name])
        return pick(rng, pick(rng, list(videos[name].values())))

    def given(self, rng: np.random.Generator) -> tuple[Stored, Stored] | None:
        """A fake of one method and a real face beside it: of the person whose picture was changed
        where there is one, or who it is would tell; else of the same data set."""
        if not self.fakes:
            return None
        fake = _of_a_method(rng, self.fakes)
        for identity in fake.sample.identities[:1]:
            if identity in self.filmed:
                return pick(rng, pick(rng, self.filmed[identity])), fake
        return self.real(rng, fake.sample.dataset), fake

    def head(self, rng: np.random.Generator) -> tuple[Stored, Stored] | None:
        """A real face of any data set and a fake whose own set holds hardly a real video."""
        if not self.heads:
            return None
        return self.real(rng), _of_a_method(rng, self.heads, 0.5)

    def still(self, rng: np.random.Generator) -> tuple[Stored, Stored] | None:
        """A fake picture beside its original, or a real one of the same data set."""
        if not self.fake_stills:
            return None
        sizes = {name: len(rows) ** 0.5 for name, rows in self.fake_stills.items()}
        fake = pick(rng, self.fake_stills[_drawn(rng, sizes)])
        for identity in fake.sample.identities:
            if identity in self.originals:
                return self.originals[identity], fake
        same = self.real_stills.get(fake.sample.dataset)
        return pick(rng, same) if same else self.real(rng), fake

    def moment(self, rng: np.random.Generator) -> tuple[Stored, Stored] | None:
        """The real and the fake half of one moment."""
        return pick(rng, pick(rng, self.moments)) if self.moments else None


def pick(rng: np.random.Generator, items: Sequence[T]) -> T:
    """One of ``items``, each as likely as any other."""
    return items[int(rng.integers(len(items)))]


def _drawn(rng: np.random.Generator, weights: Mapping[str, float]) -> str:
    values = np.array(list(weights.values()), np.float64)
    return list(weights)[int(rng.choice(len(values), p=values / values.sum()))]


def is_generated(fake: Stored) -> bool:
    """Whether ``fake`` shows a head that was made as a whole, or driven as one, not a changed face
    in a real picture."""
    return fake.sample.dataset not in SWAPS


def _of_a_method(
    rng: np.random.Generator, methods: Mapping[str, Videos], power: float = 1
) -> Stored:
    """The methods in equal shares, but for those of few videos, which count by their number to
    ``power``: 0 would have one clip learnt by heart, 1 leaves makers of few clips unseen."""
    weights = {name: min(len(videos), _CLIPS) ** power for name, videos in methods.items()}
    return pick(rng, pick(rng, list(methods[_drawn(rng, weights)].values())))
