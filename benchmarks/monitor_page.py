"""How soon the page ``/monitor`` shows its incidents when there are many.

Writes incidents into the database of a server that watches nothing, opens the page in Chromium
(software rendering) again and again, and reports milliseconds from the navigation to the frame in
which the newest page of incidents stands painted, beside the size of the page. The first opening
fills the browser's cache and is not counted.

    python -m benchmarks.monitor_page [--incidents 1000] [--repeats 5]
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path
from statistics import median

from playwright.sync_api import Page, sync_playwright

from tests.e2e.browser import chromium, wait_for
from tests.e2e.monitor_site import Watching, past, rows
from tests.support.server import TOKEN

_NOTE_THE_PAINT = """
new MutationObserver((_, watcher) => {
    if (!document.querySelector("#incidents > li")) return;
    watcher.disconnect();
    // The frame after the next one begins once the next one has been painted.
    requestAnimationFrame(() => requestAnimationFrame(() => {
        window.painted = performance.now();
    }));
}).observe(document, { childList: true, subtree: true });
"""


def painted(page: Page, address: str) -> float:
    """Milliseconds from the navigation to the painted list."""
    page.goto(address)
    found = wait_for("the list", lambda: page.evaluate("window.painted"), 60, 0.2)
    return float(found)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--incidents", type=int, default=1000)
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        watching = Watching(Path(folder))
        browser = playwright.chromium.launch(
            executable_path=chromium(), args=["--no-sandbox", "--disable-gpu"]
        )
        try:
            now = time.time()
            watching.put(past(number, now) for number in range(1, options.incidents + 1))
            page = browser.new_page()
            page.add_init_script(_NOTE_THE_PAINT)
            address = f"{watching.server.url}/monitor"
            painted(page, f"{address}#token={TOKEN}")
            page.goto("about:blank")
            times = [painted(page, address) for _ in range(options.repeats)]
            nodes = page.evaluate("document.querySelectorAll('*').length")
            print(
                f"{options.incidents} incidents: painted after {median(times):.0f} ms"
                f" ({min(times):.0f} to {max(times):.0f} in {len(times)}),"
                f" {rows(page).count()} rows, {nodes} elements"
            )
        finally:
            browser.close()
            watching.stop()


if __name__ == "__main__":
    main()
