"""Frames that show parts of a video: what each shows, and whether all of it is ever shown."""

from __future__ import annotations

import math

from stream_server.protocol import FrameHeader
from stream_server.vision.face_tracker import UNSEEN
from stream_server.vision.types import Frame, Image
from stream_server.vision.views import FoveatedFrame, Sight, View, covers, sight_of


def frame_of(image: Image, header: FrameHeader) -> Frame:
    """The frame that ``image`` (uint8 ``[H, W, 3]``) is, or the one of the parts that it holds."""
    if header.rect is None:
        return Frame(image, header.media_time, header.frame_id)
    height, width = image.shape[:2]
    size = header.rect.video
    views = []
    for part in header.rect.parts:
        left, top, across, down = part.at or (0, 0, width, height)
        piece = image[top : top + down, left : left + across]
        # Rounding takes more of the shorter side.
        scale = across / part.of[2] if across >= down else down / part.of[3]
        views.append(View(piece, part.of[0], part.of[1], scale, covers(*part.of, size)))
    sight = Sight(size, tuple(views))
    return FoveatedFrame(image, header.media_time, header.frame_id, sight=sight)


class WholeWatch:
    """Whether new faces could be seen: that none is told of says nothing where none was looked
    for."""

    def __init__(self) -> None:
        self._since = math.inf

    def note(self, frame: Frame) -> str | None:
        """What is the matter at this frame, if anything is."""
        now = frame.media_time
        if sight_of(frame).whole is not None or now < self._since:
            self._since = now
        if now - self._since <= UNSEEN:
            return None
        return (
            f"no part was the whole video for {UNSEEN:g} seconds: new faces are looked for in the"
            " whole alone"
        )
