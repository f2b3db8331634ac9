"""What the extension costs in the page's own process, in per cent of one core.

Plays a 640x360 clip at 30 frames per second in Chromium, without the extension, with it but turned
off, and with it watching; and the same for a page without any video. The extension's own process
(relay, popup, service worker) is not counted.

    python -m benchmarks.page_cost [--seconds 20]
"""

from __future__ import annotations

import argparse
import math
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil
from playwright.sync_api import BrowserContext, Playwright, sync_playwright

from tests.e2e import clips
from tests.e2e.browser import Extension, extension_with_consent, launch, wait_for, watch
from tests.e2e.conftest import TOKEN, start_server
from tests.e2e.site import Site, video_page
from tests.support.tiny_repository import tiny_repository

PAGES = ("video", "no video")
WAYS = ("without the extension", "extension off", "extension on")
TEXT = "<!doctype html><title>text</title>" + "<div><p>Some text <b>in</b> a page</p></div>" * 2000


def thirty_per_second(seconds: float = 10) -> Iterator[clips.Picture]:
    """A slowly moving face; written at 30 frames per second."""
    for index in range(round(seconds * 30)):
        left = 180 + 60 * math.sin(2 * math.pi * index / 30 / 8)
        yield clips.scene([(left, 90, 240)])


def processor_seconds(context: BrowserContext) -> float:
    """Processor time that the pages' processes have used so far, the extension's own left out."""
    assert context.browser is not None
    session = context.browser.new_browser_cdp_session()
    processes = session.send("SystemInfo.getProcessInfo")["processInfo"]
    session.detach()
    used = 0.0
    for one in processes:
        process = psutil.Process(one["id"])
        if one["type"] == "renderer" and "--extension-process" not in process.cmdline():
            times = process.cpu_times()
            used += times.user + times.system
    return used


def cost(
    playwright: Playwright,
    folder: Path,
    site: Site,
    server: str,
    way: str,
    page_kind: str,
    seconds: float,
) -> float:
    """Per cent of a core in the page's process."""
    folder.mkdir(parents=True)
    extension = None
    if way != WAYS[0]:
        extension = extension_with_consent(folder / "extension")
    with launch(playwright, folder / "profile", site.port, extension) as context:
        if way == WAYS[2]:
            Extension(context).everywhere(server, TOKEN)
        page = context.new_page()
        page.goto(site.address("/video" if page_kind == "video" else "/text"))
        if way == WAYS[2] and page_kind == "video":
            eye = watch(page)
            wait_for("a label", lambda: (v := eye.only()) and v.chips)
            eye.session.send("DOM.disable")
            eye.session.detach()
        page.wait_for_timeout(3000)
        start = processor_seconds(context)
        page.wait_for_timeout(seconds * 1000)
        return 100 * (processor_seconds(context) - start) / seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=20)
    seconds = parser.parse_args().seconds
    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        folder = Path(name)
        clips.FPS = 30
        clips.write(
            folder / "clip.mp4", thirty_per_second(), "libx264", {"preset": "veryfast", "crf": "20"}
        )
        server = start_server(folder / "server", tiny_repository(folder / "models"))
        site = Site(folder)
        site.page("/video", video_page("/clip.mp4", "width:640px;height:360px"))
        site.page("/text", TEXT)
        try:
            for kind in PAGES:
                base = None
                for number, way in enumerate(WAYS):
                    place = folder / f"{kind}-{number}".replace(" ", "-")
                    used = cost(playwright, place, site, server.address, way, kind, seconds)
                    base = used if base is None else base
                    print(f"{kind:9} {way:22} {used:5.1f} %   ({used - base:+.1f})", flush=True)
        finally:
            server.stop()
            site.close()


if __name__ == "__main__":
    main()
