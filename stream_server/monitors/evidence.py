"""What is kept to be looked at of an incident: a still, a short clip and a heat map.

Only for monitors that ask for it. Pictures are held as JPEGs for a few seconds, in memory, and
nothing is kept of what is not suspicious.
"""

from __future__ import annotations

import asyncio
import base64
import io
import json
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import av
import cv2
import numpy as np

from stream_server.monitors.incidents import Stretch
from stream_server.monitors.store.incidents import IncidentTable
from stream_server.vision.crop import CROP_SIZE, cut
from stream_server.vision.types import Image

BEFORE, AFTER = 3.0, 4.0  # seconds of a clip around the opening
_SIDE = 1280  # pixels of the longer side that are kept
_QUALITY = 92  # the clip is made from these: less would wipe out what the networks look for
_CRF = "18"


@dataclass(frozen=True)
class _Shot:
    at: float
    jpeg: bytes


@dataclass
class _Pending:
    """An incident whose pictures are being collected."""

    track: int
    since: float
    shots: list[_Shot]
    peak: float = -1.0
    still: _Shot | None = None
    heat: dict[str, Any] | None = None
    over: bool = False


class Evidence:
    """Collects for one monitor. ``explain`` asks for the heat map of a track."""

    def __init__(self, explain: Callable[[int], None]) -> None:
        self._explain = explain
        self._recent: deque[_Shot] = deque()
        self._pending: dict[str, _Pending] = {}

    def saw(self, image: Image, at: float) -> None:
        """Hold a picture that is about to be analysed, ``at`` in seconds; called from a worker."""
        self._recent.append(_Shot(at, jpeg(image)))
        while self._recent[0].at < at - BEFORE:
            self._recent.popleft()

    def judged(self, at: float, changed: Iterable[Stretch], open_now: Iterable[Stretch]) -> None:
        """Take in what the picture of ``at`` has done to the incidents."""
        shots = [shot for shot in tuple(self._recent) if shot.at <= at]
        for stretch in changed:
            if stretch.closed_at is None:
                self._pending[stretch.id] = _Pending(stretch.track, at, shots[:-1])
                self._explain(stretch.track)
            elif stretch.id in self._pending:
                self._pending[stretch.id].over = True
        for stretch in open_now:
            pending = self._pending.get(stretch.id)
            if pending is None or pending.over or not shots:
                continue
            if pending.shots[-1:] != shots[-1:]:
                pending.shots.append(shots[-1])
            if stretch.peak > pending.peak and stretch.suspicious_at == at:
                pending.peak, pending.still = stretch.peak, shots[-1]
            pending.over = at - pending.since >= AFTER

    def explained(self, message: dict[str, Any]) -> None:
        """Take in an ``explanation``."""
        for pending in self._pending.values():
            if pending.track == message["track"]:
                pending.heat = message

    def end(self) -> None:
        """No more pictures come: what has been collected is all there is."""
        for pending in self._pending.values():
            pending.over = True

    async def keep(self, table: IncidentTable) -> None:
        """Write down what is complete; the incidents themselves must be written already."""
        for incident, pending in list(self._pending.items()):
            if pending.over:
                await asyncio.to_thread(_keep, table, incident, pending)
                del self._pending[incident]


def jpeg(image: Image, side: int = _SIDE, quality: int = _QUALITY) -> bytes:
    """A picture, uint8 ``[H, W, 3]``, as a JPEG of at most ``side`` pixels a side."""
    scale = min(side / max(image.shape[:2]), 1.0)
    if scale < 1:
        size = (max(round(image.shape[1] * scale), 1), max(round(image.shape[0] * scale), 1))
        image = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
    encoded = cv2.imencode(
        ".jpg", cv2.cvtColor(image, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, quality]
    )[1]
    return bytes(encoded)


def clip(shots: Sequence[tuple[float, bytes]]) -> bytes:
    """JPEGs with their times in seconds as an MP4 (H.264), the size of the first."""
    out = io.BytesIO()
    first = _picture(shots[0][1])
    height, width = (side - side % 2 for side in first.shape[:2])
    with av.open(out, "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=25, options={"crf": _CRF})
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.codec_context.time_base = Fraction(1, 1000)
        stream.thread_count = 1
        last = -1
        for at, encoded in shots:
            picture = _picture(encoded)
            if picture.shape[0] < height or picture.shape[1] < width:
                continue  # the stream has changed its size
            frame = av.VideoFrame.from_ndarray(
                np.ascontiguousarray(picture[:height, :width]), format="rgb24"
            )
            last = max(last + 1, round((at - shots[0][0]) * 1000))
            frame.pts, frame.time_base = last, Fraction(1, 1000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return out.getvalue()


def _picture(encoded: bytes) -> Image:
    bgr = cv2.imdecode(np.frombuffer(encoded, np.uint8), cv2.IMREAD_COLOR)
    assert bgr is not None  # it is a JPEG of ours
    return np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB), np.uint8)


def _face(picture: Image, corners: Sequence[Sequence[float]]) -> Image:
    """The crop, uint8 ``[224, 224, 3]``, whose ``corners`` are given in fractions of the picture:
    top left, top right, bottom right, bottom left."""
    height, width = picture.shape[:2]
    top_left, top_right, _, bottom_left = np.asarray(corners) * (width, height)
    # As in ``vision.crop.corners``: the outer edges of pixels whose centres are at whole numbers.
    places = np.array([top_left, top_right, bottom_left], np.float32) - 0.5
    square = np.array([[0, 0], [CROP_SIZE, 0], [0, CROP_SIZE]], np.float32) - 0.5
    return cut(picture, np.asarray(cv2.getAffineTransform(places, square), np.float64))


def _keep(table: IncidentTable, incident: str, pending: _Pending) -> None:
    if pending.still is not None:
        table.keep_picture(incident, "still", "image/jpeg", pending.still.jpeg)
    # The heat map is of the picture that the incident opened with.
    explained = next((shot for shot in pending.shots if shot.at == pending.since), None)
    if pending.heat is not None and explained is not None:
        face = jpeg(_face(_picture(explained.jpeg), pending.heat["corners"]))
        shown = f"data:image/jpeg;base64,{base64.b64encode(face).decode()}"
        data = json.dumps({**pending.heat, "face": shown}).encode()
        table.keep_picture(incident, "heat", "application/json", data)
    if pending.shots:
        made = clip([(shot.at, shot.jpeg) for shot in pending.shots])
        table.keep_picture(incident, "clip", "video/mp4", made)
