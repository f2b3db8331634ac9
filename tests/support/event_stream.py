"""Reads Server-Sent Events of a server in a thread, and keeps them."""

from __future__ import annotations

import json
import threading
import time
import urllib.request
from collections.abc import Callable
from typing import Any

from tests.support.server import TOKEN, Server


class EventStream:
    """Listens to ``path`` until the server ends it or is killed; ``told`` has what came."""

    def __init__(self, server: Server, path: str) -> None:
        self.told: list[tuple[str, Any]] = []
        request = urllib.request.Request(server.url + path)
        request.add_header("Authorization", f"Bearer {TOKEN}")
        self._answer = urllib.request.urlopen(request, timeout=120)
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def of(self, name: str) -> list[Any]:
        """The payloads of the events of that name."""
        return [payload for event, payload in list(self.told) if event == name]

    def wait_for(self, name: str, fits: Callable[[Any], bool], patience: float = 240.0) -> Any:
        """The first event of that name that fits, which may have come already."""
        until = time.monotonic() + patience
        while time.monotonic() < until:
            for payload in self.of(name):
                if fits(payload):
                    return payload
            assert self._thread.is_alive(), f"the stream ended; it told {self.told}"
            time.sleep(0.05)
        raise AssertionError(f"no {name} that fits within {patience} s; it told {self.told}")

    def close(self) -> None:
        """Wait until the server has ended the stream; killing it does."""
        self._thread.join(60)

    def _read(self) -> None:
        name = ""
        try:
            for line in self._answer:
                text = line.decode().rstrip("\n")
                if text.startswith("event: "):
                    name = text.removeprefix("event: ")
                elif text.startswith("data: "):
                    self.told.append((name, json.loads(text.removeprefix("data: "))))
        except OSError:
            pass
        finally:
            self._answer.close()
