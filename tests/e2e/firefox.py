"""Drives an installed Firefox over WebDriver BiDi, with the extension loaded for the session."""

from __future__ import annotations

import base64
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

from tests.e2e.browser import WELCOME
from tests.support.server import free_port

ADDON = "fakelight@fakelight.invalid"
_SETTINGS = {
    "media.autoplay.default": 0,
    "media.autoplay.blocking_policy": 0,
    "browser.shell.checkDefaultBrowser": False,
    "browser.startup.page": 0,
    "browser.newtabpage.enabled": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "app.update.enabled": False,
    "security.notification_enable_delay": 0,  # of the buttons in the browser's own questions
    "network.dns.localDomains": "site.test,player.test,media.test,third.test",
    # A made-up camera, without a question, for pages of any origin.
    "media.navigator.streams.fake": True,
    "media.navigator.permission.disabled": True,
    "media.devices.insecure.enabled": True,
    "media.getusermedia.insecure.enabled": True,
}


def firefox() -> str | None:
    """Path of an installed Firefox."""
    return shutil.which("firefox-esr") or shutil.which("firefox")


class Firefox:
    """One browser session. Tabs and the frames in them are named by their browsing context."""

    def __init__(self, socket: ClientConnection, addon_host: str) -> None:
        self._socket = socket
        self._count = 0
        self._window = ""
        self.addon = f"moz-extension://{addon_host}"

    def command(self, method: str, params: dict[str, Any] | None = None) -> Any:
        self._count += 1
        message = {"id": self._count, "method": method, "params": params or {}}
        self._socket.send(json.dumps(message))
        while True:
            answer = json.loads(self._socket.recv(timeout=120))
            if answer.get("id") == self._count:
                assert answer["type"] == "success", answer
                return answer["result"]

    def open(self, address: str) -> str:
        """A new tab at ``address``, in front."""
        tab: str = self.command("browsingContext.create", {"type": "tab"})["context"]
        self.go(tab, address)
        return tab

    def go(self, tab: str, address: str) -> None:
        target = {"context": tab, "url": address, "wait": "complete"}
        self.command("browsingContext.navigate", target)

    def close(self, tab: str) -> None:
        self.command("browsingContext.close", {"context": tab})

    def frames(self, tab: str) -> list[str]:
        """The web's frames in the tab's page, and in them; none of the extension's own."""
        waiting = self.command("browsingContext.getTree", {"root": tab})["contexts"]
        found = []
        while waiting:
            children = waiting.pop(0)["children"]
            waiting += [one for one in children if one["url"].startswith("http")]
            found += [one["context"] for one in children if one["url"].startswith("http")]
        return found

    def tabs(self) -> dict[str, str]:
        """The address of every tab, by its context."""
        found = self.command("browsingContext.getTree", {"maxDepth": 0})["contexts"]
        return {one["context"]: one["url"] for one in found}

    def evaluate(self, context: str, expression: str) -> Any:
        return self._value(
            "script.evaluate",
            {"expression": expression, "target": {"context": context}, "awaitPromise": True},
        )

    def find(self, context: str, expression: str) -> list[dict[str, Any]]:
        """The elements that ``expression`` gives, as the protocol describes them."""
        options = {"includeShadowTree": "all", "maxDomDepth": 0}
        answer = self.command(
            "script.evaluate",
            {
                "expression": expression,
                "target": {"context": context},
                "awaitPromise": False,
                "serializationOptions": options,
            },
        )
        assert answer["type"] == "success", answer["exceptionDetails"]["text"]
        found: list[dict[str, Any]] = answer["result"]["value"]
        return found

    def call(self, context: str, function: str, node: str) -> Any:
        """The JSON that ``function`` makes of a node."""
        text = self._value(
            "script.callFunction",
            {
                "functionDeclaration": f"(node) => JSON.stringify(({function})(node))",
                "arguments": [{"sharedId": node}],
                "target": {"context": context},
                "awaitPromise": False,
            },
        )
        return json.loads(text)

    def click(self, context: str, selector: str) -> None:
        """A person's click, which may ask for permissions."""
        [node] = self.find(context, f"[document.querySelector({json.dumps(selector)})]")
        origin = {"type": "element", "element": {"sharedId": node["sharedId"]}}
        actions = [
            {"type": "pointerMove", "x": 0, "y": 0, "origin": origin},
            {"type": "pointerDown", "button": 0},
            {"type": "pointerUp", "button": 0},
        ]
        mouse = {"type": "pointer", "id": "mouse", "actions": actions}
        self.command("input.performActions", {"context": context, "actions": [mouse]})

    def window(self, expression: str) -> Any:
        """Run ``expression`` in the browser's own window, around the pages."""
        if not self._window:
            trees = self.command("browsingContext.getTree", {"moz:scope": "chrome"})["contexts"]
            self._window = trees[0]["context"]
        return self.evaluate(self._window, expression)

    def screenshot(self, tab: str) -> bytes:
        """The tab's page as PNG."""
        shot = self.command("browsingContext.captureScreenshot", {"context": tab})
        return base64.b64decode(shot["data"])

    def _value(self, method: str, params: dict[str, Any]) -> Any:
        answer = self.command(method, params)
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
            session.close(_welcome(session))
            yield session
    finally:
        process.terminate()
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _welcome(session: Firefox) -> str:
    """The tab that the extension opens by itself, once it is installed."""
    end = time.monotonic() + 90
    while time.monotonic() < end:
        found = [one for one, url in session.tabs().items() if url.endswith(WELCOME)]
        if found:
            return found[0]
        time.sleep(0.1)
    raise AssertionError("the extension opened no page of the first steps")


def _connect(port: int) -> ClientConnection:
    end = time.monotonic() + 120
    while True:
        try:
            return connect(f"ws://127.0.0.1:{port}/session", max_size=None)
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.3)
