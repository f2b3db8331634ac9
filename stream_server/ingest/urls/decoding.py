"""Which pictures of a live stream need not be decoded at all."""

from __future__ import annotations

from typing import Any, Literal

_SKIPPABLE = 2.5  # frames per sample from which frames that no other frame needs may be left out
_ROOM = 1.25  # samples may lie this much further apart before too much was left out
_AGREEING = 3  # distances between key frames that have to be short before the rest is left out
Skip = Literal["DEFAULT", "NONREF", "NONKEY"]


class DecodeChoice:
    """Sets what a decoder leaves out, from packet to packet.

    Frames that no other frame needs are left out where there are several to each sample; all but
    key frames where those come as often as samples are due, and while we are ``behind``. Only a key
    frame ends that, for what is between needs those that were left out.
    """

    def __init__(self, sample_hz: float, rate: float) -> None:
        self._sample_hz = sample_hz
        self._normal: Skip = "NONREF" if rate >= _SKIPPABLE * sample_hz else "DEFAULT"
        self._now: Skip | None = None
        self._since = 0.0  # the media time of the packet from which on that is so
        self._key_at: float | None = None
        self._close = 0

    def before(self, packet: Any, time: float | None, behind: bool, context: Any) -> None:
        """To be called for each packet before it is decoded; ``time`` is its media time."""
        if packet.is_keyframe and time is not None:
            if self._key_at is not None:
                near = 0 < time - self._key_at <= 1.05 / self._sample_hz
                self._close = self._close + 1 if near else 0
            self._key_at = time
        if behind or self._close >= _AGREEING:
            self._set("NONKEY", time, context)
        elif self._now != "NONKEY" or packet.is_keyframe:
            self._set(self._normal, time, context)

    def decoded(self, before: float, time: float) -> None:
        """A frame of media ``time`` was decoded, and none since ``before``: some encoders need none
        of their frames. What was decoded while more was left out says nothing of that."""
        wide = time - before > _ROOM / self._sample_hz
        if self._now == "NONREF" and wide and before >= self._since:
            self._normal = "DEFAULT"

    def _set(self, skip: Skip, time: float | None, context: Any) -> None:
        if skip != self._now:
            self._now, self._since = skip, time or 0.0
            context.skip_frame = skip
