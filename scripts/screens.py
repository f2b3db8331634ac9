"""Takes a picture of every screen in every language: ``python -m scripts.screens [de,es]``.

To be looked at by a person before a release. Light and dark, on a desktop and on a phone, into
``build/screens/``, with a contact sheet for each screen. What fails is named, and the rest is taken
all the same. As with ``scripts.screenshots``, the machine should have nothing else to do.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import httpx2 as httpx
import numpy as np
from playwright.sync_api import BrowserContext, Page, sync_playwright

from scripts.screenshots import ARTICLE, faked_passage, flagged
from stream_server.languages.choice import LANGUAGES
from stream_server.resources import sample_clip
from tests.e2e.browser import (
    Extension,
    ToolbarPopup,
    extension_with_consent,
    launch,
    wait_for,
    watch,
)
from tests.e2e.overlay_view import Eye
from tests.e2e.site import Site
from tests.support.paths import ROOT
from tests.support.server import TOKEN, Server, start_server

OUT = ROOT / "build" / "screens"
SIZES = {"desktop": (1280, 800), "phone": (390, 844)}
SCHEMES = ("light", "dark")
LOOKS = tuple((scheme, size) for size in SIZES for scheme in SCHEMES)
UPLOAD = """<!doctype html><html lang="en"><meta charset="utf-8">
<meta name="viewport" content="width=device-width"><title>Upload</title>
<body style="font:16px sans-serif;margin:24px"><h1>New post</h1><input type="file" id="f">
<p><video src="/sample.mp4" autoplay muted loop style="width:min(640px,90vw)"></video></p>"""
#: The pages take no styles but their own; this is the way that is left to a script.
NO_ADDRESSES = """() => {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync("li.tile .address { visibility: hidden }");
  document.adoptedStyleSheets.push(sheet);
}"""
_PATIENCE = 240.0
_HIGHEST = 2400  # pixels of a long page that are kept


@dataclass
class Walk:
    """One language's way through all screens."""

    language: str
    context: BrowserContext
    extension: Extension
    site: Site
    server: Server
    scan: str
    monitors: list[str]
    client: httpx.Client

    def run(self) -> None:
        """Take all; what fails is told and left out."""
        for take in (
            self.first_steps,
            self.options,
            self.check,
            self.scan_page,
            self.report,
            self.monitor,
            self.live,
            self.on_a_page,
            self.traces,
            self.upload,
        ):
            began = time.monotonic()
            try:
                take()
            except Exception as error:
                print(f"{self.language} {take.__name__}: {type(error).__name__}: {error}"[:300])
            else:
                print(f"{self.language} {take.__name__}: {time.monotonic() - began:.0f} s")

    def opened(self, address: str) -> Page:
        page = self.context.new_page()
        page.set_default_timeout(_PATIENCE * 1000)
        page.set_viewport_size({"width": 1280, "height": 800})
        page.goto(address)
        return page

    def shoot(
        self, page: Page, name: str, before: Callable[[], Any] = lambda: None, whole: bool = False
    ) -> None:
        """In every look; ``before`` each, ``whole`` with what lies below the window."""
        for scheme, size in LOOKS:
            width, height = SIZES[size]
            page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]  # one of SCHEMES
            page.set_viewport_size({"width": width, "height": height})
            page.wait_for_timeout(300)
            before()
            path = OUT / f"{name}-{self.language}-{size}-{scheme}.png"
            page.screenshot(path=path, full_page=whole)

    def first_steps(self) -> None:
        """Also the question whether to let the browser in, on the server's own page."""
        self.extension.store({"server": self.server.url, "token": ""})
        page = self.opened(self.extension.address("welcome/welcome.html"))
        page.locator("#pair").wait_for()
        self.shoot(page, "01-welcome", whole=True)
        own = self.opened(f"{self.server.url}/#token={TOKEN}")
        own.locator("#let-in").wait_for()
        self.shoot(own, "02-pairing-question")
        own.locator("#let-in").click()
        page.locator("#play:enabled").wait_for()
        own.close()
        page.close()
        self.extension.everywhere(self.server.url, TOKEN)

    def options(self) -> None:
        page = self.opened(self.extension.address("options/options.html"))
        page.wait_for_timeout(1500)
        page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true })")
        self.shoot(page, "03-options", whole=True)
        page.close()

    def check(self) -> None:
        page = self.opened(self.extension.address("check/check.html"))
        page.locator("#trouble:not(:empty)").wait_for(state="attached")
        self.shoot(page, "04-check")
        page.close()

    def scan_page(self) -> None:
        page = self.opened(f"{self.server.url}/scan#token={TOKEN}")
        page.locator("li.scan a.report").first.wait_for()
        self.shoot(page, "05-scan", whole=True)
        page.close()

    def report(self) -> None:
        page = self.opened(f"{self.server.url}/v1/scans/{self.scan}/report.html")
        self.shoot(page, "06-report", whole=True)
        page.close()

    def monitor(self) -> None:
        """The wall and an incident; the stream runs meanwhile."""
        studio = self.monitors[0]
        self.client.patch(f"/v1/monitors/{studio}", json={"paused": False})
        page = self.opened(f"{self.server.url}/monitor")
        page.locator("li.tile[data-verdict=likely_fake]").first.wait_for()
        page.wait_for_timeout(4000)
        # Where the sample lies is of no interest to anybody.
        page.evaluate(NO_ADDRESSES)
        self.shoot(page, "07-monitor", whole=True)
        self.client.patch(f"/v1/monitors/{studio}", json={"paused": True})
        page.locator("#incidents > li a").first.click()
        page.locator("#detail-pictures img").first.wait_for()
        page.wait_for_timeout(1500)
        self.shoot(page, "08-incident")
        page.close()

    def live(self) -> None:
        page = self.opened(f"{self.server.url}/")
        self.extension.command({"type": "set-all-sites", "on": False})
        page.reload()
        page.locator("#sample").click()
        eye = watch(page)

        def faked() -> None:
            page.evaluate("window.scrollTo(0, 0)")
            faked_passage(page, partial(flagged, eye))

        self.shoot(page, "09-live", faked)
        page.close()

    def on_a_page(self) -> None:
        """The label, the card and the popup, and what is kept for the list."""
        self.extension.store({"traces": True})
        self.extension.command({"type": "set-all-sites", "on": True})
        page = self.opened(self.site.page("/article.html", ARTICLE))
        eye = watch(page)
        self.shoot(page, "10-label", partial(faked_passage, page, partial(flagged, eye)))

        def with_card() -> None:
            seen = faked_passage(page, partial(flagged, eye))
            if not seen.card:
                eye.click(seen.chips[0].node)
                wait_for("the card", lambda: (now := eye.only()) and now.card, _PATIENCE)
            page.wait_for_timeout(400)

        self.shoot(page, "11-card", with_card)
        page.set_viewport_size({"width": 1280, "height": 800})
        popup = ToolbarPopup(self.context, self.extension, page)
        for scheme in SCHEMES:
            feature = {"name": "prefers-color-scheme", "value": scheme}
            popup.send("Emulation.setEmulatedMedia", {"features": [feature]})
            page.wait_for_timeout(500)
            popup.screenshot(OUT / f"12-popup-{self.language}-desktop-{scheme}.png")
        page.close()

    def traces(self) -> None:
        page = self.opened(self.extension.address("traces/traces.html"))
        page.locator("li.trace").first.wait_for()
        page.wait_for_timeout(800)
        self.shoot(page, "13-traces", whole=True)
        page.close()

    def upload(self) -> None:
        page = self.opened(self.site.page("/upload.html", UPLOAD))
        eye = watch(page)
        wait_for("a label", lambda: (view := eye.only()) and view.chips, _PATIENCE)
        page.locator("#f").set_input_files(sample_clip())
        wait_for("the offer", lambda: Eye(page).by_class("offer"), _PATIENCE)
        page.wait_for_timeout(600)
        self.shoot(page, "14-upload-offer")
        page.close()


def main() -> None:
    """Take them in the languages that are named, else in all, and lay out the sheets."""
    asked = sys.argv[1].split(",") if len(sys.argv) > 1 else list(LANGUAGES)
    OUT.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        folder = Path(name)
        site = Site(folder)
        site.files["/sample.mp4"] = sample_clip()
        settings = {
            "FAKELIGHT_MONITOR_FILES": str(sample_clip().parent),
            "FAKELIGHT_MONITOR_HOSTS": "127.0.0.1",
        }
        server = start_server(folder / "server", environment=settings)
        bearer = {"Authorization": f"Bearer {TOKEN}"}
        client = httpx.Client(base_url=server.url, headers=bearer, timeout=60)
        try:
            monitors = _watched(client)
            for language in asked:
                copy = extension_with_consent(folder / f"extension-{language}")
                profile = folder / f"profile-{language}"
                with launch(playwright, profile, site.port, copy, language=language) as context:
                    scan = _scanned(client, language)
                    parts = Extension(context), site, server, scan, monitors, client
                    Walk(language, context, *parts).run()
                client.delete(f"/v1/scans/{scan}")
        finally:
            client.close()
            server.stop()
            site.close()
    sheets()


def _watched(client: httpx.Client) -> list[str]:
    """One stream with an incident whose evidence is kept, paused again, and one that is away."""
    streams = (
        {"url": sample_clip().as_uri(), "name": "Studio 2", "evidence": True},
        {"url": "rtsp://127.0.0.1:9/live", "name": "Launch pad", "evidence": False},
    )
    made = [client.post("/v1/monitors", json=one).json()["id"] for one in streams]

    def kept() -> bool:
        found = client.get("/v1/incidents?state=closed").json()
        return bool(found) and "clip" in found[0]["evidence"] and "heat" in found[0]["evidence"]

    wait_for("an incident", kept, _PATIENCE, every=1)
    client.patch(f"/v1/monitors/{made[0]}", json={"paused": True})
    return made


def _scanned(client: httpx.Client, language: str) -> str:
    headers = {"Accept-Language": language}
    files = {"file": ("interview.mp4", sample_clip().read_bytes())}
    number: str = client.post("/v1/scans", files=files, headers=headers).json()["id"]
    wait_for(
        "the scan",
        lambda: client.get(f"/v1/scans/{number}").json()["status"] == "done",
        _PATIENCE,
        every=1,
    )
    return number


def sheets() -> None:
    """One picture for each screen: a row for each language, a column for each look."""
    for name in sorted({path.name.rsplit("-", 3)[0] for path in OUT.glob("[0-9]*-*-*-*.png")}):
        rows = []
        for language in LANGUAGES:
            cells = [
                _cell(f"{name}-{language}-{size}-{scheme}.png", size) for scheme, size in LOOKS
            ]
            high = max(cell.shape[0] for cell in cells)
            cells = [
                cv2.copyMakeBorder(
                    cell, 6, high - cell.shape[0] + 6, 6, 6, cv2.BORDER_CONSTANT, value=(128,) * 3
                )
                for cell in cells
            ]
            rows.append(np.hstack(cells))
        path = OUT / f"sheet-{name}.png"
        cv2.imwrite(str(path), np.vstack(rows))
        print(path)


def _cell(name: str, size: str) -> np.ndarray[Any, Any]:
    width = 640 if size == "desktop" else 300
    path = OUT / name
    image = cv2.imread(str(path)) if path.exists() else None
    if image is None:
        return np.full((60, width, 3), 128, np.uint8)
    image = image[:_HIGHEST]
    scale = min(width / image.shape[1], 1.0)
    image = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    return cv2.copyMakeBorder(
        image, 0, 0, 0, width - image.shape[1], cv2.BORDER_CONSTANT, value=(128,) * 3
    )


if __name__ == "__main__":
    main()
