"""A browser in each language: every page speaks it, and no word of it has too little room."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest
from playwright.sync_api import BrowserContext, Page, Playwright, expect

from stream_server.languages import _, speaking
from stream_server.languages.choice import LANGUAGES
from tests.e2e.browser import Extension, extension_with_consent, launch, wait_for, watch
from tests.e2e.site import Site
from tests.support.paths import EXTENSION
from tests.support.scan_media import every, moving_face, write_video
from tests.support.server import TOKEN, Server

BEARER = {"Authorization": f"Bearer {TOKEN}"}
WIDE, PHONE = {"width": 1000, "height": 700}, {"width": 360, "height": 700}
POPUP = {"width": 320, "height": 600}
#: What does not fit into itself, or into the window; what scrolls has room.
CRAMPED = """function () {
  const found = [];
  const scrolls = (one) => ["auto", "scroll"].includes(getComputedStyle(one).overflowX);
  const told = (what, one) =>
    found.push(`${what}: ${one.localName}#${one.id} ${one.textContent.trim().slice(0, 60)}`);
  for (const one of [this, ...this.querySelectorAll("*")]) {
    const shown = one.checkVisibility({ visibilityProperty: true });
    if (!shown || one.closest(".unseen, .spoken, svg, option, input")) continue;
    const { display, overflowX } = getComputedStyle(one);
    const { left, right } = one.getBoundingClientRect();
    let within = one.parentElement;
    while (within && !scrolls(within)) within = within.parentElement;
    const beyond = right > document.documentElement.clientWidth + 1 || left < -1;
    if (!within && beyond) told("out of the window", one);
    if (["inline", "contents"].includes(display) || scrolls(one) || !one.clientWidth) continue;
    if (one.scrollWidth > one.clientWidth + 1) told("too wide", one);
    const cut = overflowX !== "visible" || one.localName === "button";
    if (cut && one.scrollHeight > one.clientHeight + 3) told("too high", one);
  }
  return found;
}"""

#: The signs of every state on videos of some widths: which have too little room, and which lie
#: over the sign below.
SIGNS = """async (widths) => {
  const { Stage } = await import("/overlay/stage.js");
  const { TONES } = await import("/overlay/badge.js");
  const flagged = [{ from: 3592, to: 3607, verdict: "likely_fake" }];
  const memory = { clock: "media", flagVersion: 1, flagged };
  const edges = (one) => one.getBoundingClientRect();
  const found = [];
  for (const width of widths) {
    const stage = new Stage(document, false);
    stage.moveTo({ x: 0, y: 0, width, height: (width * 9) / 16 });
    const { badge, recall, element } = stage.corner;
    for (const state of Object.keys(TONES)) {
      stage.corner.tell(state, "", [], memory);
      if (badge.element.hidden) continue;
      const told = (what) => found.push(`${what} at ${width}: ${badge.text.textContent}`);
      for (const { text } of [badge, recall])
        if (text.scrollHeight > text.clientHeight + 1 || text.scrollWidth > text.clientWidth + 1)
          told(`cut: ${text.textContent}`);
      if (edges(badge.element).bottom > edges(recall.element).top) told("one over the other");
      if (edges(element).right > width) told("beyond the edge");
    }
    stage.host.remove();
  }
  return found;
}"""

#: The same around a picture, where signs are that must not be in it: which have too little room
#: beside it, and which are cut off above or below, where only so much is shown.
OUTSIDE = """async () => {
  const { Stage } = await import("/overlay/stage.js");
  const { TONES } = await import("/overlay/badge.js");
  const { OUTSIDE: room } = await import("/overlay/clear.js");
  const flagged = [{ from: 3592, to: 3607, verdict: "likely_fake" }];
  const memory = { clock: "media", flagVersion: 1, flagged };
  const edges = (one) => one.getBoundingClientRect();
  const found = [];
  for (const side of ["above", "below", "left", "right"]) {
    for (const width of [240, 480, 640]) {
      const stage = new Stage(document, false);
      stage.moveTo({ x: 250, y: 100, width, height: (width * 9) / 16 });
      stage.element.dataset.outside = side;
      const { badge, recall } = stage.corner;
      const { top, bottom } = edges(stage.element);
      for (const state of Object.keys(TONES)) {
        stage.corner.tell(state, "", [], memory);
        if (badge.element.hidden) continue;
        const told = (what) => found.push(`${what} ${side} at ${width}: ${badge.text.textContent}`);
        for (const { element, text } of [badge, recall]) {
          const of = edges(element);
          if (of.top < top - room || of.bottom > bottom + room) told("beyond the room");
          const cut = text.scrollHeight > text.clientHeight + 1;
          if (["left", "right"].includes(side) && cut) told(`cut: ${text.textContent}`);
        }
      }
      stage.host.remove();
    }
  }
  return found;
}"""

#: Where the sign below begins beside where the one above it ends, once the picture is narrower.
NARROWER = """async () => {
  const { Overlay } = await import("/overlay/overlay.js");
  const video = document.createElement("video");
  video.style.cssText = "position: fixed; left: 0; top: 0; width: 1000px; height: 560px";
  document.body.append(video);
  const overlay = new Overlay(video, { sensitivity: "balanced" });
  const flagged = [{ from: 3592, to: 3607, verdict: "likely_fake" }];
  overlay.corner.tell("offered_closed", "", [], { clock: "media", flagVersion: 1, flagged });
  const { badge, recall } = overlay.corner;
  const high = badge.element.offsetHeight;
  video.style.width = "425px";
  overlay.layout();
  const [above, below] = [badge, recall].map(({ element }) => element.getBoundingClientRect());
  const found = [badge.element.offsetHeight > high, below.top - above.bottom];
  overlay.remove();
  video.remove();
  return found;
}"""


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("clip") / "face.mp4"
    return write_video(path, moving_face(), every(10, 3), rate=10).read_bytes()


@pytest.fixture(scope="module", params=LANGUAGES)
def language(request: pytest.FixtureRequest) -> str:
    found: str = request.param
    return found


@pytest.fixture(scope="module")
def browser(
    playwright: Playwright, site: Site, language: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[BrowserContext]:
    folder = tmp_path_factory.mktemp("browser")
    copy = extension_with_consent(folder / "extension")
    with launch(playwright, folder / "profile", site.port, copy, language=language) as context:
        yield context


def scanned(server: Server, clip: bytes, language: str) -> dict[str, Any]:
    """What is told of a scan whose file a browser in ``language`` has sent."""
    headers = BEARER | {"Accept-Language": f"{language}-XX, en;q=0.5"}
    with httpx.Client(base_url=server.url, headers=headers, timeout=60) as client:
        sent = client.post("/v1/scans", files={"file": ("face.mp4", clip)}).json()
        end = time.monotonic() + 240
        while True:
            found: dict[str, Any] = client.get(f"/v1/scans/{sent['id']}").json()
            if found["status"] in ("done", "failed"):
                return found
            assert time.monotonic() < end, "the scan takes too long"
            time.sleep(0.3)


def texts(language: str) -> dict[str, str]:
    """The extension's own, by their keys."""
    path: Path = EXTENSION / "_locales" / language / "messages.json"
    return {key: one["message"] for key, one in json.loads(path.read_text("utf-8")).items()}


def screens(page: Page, extension: Extension, server: Server, scan: str) -> Iterator[str]:
    """Go from one page that people see to the next, each wide and on a phone."""
    places = {
        "welcome": (extension.address("welcome/welcome.html"), "h1"),
        "options": (extension.address("options/options.html"), "h1"),
        "check": (extension.address("check/check.html"), "#trouble:not(:empty)"),
        "popup": (extension.address("popup/popup.html"), "#watch:not(:empty)"),
        "live": (f"{server.url}/", "#server[data-state=ready]"),
        "scan": (f"{server.url}/scan", "li.scan"),
        "monitor": (f"{server.url}/monitor", "#server[data-state=ready]"),
        "report": (f"{server.url}/v1/scans/{scan}/report.html", "h2"),
    }
    for name, (address, there) in places.items():
        page.goto(address)
        page.locator(there).first.wait_for(state="attached")
        page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true })")
        sizes = (POPUP,) if name == "popup" else (WIDE, PHONE)
        for size in sizes:
            page.set_viewport_size(size)
            yield f"{name}-{size['width']}"


def card(page: Page) -> tuple[str, list[str]]:
    """Play the sample on the live page and open the details: what they say, and what is cramped.
    Labels are cut by design where a face is small; a large one has room for the longest."""
    page.locator("#sample").click()
    eye = watch(page)
    wait_for("a label", lambda: (view := eye.only()) and view.chips, 150)
    page.evaluate("video.pause()")  # so that no label moves or goes meanwhile

    def opened() -> str | None:
        view = eye.only()
        if view and view.chips and not view.card:
            eye.click(view.chips[0].node)  # again where it glided on to its place
        return view.card if view else None

    told: str = wait_for("the details", opened, 150, every=1)
    view = eye.only()
    if page.viewport_size == WIDE and view and view.chips:
        assert not eye.is_cut(view.chips[0].node), view.chips[0].label
    return told, eye.within("card", CRAMPED)


def test_every_page_speaks_the_browser_s_language_and_has_room_for_it(
    browser: BrowserContext, server: Server, language: str, clip: bytes
) -> None:
    extension, words = Extension(browser), texts(language)
    extension.everywhere(server.url, TOKEN)
    scan = scanned(server, clip, language)
    page = browser.new_page()
    page.set_default_timeout(120_000)
    page.goto(f"{server.url}/#token={TOKEN}")
    page.locator("#server[data-state=ready]").wait_for()
    cramped: list[str] = []
    for name in screens(page, extension, server, scan["id"]):
        assert page.evaluate("document.documentElement.lang") == language, name
        found = page.evaluate(f"() => ({CRAMPED}).call(document.body)")
        cramped += [f"{name}: {one}" for one in found]
    extension.command({"type": "set-all-sites", "on": False})  # the live page watches by itself
    with speaking(language):
        assert page.title().startswith(_("Fakelight report"))
        assert scan["language"] == language
        for size in (WIDE, PHONE):
            page.set_viewport_size(size)
            page.goto(f"{server.url}/")
            expect(page.locator("#server")).to_contain_text(_("Server ready"))
            told, found = card(page)
            assert words["scope"] in told
            cramped += [f"card-{size['width']}: {one}" for one in found]
    assert cramped == []


def test_what_signs_on_a_video_say_can_be_read_whole(browser: BrowserContext) -> None:
    page = browser.new_page()
    page.goto(Extension(browser).address("options/options.html"))
    assert page.evaluate(SIGNS, [240, 320, 480, 640, 1280]) == []
    assert page.evaluate(OUTSIDE) == []
    page.close()


def test_signs_make_room_for_one_another_on_a_picture_that_gets_narrower(
    browser: BrowserContext,
) -> None:
    page = browser.new_page()
    page.goto(Extension(browser).address("options/options.html"))
    grew, between = page.evaluate(NARROWER)
    page.close()
    assert grew
    assert between == pytest.approx(4, abs=0.5)


def test_what_is_chosen_on_a_page_is_kept_for_all_of_them(
    browser: BrowserContext, server: Server, language: str
) -> None:
    page = browser.new_page()
    page.goto(f"{server.url}/#token={TOKEN}")
    expect(page.locator("#language")).to_have_value(language)
    chosen = "es" if language == "de" else "de"
    page.locator("#language").select_option(chosen)
    with speaking(chosen):
        expect(page.locator("html")).to_have_attribute("lang", chosen)
        page.goto(f"{server.url}/scan")
        expect(page.locator("#drop-title")).to_have_text(_("Drop videos or pictures here"))
        expect(page.locator("#language")).to_have_value(chosen)
    browser.clear_cookies(name="fakelight_language")
    page.close()
