"""A server that watches looped clips, and its page ``/monitor``."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import httpx2 as httpx
from playwright.sync_api import Locator, Page
from sqlalchemy import delete

from stream_server.monitors.alerts.message import payload
from stream_server.monitors.incidents import Stretch
from stream_server.monitors.store.incidents import IncidentTable
from stream_server.monitors.store.migrate import open_database
from stream_server.monitors.store.tables import Incident
from stream_server.monitors.store.webhook_tables import Delivery
from stream_server.settings import Settings
from tests.e2e import clips
from tests.support.monitored import stretch
from tests.support.server import TOKEN, Server, start_server
from tests.support.tiny_repository import tiny_repository

HEADERS = {"Authorization": f"Bearer {TOKEN}"}


def red_face(seconds: float = 5) -> Iterator[clips.Picture]:
    """A face that sways a little, of a colour that the made-up models take for a fake."""
    head = clips.portrait(240, warm=0.7)
    for index in range(round(seconds * clips.FPS)):
        picture = clips.scene([])
        left = round(200 + 8 * math.sin(2 * math.pi * index / clips.FPS / 5))
        picture[90 : 90 + head.shape[0], left : left + head.shape[1]] = head
        yield picture


class Watching:
    """A server that may play the clips of its folder over and over, and what lies in its database:
    ``face.mp4`` with a suspicious face, ``empty.mp4`` without any, and ``still.mp4``."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        clips.mp4(folder / "face.mp4", red_face())
        clips.mp4(folder / "empty.mp4", clips.empty(4))
        clips.mp4(folder / "still.mp4", clips.still(6))
        tiny_repository(folder / "models", maps=True)
        self.server = self._started()
        self._client = httpx.Client(base_url=self.server.url, headers=HEADERS, timeout=60)
        self._database = open_database(Settings(state_dir=folder / "state"))

    def _started(self, port: int = 0) -> Server:
        files = {"FAKELIGHT_MONITOR_FILES": str(self.folder)}
        environment = {**files, "FAKELIGHT_MONITOR_HOSTS": "127.0.0.1"}
        models = str(self.folder / "models")
        return start_server(self.folder, "--models", models, port=port, environment=environment)

    def come_back(self) -> None:
        """Be there again after ``server.stop()``, at the same address."""
        self.server = self._started(self.server.port)

    def address(self, clip: str) -> str:
        return (self.folder / clip).as_uri()

    def get(self, path: str) -> Any:
        answer = self._client.get(path)
        answer.raise_for_status()
        return answer.json()

    def watch(self, clip: str, **fields: Any) -> str:
        answer = self._client.post("/v1/monitors", json={"url": self.address(clip), **fields})
        answer.raise_for_status()
        return str(answer.json()["id"])

    def put(self, stretches: Iterable[Stretch]) -> None:
        """Write incidents down, as if they had happened."""
        IncidentTable(self._database).save(stretches, None)

    def give_up(self, webhook: str, message: str) -> None:
        """Let a message to ``webhook`` be one that was tried in vain and given up."""
        body = payload("incident.opened", time.time(), {"id": "i1"})
        letter = Delivery(
            webhook=webhook,
            message=message,
            type="incident.opened",
            payload=body,
            state="dead",
            attempts=9,
            next_at=0.0,
            created=time.time(),
            finished=time.time(),
            last_error="the receiver refuses connections",
        )
        with self._database.write() as session:
            session.add(letter)

    def clear(self) -> None:
        for monitor in self.get("/v1/monitors"):
            self._client.delete(f"/v1/monitors/{monitor['id']}")
        for webhook in self.get("/v1/webhooks"):
            self._client.delete(f"/v1/webhooks/{webhook['id']}")
        with self._database.write() as session:
            session.execute(delete(Incident))

    def stop(self) -> None:
        self._client.close()
        self._database.close()
        self.server.stop()


def past(number: int, now: float, **changes: Any) -> Stretch:
    """An incident that was over long ago; the higher its number, the longer."""
    began = now - 3600 * number
    times = {"opened_at": began, "suspicious_at": began + 5, "closed_at": began + 5}
    return stretch(number, **{"monitor": "gone", **times, **changes})


def tile(page: Page, name: str) -> Locator:
    return page.locator("li.tile").filter(has=page.get_by_role("heading", name=name, exact=True))


def rows(page: Page) -> Locator:
    return page.locator("#incidents > li")
