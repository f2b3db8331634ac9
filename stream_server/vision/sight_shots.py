"""Where shots end in a video of which faces come as cut-outs, and the whole only now and then.

A whole that comes a second after the last one has changed as much by movement as by a cut. What
happens meanwhile is told by the cut-outs, as long as they show the same parts of the video. In a
split screen another shot may begin in some of them only: the faces in the others go on.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from stream_server.vision.shots import Shot, ShotWatch
from stream_server.vision.views import View

_LATE = 0.35  # seconds after which two wholes can no longer be compared


@dataclass(frozen=True, eq=False)
class Change:
    """What a moment is to the one before it.

    ``shot`` holds for all of the video. Where that is the same, ``cut`` are the cut-outs in which
    another shot begins all the same, and ``blank`` those that show no face that could be judged.
    """

    shot: Shot
    cut: tuple[View, ...] = ()
    blank: tuple[View, ...] = ()


class SightShots:
    """Is shown all pictures of each moment, in the order of time."""

    def __init__(self) -> None:
        self._whole = ShotWatch()
        self._whole_time = -np.inf
        self._parts: list[tuple[View, ShotWatch]] = []

    def reset(self) -> None:
        """Forget everything: what comes next starts a shot."""
        self._whole.reset()
        self._whole_time = -np.inf
        self._parts = []

    def see(self, views: list[View], time: float) -> Change:
        """What the moment at ``time`` (seconds) is to the one before."""
        whole = next((view for view in views if view.covers), None)
        shown = self._see_parts([view for view in views if not view.covers], time)
        shot = self._see_whole(whole, time) if whole is not None else None
        if shot is None:
            everywhere = {shot for _, shot in shown}
            shot = everywhere.pop() if len(everywhere) == 1 else Shot.SAME
        if shot is not Shot.SAME:
            return Change(shot)
        cut, blank = (
            tuple(view for view, seen in shown if seen is kind) for kind in (Shot.NEW, Shot.NONE)
        )
        return Change(shot, cut, blank)

    def _see_whole(self, whole: View, time: float) -> Shot | None:
        """``None`` where cut-outs have to tell."""
        late = time - self._whole_time > _LATE
        self._whole_time = time
        if late and self._parts:
            self._whole.reset()
            self._whole.see(whole.image, time)
            return None
        return self._whole.see(whole.image, time)

    def _see_parts(self, parts: list[View], time: float) -> list[tuple[View, Shot]]:
        """What those show that lie where one of the last moment lay."""
        last, self._parts = self._parts, []
        shown = []
        for part in parts:
            watch = next((watch for before, watch in last if part.lies_like(before)), None)
            self._parts.append((part, watch or ShotWatch()))
            seen = self._parts[-1][1].see(part.image, time)
            if watch is not None:
                shown.append((part, seen))
        return shown
