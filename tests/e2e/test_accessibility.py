"""The pages that people read, by axe's rules of WCAG 2.2 AA: light and dark, at 200 %, with forced
colours and with little motion."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import httpx2 as httpx
import pytest
from playwright.sync_api import BrowserContext, Page

from tests.e2e.browser import Extension
from tests.support.paths import ROOT
from tests.support.scan_media import every, moving_face, write_video
from tests.support.server import TOKEN, Server

AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
BEARER = {"Authorization": f"Bearer {TOKEN}"}
WINDOW = {"width": 1000, "height": 700}
AT_200 = {"width": 500, "height": 350}
SAID = """() => axe.run(document, {runOnly: %s}).then(({violations}) => violations.map(
    ({id, nodes}) => `${id}: ${nodes.map(({html, any}) =>
        html.slice(0, 120) + " " + any.map(({message}) => message).join()).join(" | ")}`))"""


@pytest.fixture(scope="module")
def report(server: Server, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The address of the report on a clip with a face, as scanned by the server."""
    clip = write_video(
        tmp_path_factory.mktemp("clip") / "face.mp4", moving_face(), every(10, 3), rate=10
    )
    with httpx.Client(base_url=server.url, headers=BEARER, timeout=60) as client:
        sent = client.post("/v1/scans", files={"file": ("face.mp4", clip.read_bytes())}).json()
        end = time.monotonic() + 120
        while client.get(f"/v1/scans/{sent['id']}").json()["status"] not in ("done", "failed"):
            assert time.monotonic() < end, "the scan takes too long"
            time.sleep(0.3)
    return f"{server.url}/v1/scans/{sent['id']}/report.html"


@pytest.fixture(scope="module")
def tab(browser: BrowserContext, server: Server) -> Iterator[Page]:
    page = browser.new_page()
    page.set_default_timeout(120_000)  # nothing here is about how quick a page is
    page.goto(f"{server.url}/#token={TOKEN}")
    page.locator("#server[data-state=ready]").wait_for()
    yield page
    page.close()


def troubles(page: Page) -> list[str]:
    """What axe finds amiss on the page as it is now."""
    page.evaluate(AXE.read_text(encoding="utf-8") + ";0")
    found: list[str] = page.evaluate(SAID % RULES)
    return found


def looks(page: Page, scheme: Any) -> list[str]:
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    return [f"{scheme}: {one}" for one in troubles(page)]


@pytest.mark.parametrize("name", ["options", "popup", "check", "live", "scan", "report"])
def test_a_page_is_for_everybody(
    tab: Page, extension: Extension, server: Server, report: str, name: str
) -> None:
    addresses = {
        "options": extension.address("options/options.html"),
        "popup": extension.address("popup/popup.html"),
        "check": extension.address("check/check.html"),
        "live": f"{server.url}/",
        "scan": f"{server.url}/scan",
        "report": report,
    }
    tab.set_viewport_size(WINDOW)
    tab.goto(addresses[name])
    tab.locator("h1").first.wait_for()
    if name == "scan":
        tab.locator("li.scan").first.wait_for()
    tab.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true })")
    found = looks(tab, "light") + looks(tab, "dark")
    moving = "document.getAnimations().filter((one) => one.playState === 'running').length"
    assert tab.evaluate(moving) == 0, "little motion was asked for"
    # Forced colours: marks that are colour alone would be gone, what is drawn in SVG must not be.
    tab.emulate_media(forced_colors="active")
    found += [f"forced: {one}" for one in troubles(tab)]
    tab.emulate_media(forced_colors="none")
    if name != "popup":  # which the browser makes as wide as it asks for
        tab.set_viewport_size(AT_200)
        wide = tab.evaluate("document.documentElement.scrollWidth")
        assert wide <= AT_200["width"], f"at 200 % it is {wide} pixels wide"
    assert found == []
