"""Where shots end in a video of which faces come as cut-outs, and the whole only now and then.

A whole that comes a second after the last one has changed as much by movement as by a cut. What
happens meanwhile is told by the largest cut-out, as long as it shows the same part of the video.
"""

from __future__ import annotations

import numpy as np

from stream_server.vision.shots import Shot, ShotWatch
from stream_server.vision.views import View

_LATE = 0.35  # seconds after which two wholes can no longer be compared


class SightShots:
    """Is shown all pictures of each moment, in the order of time."""

    def __init__(self) -> None:
        self._whole = ShotWatch()
        self._whole_time = -np.inf
        self._part = ShotWatch()
        self._seen_part: View | None = None

    def reset(self) -> None:
        """Forget everything: what comes next starts a shot."""
        self._whole.reset()
        self._whole_time = -np.inf
        self._part.reset()
        self._seen_part = None

    def see(self, views: list[View], time: float) -> Shot:
        """What the moment at ``time`` (seconds) is to the one before."""
        whole = next((view for view in views if view.covers), None)
        by_part = self._see_part(views, time)
        if whole is None:
            return by_part
        late = time - self._whole_time > _LATE
        self._whole_time = time
        if late and self._seen_part is not None:
            self._whole.reset()
            self._whole.see(whole.image, time)
            return by_part
        return self._whole.see(whole.image, time)

    def _see_part(self, views: list[View], time: float) -> Shot:
        parts = [view for view in views if not view.covers]
        largest = max(parts, key=lambda view: view.image.size / view.scale**2, default=None)
        if largest is None or self._seen_part is None or not largest.lies_like(self._seen_part):
            self._part.reset()
        self._seen_part = largest
        return Shot.SAME if largest is None else self._part.see(largest.image, time)
