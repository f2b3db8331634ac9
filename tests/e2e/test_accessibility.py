"""Whatever people read and press, by axe's rules of WCAG 2.2 AA: light and dark, at 200 %, with
forced colours and with little motion; and at the keyboard, stop by stop."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from typing import Literal

import httpx2 as httpx
import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.e2e.browser import Extension, ToolbarPopup, wait_for, watch
from tests.e2e.isolated import ContentWorld
from tests.e2e.keyboard import Keyboard, in_order
from tests.e2e.site import Site, video_page
from tests.e2e.test_pairing import digits, shown_so_far
from tests.support.paths import ROOT
from tests.support.scan_media import every, moving_face, write_video
from tests.support.server import TOKEN, Server, free_port

Clip = Callable[[str, str], str]
AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
BEARER = {"Authorization": f"Bearer {TOKEN}"}
WINDOW = {"width": 1000, "height": 700}
AT_200 = {"width": 500, "height": 350}
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
TOLD = ("likely_real", "unsure", "likely_fake")
# What the Tab key comes to, in order.
LOOK_STOPS = [
    "button: Copy: make run",
    "button: Copy: fakelight serve",
    "button: Enter its address",
]
PAIR_STOPS = ["button: Go to the server's page", "textbox: Or with six digits", "button: Pair"]
OPTIONS_STOPS = [
    "textbox: Address",
    "button: Save",
    "button: Forget this pairing",
    "checkbox: Watch videos on all sites",
    "radio: Normal: warns as the server decides. Some real faces will be flagged now and then.",
    "checkbox: Show a notification",
    "checkbox: Play a soft sound",
    "checkbox: Quiet hours: no notification and no sound",
    "button: Open the list of what was flagged",
]
POPUP_STOPS = [
    "button: Stop watching",
    "checkbox: Always on http://site.test",
    "combobox: Sensitivity on site.test",
    "button: What was flagged",
    "button: Settings",
]
SAID = """axe.run(document.querySelector("%s"), {runOnly: %s}).then(
    ({violations}) => violations.map(({id, nodes}) => `${id}: ${nodes.map(({html, any}) =>
        html.slice(0, 120) + " " + any.map(({message}) => message).join()).join(" | ")}`))"""
OVERLAY = "div[popover=manual]"
LEAST_CONTRAST = 4.5  # WCAG 2.2, 1.4.3
# Of every text of the overlay, over black and over white, as WCAG defines it.
CONTRASTS = """(() => {
  const parts = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const over = ([r, g, b, alpha = 1], under) =>
    [r, g, b].map((one, index) => one * alpha + under[index] * (1 - alpha));
  const light = (one) => (one <= 10.31475 ? one / 3294.6 : ((one / 255 + 0.055) / 1.055) ** 2.4);
  const luminance = ([r, g, b]) => 0.2126 * light(r) + 0.7152 * light(g) + 0.0722 * light(b);
  const root = document.querySelector("%s").shadowRoot;
  const texts = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
  const measured = [];
  while (texts.nextNode()) {
    const { parentElement: element, data } = texts.currentNode;
    if (!data.trim() || !element.checkVisibility() || element.closest(".spoken, style")) continue;
    const around = [];
    for (let one = element; one; one = one.parentElement) around.unshift(one);
    for (const ground of [[0, 0, 0], [255, 255, 255]]) {
      const paper = around.reduce(
        (under, one) => over(parts(getComputedStyle(one).backgroundColor), under), ground);
      const ink = over(parts(getComputedStyle(element).color), paper);
      const [dark, bright] = [ink, paper].map(luminance).sort((a, b) => a - b);
      measured.push([data.trim(), (bright + 0.05) / (dark + 0.05)]);
    }
  }
  return measured;
})()"""
MOVING = "document.getAnimations().filter((one) => one.playState === 'running').length"
# To the content script's own eyes alone the overlay's closed shadow root is open: the page's world
# has its own view of the same element.
OPEN_ROOTS = """for (const host of document.querySelectorAll("div[popover=manual]")) {
  const root = chrome.dom.openOrClosedShadowRoot(host);
  if (root?.querySelector(".stage")) Object.defineProperty(host, "shadowRoot", { value: root });
}"""
SEEN = """axe.run(document.querySelector("%s"), {runOnly: %s}).then(({passes}) =>
    passes.flatMap(({id, nodes}) => nodes.map(({html}) => id + " " + html)))"""


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
    found: list[str] = page.evaluate(SAID % ("html", RULES))
    return found


def in_all_looks(page: Page, look: Callable[[], list[str]], narrow: bool = True) -> list[str]:
    """What ``look`` finds amiss in light and dark, with forced colours and at 200 %."""
    found = []
    page.set_viewport_size(WINDOW)
    for scheme in SCHEMES:
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        found += [f"{scheme}: {one}" for one in look()]
    assert page.evaluate(MOVING) == 0, "little motion was asked for"
    # Marks that are colour alone would be gone, what is drawn in SVG must not be.
    page.emulate_media(forced_colors="active")
    found += [f"forced: {one}" for one in look()]
    page.emulate_media(forced_colors="none")
    if narrow:
        page.set_viewport_size(AT_200)
        wide = "document.documentElement.scrollWidth"
        fits = f"all of it within {AT_200['width']} pixels at 200 %"
        wait_for(fits, lambda: page.evaluate(wide) <= AT_200["width"])
        found += [f"200 %: {one}" for one in look()]
        page.set_viewport_size(WINDOW)
    return found


@pytest.mark.parametrize(
    "name", ["options", "popup", "check", "traces", "live", "scan", "monitor", "report"]
)
def test_a_page_is_for_everybody(
    tab: Page, extension: Extension, server: Server, report: str, name: str
) -> None:
    addresses = {
        "options": extension.address("options/options.html"),
        "popup": extension.address("popup/popup.html"),
        "check": extension.address("check/check.html"),
        "traces": extension.address("traces/traces.html"),
        "live": f"{server.url}/",
        "scan": f"{server.url}/scan",
        "monitor": f"{server.url}/monitor",
        "report": report,
    }
    tab.goto(addresses[name])
    tab.locator("h1").first.wait_for()
    if name == "scan":
        tab.locator("li.scan").first.wait_for()
    tab.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true })")
    narrow = name != "popup"  # which the browser makes as wide as it asks for
    assert in_all_looks(tab, lambda: troubles(tab), narrow) == []


def test_the_first_steps_are_for_everybody(tab: Page, extension: Extension, server: Server) -> None:
    extension.store({"server": f"http://127.0.0.1:{free_port()}", "token": ""})
    try:
        tab.goto(extension.address("welcome/welcome.html"))
        keys = Keyboard.of(tab)
        tab.locator("#get").wait_for()
        assert keys.walk() == LOOK_STOPS
        found = [f"look, {one}" for one in in_all_looks(tab, lambda: troubles(tab))]
        # A step that comes takes the focus, so that it is read out.
        before = shown_so_far(server)
        extension.store({"server": server.url})
        tab.locator("#digits-words").filter(has_text="minutes").wait_for()
        assert keys.focused() == "heading: Let this browser in"
        assert keys.walk() == PAIR_STOPS
        found += [f"pair, {one}" for one in in_all_looks(tab, lambda: troubles(tab))]
        tab.fill("#code", digits(server, before))
        tab.locator("#play:enabled").wait_for()
        assert keys.focused() == "heading: See a warning"
        assert keys.press("Tab") == "button: Play the sample"
        tab.evaluate("after.hidden = false")
        found += [f"sample, {one}" for one in in_all_looks(tab, lambda: troubles(tab))]
        keys.press("Enter")
        expect(tab.locator("#sample-note")).to_contain_text("From 0:09 on", timeout=60_000)
        assert found == []
    finally:
        extension.store({"server": server.url, "token": TOKEN})


def test_the_settings_at_the_keyboard(tab: Page, extension: Extension, server: Server) -> None:
    tab.goto(extension.address("options/options.html"))
    expect(tab.locator("#pair-state")).to_contain_text(server.url, timeout=60_000)
    stops = Keyboard.of(tab).walk()
    assert in_order(OPTIONS_STOPS, stops), stops
    assert all(one.split(": ", 1)[1] for one in stops), "every stop has a name"


def test_the_popup_at_the_keyboard(
    tab: Page, browser: BrowserContext, extension: Extension, site: Site
) -> None:
    tab.goto(site.page("/quiet", "<title>quiet</title><p>Nothing plays here."))
    popup = ToolbarPopup(browser, extension, tab)
    popup.send("Emulation.setFocusEmulationEnabled", {"enabled": True})
    stops = Keyboard(popup.send).walk()
    assert in_order(POPUP_STOPS, stops), stops
    assert all(one.split(": ", 1)[1] for one in stops), "every stop has a name"


def test_the_labels_and_details_are_for_everybody(
    tab: Page, extension: Extension, site: Site, clip: Clip
) -> None:
    links = '<a href="#before">Before</a> <a href="#after">After</a>'
    style = "width:100%;max-width:640px"
    tab.set_viewport_size(WINDOW)
    tab.goto(site.page("/labelled", video_page(clip("still", "mp4"), style, links)))
    world, eye, keys = ContentWorld(tab, extension), watch(tab), Keyboard.of(tab)
    wait_for("a verdict", lambda: (v := eye.only()) and v.chips and v.chips[0].verdict in TOLD, 90)
    # A video that stands still keeps its labels, however slow the machine is.
    tab.evaluate("v.pause()")
    # The label is no stop between the page's own links.
    assert keys.walk() == ["link: Before", "link: After"]
    tab.get_by_role("link", name="Before").focus()

    def shortcut() -> str:
        before = keys.focused()
        # Keys of the browser's own are pressed outside of the page, where no test comes to.
        extension.worker.evaluate(
            """async (address) => {
              const tab = (await chrome.tabs.query({})).find(({url}) => url === address);
              chrome.commands.onCommand.dispatch("go-to-label", tab);
            }""",
            tab.url,
        )
        found: str = wait_for(
            "the focus elsewhere", lambda: (now := keys.focused()) != before and now
        )
        return found

    label = shortcut()
    assert re.fullmatch(r"button: (Likely|Leans) \w+,.* Details", label), label
    assert keys.press("Escape") == "link: Before"
    assert shortcut() == label
    assert shortcut() == "link: Before", "the shortcut goes back as well"
    shortcut()
    assert keys.press("Enter") == "button: Close"
    stops = []
    while (stop := keys.press("Tab")) and not stop.startswith("link: "):
        stops.append(stop)
    assert "button: Show where the evidence lies" in stops
    assert all(one.split(": ", 1)[1] for one in stops), "every stop has a name"
    tab.get_by_role("link", name="After").focus()
    assert shortcut() == "button: Close", "to the details, as long as they lie open"
    assert keys.press("Escape") == label
    assert keys.press("Escape") == "link: After"
    shortcut()
    assert keys.press("Enter") == "button: Close"
    world.evaluate(AXE.read_text(encoding="utf-8") + ";0")
    world.evaluate(OPEN_ROOTS)
    seen = " ".join(world.evaluate(SEEN % (OVERLAY, RULES)))
    for part in ('class="chip"', 'class="card"', "Show where the evidence lies"):
        assert part in seen, f"axe has not seen {part}"
    found = in_all_looks(tab, lambda: list(world.evaluate(SAID % (OVERLAY, RULES))))
    # axe cannot tell what lies under the overlay: against the darkest and the brightest that may.
    measured = world.evaluate(CONTRASTS % OVERLAY)
    assert any(words in label for words, _ in measured), measured
    found += [f"{words}: {ratio:.2f}" for words, ratio in measured if ratio < LEAST_CONTRAST]
    assert found == []
    assert (view := eye.only()) is not None and view.card is not None
