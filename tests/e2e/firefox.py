"""Drives an installed Firefox over WebDriver BiDi, with the extension loaded for the session."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from websockets.sync.client import ClientConnection, connect

from tests.support.server import free_port

ADDON = "fakelight@fakelight.invalid"
_SETTINGS = {
    "media.autoplay.default": 0,
    "media.autoplay.blocking_policy": 0,
    "browser.shell.checkDefaultBrowser": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "app.update.enabled": False,
}


def firefox() -> str | None:
    """Path of an installed Firefox."""
    return shutil.which("firefox-esr") or shutil.which("firefox")


class Firefox:
    """One browser session. Tabs are named by their browsing context."""

    def __init__(self, socket: ClientConnection, addon_host: str) -> None:
        self._socket = socket
        self._count = 0
        self.addon = f"moz-extension://{addon_host}"

    def command(self, method: str, params: dict[str, Any] | None = None) -> Any:
        self._count += 1
        message = {"id": self._count, "method": method, "params": params or {}}
        self._socket.send(json.dumps(message))
        while True:
            answer = json.loads(self._socket.recv(timeout=60))
            if answer.get("id") == self._count:
                assert answer["type"] == "success", answer
                return answer["result"]

    def open(self, address: str) -> str:
        """A new tab at ``address``."""
        tab: str = self.command("browsingContext.create", {"type": "tab"})["context"]
        target = {"context": tab, "url": address, "wait": "complete"}
        self.command("browsingContext.navigate", target)
        return tab

    def evaluate(self, tab: str, expression: str) -> Any:
        answer = self.command(
            "script.evaluate",
            {"expression": expression, "target": {"context": tab}, "awaitPromise": True},
        )
        assert answer["type"] == "success", answer["exceptionDetails"]["text"]
        return answer["result"].get("value")


@contextmanager
def launch_firefox(folder: Path, extension: Path) -> Iterator[Firefox]:
    """Start Firefox without a window and load ``extension``."""
    binary = firefox()
    assert binary is not None
    host = str(uuid.uuid4())
    profile = folder / "firefox"
    profile.mkdir(parents=True)
    settings = {**_SETTINGS, "extensions.webextensions.uuids": json.dumps({ADDON: host})}
    lines = [f"user_pref({json.dumps(k)}, {json.dumps(v)});" for k, v in settings.items()]
    (profile / "user.js").write_text("\n".join(lines))
    port = free_port()
    flags = ["--headless", "--no-remote", "--remote-allow-system-access", "--profile", str(profile)]
    with (folder / "firefox.log").open("wb") as log:
        process = subprocess.Popen(
            [binary, *flags, "--remote-debugging-port", str(port)],
            stdout=log,
            stderr=log,
            env={**os.environ, "HOME": str(folder)},
        )
    try:
        with _connect(port) as socket:
            session = Firefox(socket, host)
            session.command("session.new", {"capabilities": {}})
            data = {"type": "path", "path": str(extension)}
            session.command("webExtension.install", {"extensionData": data})
            yield session
    finally:
        process.terminate()
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _connect(port: int) -> ClientConnection:
    end = time.monotonic() + 60
    while True:
        try:
            return connect(f"ws://127.0.0.1:{port}/session", max_size=None)
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.3)
