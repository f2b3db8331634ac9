"""Which way from a content script to a local server is faster: a hidden extension frame that is
handed ArrayBuffers over a MessageChannel, or an offscreen document behind a runtime Port?

Builds a small extension that does both, against an echo server, and prints the time from sending a
frame-sized buffer in the content script to having a short answer back there.

    python -m benchmarks.relay [--frames 300] [--bytes 30000]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import tempfile
import threading
from pathlib import Path
from typing import Any

from playwright.sync_api import sync_playwright
from websockets.asyncio.server import ServerConnection, serve

from tests.e2e.browser import launch
from tests.e2e.site import Site

MANIFEST = {
    "manifest_version": 3,
    "name": "relay bench",
    "version": "1",
    "permissions": ["offscreen", "scripting"],
    "host_permissions": ["http://*/*"],
    "background": {"service_worker": "worker.js"},
    "message_serialization": "structured_clone",
    "content_scripts": [{"matches": ["http://site.test/*"], "js": ["content.js"]}],
    "web_accessible_resources": [{"resources": ["frame.html"], "matches": ["http://*/*"]}],
}
WORKER = """
chrome.offscreen.createDocument({
  url: "offscreen.html", reasons: ["WORKERS"], justification: "owns the socket" });
"""
# The same relay in both places: buffers in, the server's short answer out.
RELAY = """
const relay = (port, post) => {
  const socket = new WebSocket("ws://127.0.0.1:PORT");
  socket.binaryType = "arraybuffer";
  socket.onopen = () => post({ ready: true });
  socket.onmessage = (event) => post(JSON.parse(event.data));
  return (data) => socket.send(data);
};
"""
FRAME = "onmessage = ({ ports: [p] }) => { const send = relay(p, (m) => p.postMessage(m));" + (
    " p.onmessage = (e) => send(e.data); };"
)
OFFSCREEN = "chrome.runtime.onConnect.addListener((p) => {" + (
    " const send = relay(p, (m) => p.postMessage(m)); p.onMessage.addListener((d) => send(d)); });"
)
CONTENT = """
const measure = (post, listen) => new Promise((done) => {
  const times = []; let sent = 0;
  const next = () => {
    const buffer = new Uint8Array(BYTES).fill(7).buffer; sent = performance.now(); post(buffer);
  };
  listen((message) => {
    if (!message.ready) {
      if (message.bytes !== BYTES) return done({ broken: message.bytes });
      times.push(performance.now() - sent);
    }
    if (times.length === FRAMES) done(times); else setTimeout(next, 20);
  });
});
(async () => {
  const frame = document.createElement("iframe");
  frame.src = chrome.runtime.getURL("frame.html");
  const channel = new MessageChannel();
  frame.onload = () => frame.contentWindow.postMessage(0, "*", [channel.port2]);
  document.documentElement.append(frame);
  const byFrame = await measure((b) => channel.port1.postMessage(b, [b]),
    (on) => { channel.port1.onmessage = (e) => on(e.data); });
  const port = chrome.runtime.connect();
  const byOffscreen = await measure((b) => port.postMessage(b),
    (on) => port.onMessage.addListener(on));
  document.title = JSON.stringify({ frame: byFrame, offscreen: byOffscreen });
})();
"""


async def _answer(socket: ServerConnection) -> None:
    async for data in socket:
        await socket.send(json.dumps({"bytes": len(data)}))


class Echo:
    """A WebSocket server in a thread of its own."""

    def __init__(self) -> None:
        self.port = 0
        self._ready = threading.Event()
        threading.Thread(target=lambda: asyncio.run(self._run()), daemon=True).start()
        self._ready.wait()

    async def _run(self) -> None:
        async with serve(_answer, "127.0.0.1", 0) as server:
            self.port = next(iter(server.sockets)).getsockname()[1]
            self._ready.set()
            await asyncio.Future()


def build(folder: Path, port: int, frames: int, size: int) -> Path:
    """Write the extension."""
    folder.mkdir()
    relay = RELAY.replace("PORT", str(port))
    files = {
        "manifest.json": json.dumps(MANIFEST),
        "worker.js": WORKER,
        "frame.html": '<script src="frame.js"></script>',
        "frame.js": relay + FRAME,
        "offscreen.html": '<script src="offscreen.js"></script>',
        "offscreen.js": relay + OFFSCREEN,
        "content.js": CONTENT.replace("BYTES", str(size)).replace("FRAMES", str(frames)),
    }
    for name, text in files.items():
        (folder / name).write_text(text)
    return folder


def measure(frames: int, size: int) -> dict[str, Any]:
    """Milliseconds for each frame, by way."""
    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        folder = Path(name)
        site = Site(folder)
        extension = build(folder / "extension", Echo().port, frames, size)
        with launch(playwright, folder / "profile", site.port, extension) as context:
            page = context.new_page()
            page.goto(site.page("/", "<!doctype html><title>wait</title>"))
            page.wait_for_function("document.title.startsWith('{')", timeout=120_000)
            found: dict[str, Any] = json.loads(page.title())
        site.close()
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frames", type=int, default=300)
    parser.add_argument("--bytes", type=int, default=30_000)
    options = parser.parse_args()
    for way, times in measure(options.frames, options.bytes).items():
        if not isinstance(times, list):
            print(f"{way:10} does not pass {options.bytes} bytes on: {times}")
            continue
        times.sort()
        p95 = times[int(0.95 * len(times))]
        print(f"{way:10} median {statistics.median(times):5.2f} ms   p95 {p95:5.2f} ms")


if __name__ == "__main__":
    main()
