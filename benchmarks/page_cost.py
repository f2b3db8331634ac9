"""What the extension costs in the page's own process, in per cent of one core.

Plays a 640x360 clip at 30 frames per second in Chromium (software rendering), without the
extension, with it but turned off, and with it watching; and the same for a page without any video.
All browsers are open at once and take turns, the videos of the others paused, so that a machine
that changes its pace does so for all. In processor time, so that other work counts little.

Beside the page's process stand the extension's (relay, service worker) and the rest of the browser
(composition, network), since cost that moves there is no cost saved, and the samples that the
server received per second.

    python -m benchmarks.page_cost [--seconds 20] [--repeats 3]
"""

from __future__ import annotations

import argparse
import math
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from statistics import mean

import psutil
from playwright.sync_api import BrowserContext, Page, Playwright, sync_playwright

from tests.e2e import clips
from tests.e2e.browser import Extension, extension_with_consent, launch, wait_for, watch
from tests.e2e.site import Site, video_page
from tests.e2e.streams import frames_received
from tests.support.server import TOKEN, Server, start_server
from tests.support.tiny_repository import tiny_repository

PAGES = ("video", "no video")
WAYS = ("without the extension", "extension off", "extension on")
PARTS = ("page", "extension", "rest")
TEXT = "<!doctype html><title>text</title>" + "<div><p>Some text <b>in</b> a page</p></div>" * 2000


def thirty_per_second(seconds: float = 10) -> Iterator[clips.Picture]:
    """A slowly moving face; written at 30 frames per second."""
    for index in range(round(seconds * 30)):
        left = 180 + 60 * math.sin(2 * math.pi * index / 30 / 8)
        yield clips.scene([(left, 90, 240)])


def processor_seconds(context: BrowserContext) -> dict[str, float]:
    """Processor time that the browser's processes have used so far, by ``PARTS``."""
    assert context.browser is not None
    session = context.browser.new_browser_cdp_session()
    processes = session.send("SystemInfo.getProcessInfo")["processInfo"]
    session.detach()
    used = dict.fromkeys(PARTS, 0.0)
    for one in processes:
        process = psutil.Process(one["id"])
        part = "rest"
        if one["type"] == "renderer":
            part = "extension" if "--extension-process" in process.cmdline() else "page"
        times = process.cpu_times()
        used[part] += times.user + times.system
    return used


@dataclass
class Turn:
    """One browser and what was measured in it, in per cent of a core."""

    kind: str
    way: str
    context: BrowserContext
    page: Page
    used: dict[str, list[float]] = field(default_factory=lambda: {part: [] for part in PARTS})
    samples: list[float] = field(default_factory=list)

    def play(self, on: bool) -> None:
        if self.kind == "video":
            call = "play" if on else "pause"
            self.page.evaluate(f"document.querySelector('video').{call}()")

    def measure(self, server: Server, seconds: float) -> None:
        self.play(True)
        self.page.wait_for_timeout(3000)
        frames, before, start = frames_received(server), processor_seconds(self.context), now()
        self.page.wait_for_timeout(seconds * 1000)
        after, took = processor_seconds(self.context), now() - start
        self.samples.append((frames_received(server) - frames) / took)
        for part in PARTS:
            self.used[part].append(100 * (after[part] - before[part]) / took)
        self.play(False)


def now() -> float:
    return time.monotonic()


def begin(
    playwright: Playwright,
    stack: ExitStack,
    folder: Path,
    site: Site,
    server: str,
    kind: str,
    way: str,
) -> Turn:
    """Open a browser on the page and wait until the extension, where it is on, has labelled."""
    folder.mkdir(parents=True)
    extension = None if way == WAYS[0] else extension_with_consent(folder / "extension")
    context = stack.enter_context(launch(playwright, folder / "profile", site.port, extension))
    if way == WAYS[2]:
        Extension(context).everywhere(server, TOKEN)
    page = context.new_page()
    page.goto(site.address("/video" if kind == "video" else "/text"))
    if way == WAYS[2] and kind == "video":
        eye = watch(page)
        wait_for("a label", lambda: (v := eye.only()) and v.chips)
        eye.session.send("DOM.disable")
        eye.session.detach()
    turn = Turn(kind, way, context, page)
    turn.play(False)
    return turn


def report(turn: Turn, base: Turn) -> str:
    """One line: the page's mean, what it is above ``base`` with its spread, the other parts."""
    page = turn.used["page"]
    more = [mine - other for mine, other in zip(page, base.used["page"], strict=True)]
    spread = f"{mean(more):+.1f}, {min(more):+.1f} to {max(more):+.1f}"
    others = "   ".join(f"{part} {mean(turn.used[part]):4.1f} %" for part in PARTS[1:])
    return (
        f"{turn.kind:9} {turn.way:22} page {mean(page):4.1f} %  ({spread})   {others}"
        f"   {mean(turn.samples):4.1f} samples/s"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as name,
        sync_playwright() as playwright,
        ExitStack() as stack,
    ):
        folder = Path(name)
        clips.FPS = 30
        clips.write(
            folder / "clip.mp4", thirty_per_second(), "libx264", {"preset": "veryfast", "crf": "20"}
        )
        server = start_server(
            folder / "server", "--models", str(tiny_repository(folder / "models"))
        )
        stack.callback(server.stop)
        site = Site(folder)
        stack.callback(site.close)
        site.page("/video", video_page("/clip.mp4", "width:640px;height:360px"))
        site.page("/text", TEXT)
        turns = [
            begin(playwright, stack, folder / f"{row}-{column}", site, server.url, kind, way)
            for row, kind in enumerate(PAGES)
            for column, way in enumerate(WAYS)
        ]
        for repeat in range(options.repeats):
            for turn in turns if repeat % 2 == 0 else reversed(turns):
                turn.measure(server, options.seconds)
        for row in range(len(PAGES)):
            three = turns[row * len(WAYS) : (row + 1) * len(WAYS)]
            for turn in three:
                print(report(turn, three[0]), flush=True)


if __name__ == "__main__":
    main()
