"""What a reader hands over: every word it has to say, and of its pictures the newest."""

from __future__ import annotations

import threading
from collections import deque
from typing import Any, BinaryIO

import numpy as np

from stream_server.ingest.urls.messages import write_message
from stream_server.vision.types import Image


class Outbox:
    """Writes to ``file`` in a thread of its own. A picture goes out when one is wanted; until then
    a newer one takes its place."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._words: deque[dict[str, Any]] = deque()
        self._picture: tuple[dict[str, Any], Image] | None = None
        self._wanted = False
        self._closed = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._write, daemon=True)
        self._thread.start()

    def say(self, **words: Any) -> None:
        """Send a message without a picture."""
        with self._changed:
            self._words.append(words)
            self._changed.notify()

    def offer(self, image: Image, **header: Any) -> None:
        """A new picture, uint8 ``[H, W, 3]``."""
        with self._changed:
            self._picture = (header, image)
            self._changed.notify()

    def drop(self) -> None:
        """The picture that waits is none that should be looked at."""
        with self._changed:
            self._picture = None

    def want(self) -> None:
        """Somebody is ready for a picture."""
        with self._changed:
            self._wanted = True
            self._changed.notify()

    def close(self) -> None:
        """Send what is left to say."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        self._thread.join(5)

    def _write(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(self._ready)
                words = self._words.popleft() if self._words else None
                picture = None
                if words is None and self._picture is not None and self._wanted:
                    picture, self._picture, self._wanted = self._picture, None, False
            try:
                if words is not None:
                    write_message(self._file, words)
                elif picture is not None:
                    header, image = picture
                    height, width = image.shape[:2]
                    size = {"width": width, "height": height}
                    body = np.ascontiguousarray(image).data.cast("B")
                    write_message(self._file, {"type": "frame", **size, **header}, body)
                else:
                    return
            except (OSError, ValueError):
                return  # nobody listens any more; the way down says so too

    def _ready(self) -> bool:
        return bool(self._words or self._closed or (self._wanted and self._picture is not None))
