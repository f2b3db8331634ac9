"""Nothing leaves before the person turned it on: toolbar click, site by site, or all sites."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page

from tests.e2e.browser import Extension, ToolbarPopup, wait_for, watch
from tests.e2e.site import Site, video_page
from tests.support.paths import EXTENSION
from tests.support.server import TOKEN, Server

pytestmark = pytest.mark.as_installed

Clip = Callable[[str, str], str]
STYLE = "width:640px;height:360px"


class Ear:
    """A port that counts who connects, in the server's place."""

    def __init__(self) -> None:
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port: int = self.socket.getsockname()[1]
        self.calls = 0
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            self.calls += 1
            connection.close()


@pytest.fixture
def ear() -> Iterator[Ear]:
    listening = Ear()
    yield listening
    listening.socket.close()


def labels(page: Page) -> int:
    view = watch(page).only()
    return len(view.chips) if view else 0


def test_nothing_is_sent_before_a_site_is_turned_on(
    page: Page, site: Site, clip: Clip, extension: Extension, ear: Ear
) -> None:
    extension.store({"server": f"http://127.0.0.1:{ear.port}", "token": TOKEN})
    requests: list[str] = []
    page.context.on("request", lambda request: requests.append(request.url))
    page.goto(site.page("/quiet", video_page(clip("still", "mp4"), STYLE)))
    wait_for("the video", lambda: page.evaluate("v.currentTime > 1 && !v.paused"))
    page.wait_for_timeout(4000)
    assert ear.calls == 0, "the extension called the server"
    assert watch(page).overlays() == []
    # The site itself was asked, nobody else.
    assert all("site.test" in address for address in requests), requests
    began = time.monotonic()
    popup = ToolbarPopup(page.context, extension, page)
    wait_for("the tab's word", lambda: "Not watching this tab" in popup.text())
    page.wait_for_timeout(2000)
    calls = ear.calls
    # At once, and again three seconds after each answer; a browser may knock twice.
    asked = 1 + (time.monotonic() - began) // 3
    assert calls <= 1 + 2 * asked, "the popup asks for the server's state, no more"
    popup.click("#watch")
    wait_for("a call once it is turned on", lambda: ear.calls > calls)


def test_click_on_the_icon_watches_this_tab_alone(
    page: Page, site: Site, clip: Clip, extension: Extension, server: Server
) -> None:
    extension.store({"server": server.url, "token": TOKEN})
    other = page.context.new_page()
    other.goto(site.page("/other", video_page(clip("still", "webm"), STYLE)))
    address = site.page("/clicked", video_page(clip("still", "mp4"), STYLE))
    page.goto(address)
    popup = ToolbarPopup(page.context, extension, page)
    wait_for("the server's state", lambda: "Connected" in popup.text())
    popup.click("#watch")
    wait_for("a label", lambda: labels(page))
    wait_for("the face in the popup", lambda: "1 face in view" in popup.text("#faces"))
    assert popup.text("#watch") == "Stop watching"
    assert popup.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert watch(other).overlays() == []
    other.close()
    # A reload within the site stays watched, as the browser's own permission does.
    page.reload()
    wait_for("a label after a reload", lambda: labels(page))
    popup = ToolbarPopup(page.context, extension, page)
    wait_for("the button", lambda: popup.text("#watch") == "Stop watching")
    popup.click("#watch")
    wait_for("the overlay to go", lambda: watch(page).overlays() == [])
    wait_for("the stream to end", lambda: popup.text("#faces").startswith("Not watching"))


def test_another_site_in_the_same_tab_is_not_watched(
    page: Page, site: Site, clip: Clip, extension: Extension, server: Server
) -> None:
    extension.store({"server": server.url, "token": TOKEN})
    page.goto(site.page("/first", video_page(clip("still", "mp4"), STYLE)))
    popup = ToolbarPopup(page.context, extension, page)
    popup.click("#watch")
    wait_for("a label", lambda: labels(page))
    page.goto(site.address("/first", host="elsewhere.test"))
    wait_for("the video", lambda: page.evaluate("!v.paused && v.currentTime > 1"))
    page.wait_for_timeout(3000)
    assert watch(page).overlays() == []


def test_popup_says_what_is_the_matter(
    page: Page, site: Site, clip: Clip, extension: Extension, ear: Ear, server: Server
) -> None:
    extension.store({"server": server.url, "token": ""})
    page.goto(site.page("/words", "<!doctype html><title>no video</title>"))
    popup = ToolbarPopup(page.context, extension, page)
    wait_for("the state", lambda: "not paired" in popup.text("#server"))
    assert popup.evaluate("!document.querySelector('#pair-line').hidden")
    assert "does not judge sound" in popup.text()
    popup.click("#watch")
    wait_for("the state of the tab", lambda: "until this browser is paired" in popup.text("#faces"))
    popup.evaluate(
        "(() => { const s = document.querySelector('#sensitivity'); s.value = 'alert';"
        " s.dispatchEvent(new Event('change')); })()"
    )
    assert "false alarms" in popup.text("#sensitivity-help")
    own = {"http://site.test": "alert"}
    wait_for("the setting", lambda: extension.stored().get("siteSensitivity") == own)
    extension.store({"siteSensitivity": {}})


def test_pages_of_the_browser_cannot_be_watched(page: Page, extension: Extension) -> None:
    page.goto("chrome://version/")
    popup = ToolbarPopup(page.context, extension, page)
    wait_for("the word", lambda: "not a web page" in popup.text("#faces"))
    assert popup.evaluate("document.querySelector('#watch').disabled")


def test_manifest_asks_for_no_site(extension: Extension) -> None:
    manifest = extension.worker.evaluate("chrome.runtime.getManifest()")
    assert manifest["permissions"] == [
        "activeTab",
        "contextMenus",
        "offscreen",
        "scripting",
        "storage",
        "tabCapture",
    ]
    assert "host_permissions" not in manifest
    assert "content_scripts" not in manifest
    assert (Path(EXTENSION) / "manifest.json").is_file()
