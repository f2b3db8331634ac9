"""Small pictures of one face, kept while a file goes by and bounded however long it is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from stream_server.explain.paint import jpeg
from stream_server.face_look import Look
from stream_server.vision.types import Image

SIDE = 168
WHOLE = 3
"""Moments of a face whose whole crops are kept: a crop takes 150 kB."""
_ROOM = 24


@dataclass(frozen=True)
class Shot:
    """A face crop as JPEG bytes, ``time`` in seconds, with its probability or the reasons why it
    was not judged. ``look`` is the whole crop, kept of the most suspicious moments alone."""

    time: float
    jpeg: bytes
    probability: float | None
    reasons: tuple[str, ...] = ()
    look: Look | None = None


class Gallery:
    """Keeps the most suspicious moment of each span of time; the spans grow as the file does."""

    def __init__(self) -> None:
        self._span = 0.5
        self._shots: dict[int, Shot] = {}
        self._refused: dict[int, Shot] = {}

    def add(
        self,
        time: float,
        crop: Image,
        probability: float | None,
        reasons: tuple[str, ...] = (),
        look: Look | None = None,
    ) -> None:
        """Offer a crop, uint8 ``[224, 224, 3]``, and the look that it comes from."""
        shelf = self._refused if probability is None else self._shots
        place = int(time / self._span)
        kept = shelf.get(place)
        if kept is not None and (kept.probability or 0) >= (probability or 0):
            return
        shelf[place] = Shot(time, jpeg(crop, SIDE), probability, reasons, look)
        self._tidy()

    def merge(self, other: Gallery) -> None:
        """Take over the shots of the same face from another reader."""
        self._span = max(self._span, other._span)
        self._shots = _best([*self._shots.values(), *other._shots.values()], self._span)
        self._refused = _best([*self._refused.values(), *other._refused.values()], self._span)
        self._tidy()

    def telling(self, count: int = 6) -> list[Shot]:
        """The most suspicious moments, for comparison the least one, in the order of time.

        Of a face that was never judged, some of the moments that did not pass.
        """
        if not self._shots:
            refused = sorted(self._refused.values(), key=lambda shot: shot.time)
            return refused[:: max(len(refused) // 3, 1)][:3]
        ranked = sorted(self._shots.values(), key=lambda s: s.probability or 0.0, reverse=True)
        chosen = ranked[:count] if len(ranked) <= count else [*ranked[: count - 1], ranked[-1]]
        return sorted(chosen, key=lambda shot: shot.time)

    def suspicious(self) -> list[Shot]:
        """The most suspicious moments whose whole crops were kept, the most suspicious first."""
        kept = [shot for shot in self._shots.values() if shot.look is not None]
        return sorted(kept, key=lambda shot: shot.probability or 0.0, reverse=True)[:WHOLE]

    def change_looks(self, change: Callable[[Look], Look]) -> None:
        """Replace the whole looks that are kept by what ``change`` makes of them."""
        for place, shot in self._shots.items():
            if shot.look is not None:
                self._shots[place] = replace(shot, look=change(shot.look))

    def _tidy(self) -> None:
        while max(len(self._shots), len(self._refused)) > _ROOM:
            self._span *= 2
            self._shots = _best(list(self._shots.values()), self._span)
            self._refused = _best(list(self._refused.values()), self._span)
        whole = [place for place, shot in self._shots.items() if shot.look is not None]
        whole.sort(key=lambda place: self._shots[place].probability or 0.0, reverse=True)
        for place in whole[WHOLE:]:
            self._shots[place] = replace(self._shots[place], look=None)


def _best(shots: list[Shot], span: float) -> dict[int, Shot]:
    kept: dict[int, Shot] = {}
    for shot in shots:
        place = int(shot.time / span)
        if place not in kept or (shot.probability or 0) > (kept[place].probability or 0):
            kept[place] = shot
    return kept
