"""Lasting choices: one site, all sites, all but one. The browser's permissions are given here, for
no test can answer the browser's own question; that they are asked for is the extension's part."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page

from tests.e2e.browser import Extension, ToolbarPopup, wait_for, watch
from tests.e2e.overlay_view import Eye
from tests.e2e.site import Site, video_page
from tests.support.server import TOKEN, Server

Clip = Callable[[str, str], str]
STYLE = "width:640px;height:360px"


@pytest.fixture(autouse=True)
def nothing_on(extension: Extension, server: Server) -> Iterator[None]:
    """Start from a paired extension that is on nowhere."""
    extension.store(
        {
            "server": server.url,
            "token": TOKEN,
            "onSites": [],
            "offSites": [],
            "sensitivity": "normal",
            "siteSensitivity": {},
        }
    )
    extension.command({"type": "set-all-sites", "on": False})
    yield
    extension.store({"onSites": [], "offSites": [], "sensitivity": "normal"})
    extension.command({"type": "set-all-sites", "on": True})


def labelled(eye: Eye) -> bool:
    view = eye.only()
    return view is not None and bool(view.chips)


def quiet(page: Page) -> bool:
    """A while on a page with a playing video, and no overlay."""
    wait_for("the video", lambda: page.evaluate("!v.paused && v.currentTime > 1"))
    page.wait_for_timeout(3000)
    return watch(page).overlays() == []


def test_site_turned_on_stays_on_and_others_stay_off(
    page: Page, site: Site, clip: Clip, extension: Extension
) -> None:
    page.goto(site.page("/lasting", video_page(clip("still", "mp4"), STYLE)))
    popup = ToolbarPopup(page.context, extension, page)
    wait_for("the name of the site", lambda: "http://site.test" in popup.text("#site-label"))
    popup.click("#site")
    wait_for("a label", lambda: labelled(watch(page)))
    assert extension.stored()["onSites"] == ["http://site.test"]
    later = page.context.new_page()
    later.goto(site.address("/lasting"))
    wait_for("a label in a new tab", lambda: labelled(watch(later)))
    later.goto(site.address("/lasting", host="elsewhere.test"))
    assert quiet(later)
    later.close()
    popup = ToolbarPopup(page.context, extension, page)
    wait_for("the switch", lambda: popup.evaluate("document.querySelector('#site').checked"))
    popup.click("#site")
    wait_for("the overlay to go", lambda: watch(page).overlays() == [])
    page.reload()
    assert quiet(page)


def test_all_sites_but_one(page: Page, site: Site, clip: Clip, extension: Extension) -> None:
    extension.command({"type": "set-all-sites", "on": True})
    page.goto(site.page("/all", video_page(clip("still", "mp4"), STYLE)))
    wait_for("a label", lambda: labelled(watch(page)))
    popup = ToolbarPopup(page.context, extension, page)
    wait_for("the button", lambda: popup.text("#watch") == "Stop watching")
    popup.click("#watch")
    wait_for("the overlay to go", lambda: watch(page).overlays() == [])
    assert extension.stored()["offSites"] == ["http://site.test"]
    page.reload()
    assert quiet(page)
    page.goto(site.address("/all", host="elsewhere.test"))
    wait_for("a label elsewhere", lambda: labelled(watch(page)))


def test_options_page_turns_all_sites_on_and_lists_the_others(
    page: Page, site: Site, clip: Clip, extension: Extension
) -> None:
    extension.store({"onSites": ["http://listed.test"]})
    page.goto(extension.address("options/options.html"))
    page.get_by_text("On: http://listed.test").wait_for()
    page.get_by_role("button", name="Remove").click()
    page.get_by_text("On: http://listed.test").wait_for(state="detached")
    assert extension.stored()["onSites"] == []
    page.get_by_label("Watch videos on all sites").check()
    wait_for("the setting", lambda: extension.stored()["allSites"])
    page.goto(site.page("/by-options", video_page(clip("still", "mp4"), STYLE)))
    wait_for("a label", lambda: labelled(watch(page)))


def test_sensitivity_moves_the_line_at_once(
    page: Page, site: Site, clip: Clip, extension: Extension
) -> None:
    """The made-up model calls the portrait likely fake: `calm` waits three seconds to repeat it. A
    site's own choice is above the one for everywhere."""
    extension.store({"siteSensitivity": {"http://site.test": "calm"}})
    extension.command({"type": "set-all-sites", "on": True})
    page.goto(site.page("/calm", video_page(clip("couple", "mp4"), STYLE)))
    eye = watch(page)

    def verdicts() -> set[str]:
        view = eye.only()
        return {chip.verdict for chip in view.chips} if view else set()

    page.evaluate("v.playbackRate = 0.25")  # the three seconds are the video's own
    assert "likely_fake" not in wait_for(
        "a doubt first", lambda: "unsure" in (v := verdicts()) and v
    )
    # Nor a figure that the warning would have: "unsure, 89 %" is said of nothing.
    view = eye.only()
    labels = [chip.label for chip in view.chips if chip.verdict == "unsure"] if view else []
    assert not any("%" in label for label in labels), labels
    page.evaluate("v.playbackRate = 1")
    wait_for("the warning later", lambda: "likely_fake" in verdicts())
    page.evaluate("v.currentTime = 6; v.playbackRate = 0.25")
    wait_for("a doubt again", lambda: verdicts() == {"unsure"})
    page.evaluate("v.playbackRate = 0.1")
    extension.store({"siteSensitivity": {}})
    extension.command({"type": "sensitivity"})
    wait_for("the warning at once", lambda: "likely_fake" in verdicts())
    assert 6 <= page.evaluate("v.currentTime") < 9, "no sooner than `calm` would have said it"
