"""Whether a feed leaves anything behind: what the page's process holds over minutes of it.

Goes on to another clip every two seconds in Chromium, with the extension watching. Every half
minute the garbage is collected and counted what is left in the page (heap, nodes, listeners), and
the memory of the page's and the extension's processes. The same page without the extension stands
beside it, since a feed grows by itself. The layout's shifts are counted too.

    python -m benchmarks.feed [--minutes 10]
"""

from __future__ import annotations

import argparse
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

import psutil
from playwright.sync_api import BrowserContext, CDPSession, Page, Playwright, sync_playwright

from tests.e2e import clips
from tests.e2e.browser import Extension, extension_with_consent, launch
from tests.e2e.feed_site import feed_page
from tests.e2e.site import Site
from tests.support.server import TOKEN, start_server
from tests.support.tiny_repository import tiny_repository

LOOK_S = 30.0
CLIP_S = 2.0
COUNTED = ("JSHeapUsedSize", "Nodes", "JSEventListeners", "Documents")


def memory_mb(context: BrowserContext, extension: bool) -> float:
    """Memory of the renderers' own, of pages or of the extension, in MB."""
    assert context.browser is not None
    session = context.browser.new_browser_cdp_session()
    processes = session.send("SystemInfo.getProcessInfo")["processInfo"]
    session.detach()
    total = 0.0
    for one in processes:
        if one["type"] == "renderer":
            process = psutil.Process(one["id"])
            if ("--extension-process" in process.cmdline()) == extension:
                total += process.memory_full_info().uss / 1e6
    return total


def counts(session: CDPSession) -> dict[str, float]:
    """What the page holds once the garbage is gone."""
    for _ in range(3):
        session.send("HeapProfiler.collectGarbage")
    found = session.send("Performance.getMetrics")["metrics"]
    return {one["name"]: one["value"] for one in found}


def begin(
    playwright: Playwright, stack: ExitStack, folder: Path, site: Site, server: str | None
) -> tuple[str, BrowserContext, Page, CDPSession]:
    """Open the feed in a browser of its own, with the extension where ``server`` is given."""
    folder.mkdir()
    copy = extension_with_consent(folder / "extension") if server else None
    context = stack.enter_context(launch(playwright, folder / "profile", site.port, copy))
    if server:
        Extension(context).everywhere(server, TOKEN)
    page = context.new_page()
    page.goto(site.address("/feed"))
    session = context.new_cdp_session(page)
    session.send("Performance.enable")
    return "watched" if server else "alone", context, page, session


def line(
    name: str, context: BrowserContext, page: Page, session: CDPSession, minutes: float
) -> str:
    """What one browser holds now."""
    found = counts(session)
    heap, nodes, listeners, documents = (found[key] for key in COUNTED)
    own = f"page {memory_mb(context, False):5.0f} MB, extension {memory_mb(context, True):4.0f} MB"
    return (
        f"{minutes:5.1f} min  {name:8} heap {heap / 1e6:5.2f} MB  nodes {nodes:5.0f}  "
        f"listeners {listeners:4.0f}  documents {documents:2.0f}  {own}  "
        f"clips {page.evaluate('at'):4}  shifts {page.evaluate('shifts.length')}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10)
    options = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as name,
        sync_playwright() as playwright,
        ExitStack() as stack,
    ):
        folder = Path(name)
        clips.mp4(folder / "a.mp4", clips.walking())
        clips.mp4(folder / "b.mp4", clips.flagged())
        models = tiny_repository(folder / "models")
        server = start_server(folder / "server", "--models", str(models))
        stack.callback(server.stop)
        site = Site(folder)
        stack.callback(site.close)
        site.page("/feed", feed_page([f"/{'ab'[n % 2]}.mp4?id={n}" for n in range(50)]))
        browsers = [
            begin(playwright, stack, folder / kind, site, server.url if kind == "on" else None)
            for kind in ("on", "off")
        ]
        start = looked = time.monotonic()
        while time.monotonic() - start < 60 * options.minutes:
            for _, _, page, _ in browsers:
                page.evaluate("next()")
            browsers[0][2].wait_for_timeout(1000 * CLIP_S)
            if time.monotonic() - looked >= LOOK_S:
                looked = time.monotonic()
                for one in browsers:
                    print(line(*one, (looked - start) / 60), flush=True)
        for name, _, page, _ in browsers:
            for shift in page.evaluate("shifts"):
                print(f"{name}: a shift of {shift}")


if __name__ == "__main__":
    main()
