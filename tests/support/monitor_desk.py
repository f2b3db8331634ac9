"""A server with monitors and what a person does at it, and a clip whose colour is the truth."""

from __future__ import annotations

import io
import json
import urllib.error
import urllib.request
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image as Pillow
from prometheus_client.parser import text_string_to_metric_families

from tests.support.scan_media import every, moving_face, write_video
from tests.support.server import TOKEN, Server, start_server
from tests.support.tiny_repository import tiny_repository

_RATE = 15


def greenish_is_real(folder: Path) -> Path:
    """Made-up models that take an untouched face for a fake and a greenish one for real."""
    lines = {"threshold_fake": "0.76", "threshold_real": "0.7"}
    return tiny_repository(folder / "triton_models", parameters=lines)


def looped_clip(folder: Path, real: float, fake: float) -> Path:
    """A face that is real for some seconds, fake for some, and real as long again."""
    face = moving_face()

    def picture(at: float) -> Any:
        if real <= at < real + fake:
            return face(at)
        return (face(at) * np.array([0.6, 1, 0.6])).astype(np.uint8)

    # A reader on a busy machine goes on with the next key frame.
    options = {"preset": "ultrafast", "crf": "20", "g": str(_RATE)}
    folder.mkdir(parents=True, exist_ok=True)
    times = every(_RATE, 2 * real + fake)
    return write_video(folder / "loop.mp4", picture, times, rate=_RATE, options=options)


class Desk:
    """The server plays ``clip`` as a live source; started again, it goes on where it was."""

    def __init__(
        self, folder: Path, models: Path, clip: Path, *arguments: str, **settings: str
    ) -> None:
        self._folder = folder
        self._arguments = ("--models", str(models), *arguments)
        self._settings = {"FAKELIGHT_MONITOR_FILES": str(clip.parent), **settings}
        self.source = f"file://{clip}"
        self.server: Server = self.start()

    def start(self) -> Server:
        """Start it, for the first time or again."""
        self.server = start_server(self._folder, *self._arguments, environment=self._settings)
        return self.server

    def kill(self) -> None:
        """Gone at a blow."""
        self.server.process.kill()
        self.server.process.wait()

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """The JSON of an answer. Raises ``urllib.error.HTTPError`` for an error."""
        data = None if body is None else json.dumps(body).encode()
        with self._open(path, data, method) as answer:
            return json.loads(answer.read() or b"null")

    def metrics(self) -> dict[tuple[str, ...], float]:
        """What ``/metrics`` shows, by the sample's name and its labels' values."""
        with self._open("/metrics") as answer:
            text = answer.read().decode()
        return {
            (sample.name, *sample.labels.values()): sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
        }

    def is_fake_now(self, monitor: str) -> tuple[float, bool] | None:
        """When the newest picture was taken, and the truth about it."""
        try:
            with self._open(f"/v1/monitors/{monitor}/picture.jpg?width=64") as answer:
                at = float(answer.headers["X-Captured-At"])
                red, green, _ = np.asarray(Pillow.open(io.BytesIO(answer.read()))).mean((0, 1))
        except urllib.error.HTTPError as error:
            error.close()
            return None
        return at, bool(red > 0.8 * green)

    def _open(self, path: str, data: bytes | None = None, method: str = "GET") -> Any:
        request = urllib.request.Request(self.server.url + path, data, method=method)
        request.add_header("Authorization", f"Bearer {TOKEN}")
        return urllib.request.urlopen(request, timeout=60)


class Truth:
    """What a monitor was shown and when, as a person at the wall would note it."""

    def __init__(self, desk: Desk, monitor: str) -> None:
        self._desk = desk
        self._monitor = monitor
        self._seen: list[tuple[float, bool]] = []

    def look(self) -> None:
        """Note the newest picture."""
        seen = self._desk.is_fake_now(self._monitor)
        if seen is not None and (not self._seen or seen[0] > self._seen[-1][0]):
            self._seen.append(seen)

    @property
    def real_since(self) -> float:
        """When it was first real: what was fake before that began nobody knows when."""
        return next((at for at, fake in self._seen if not fake), float("inf"))

    def stretch_around(self, moment: float) -> tuple[float, float] | None:
        """The beginning and the end of the fake stretch next to ``moment``, once both were seen."""
        changes = [
            ((before[0] + after[0]) / 2, after[1])
            for before, after in pairwise(list(self._seen))
            if before[1] != after[1]
        ]
        whole = [(began, ended) for (began, fake), (ended, _) in pairwise(changes) if fake]
        return min(whole, key=lambda one: abs(one[0] - moment), default=None)


def assert_none_doubled(incidents: Any) -> None:
    """There is one face: no two of its incidents are at the same time, and one at most is open."""
    for earlier, later in pairwise(sorted(incidents, key=lambda one: one["opened_at"])):
        assert earlier["closed_at"] is not None
        assert earlier["closed_at"] <= later["opened_at"]
