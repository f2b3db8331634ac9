"""Notifications and the sound of a warning, the keyboard, and the offer to check an upload."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.browser import Extension, wait_for, watch
from tests.e2e.overlay_view import Eye
from tests.e2e.site import Site, video_page
from tests.support.server import TOKEN, Server

Clip = Callable[[str, str], str]
STYLE = "width:640px;height:360px"
PATIENCE = 90_000
UPLOAD = """<!doctype html><html lang="en"><meta charset="utf-8"><title>upload</title>
<body><div id="host"></div><script>
  received = [];
  host.attachShadow({ mode: "open" }).innerHTML = '<input type="file" id="f">';
  host.shadowRoot.querySelector("input").addEventListener("change", (event) =>
    received.push(event.target.files[0].name));
</script><video id="v" src="%s" autoplay muted loop></video></body></html>"""


def warned(page: Page) -> bool:
    view = watch(page).only()
    return view is not None and any(chip.verdict == "likely_fake" for chip in view.chips)


def notices(extension: Extension) -> list[str]:
    return sorted(extension.worker.evaluate("chrome.notifications.getAll()"))


@pytest.fixture
def sounds(extension: Extension) -> Any:
    """How often the document that plays has been opened."""
    extension.worker.evaluate(
        """() => { self.opened = 0; const open = chrome.offscreen.createDocument;
        chrome.offscreen.createDocument = (options) => {
            opened++;
            return open.call(chrome.offscreen, options);
        }; }"""
    )
    return lambda: extension.worker.evaluate("opened")


def test_one_notification_and_one_sound_for_a_stretch_and_none_in_quiet_hours(
    page: Page, site: Site, clip: Clip, extension: Extension, sounds: Any
) -> None:
    extension.store({"notify": True, "sound": True})
    try:
        page.goto(site.page("/loud", video_page(clip("couple", "mp4"), STYLE)))
        wait_for("the warning", lambda: warned(page), 60)
        tab = extension.tab_id(page.url)
        first = wait_for("a notification", lambda: notices(extension), 60)
        assert [name.split("-")[:2] for name in first] == [["fake", str(tab)]]
        wait_for("the sound", lambda: sounds() == 1, 60)
        page.evaluate("v.currentTime = 0")
        wait_for("the labels to go", lambda: not warned(page), 60)
        wait_for("the warning again", lambda: warned(page), 60)
        page.reload()
        wait_for("the warning after a reload", lambda: warned(page), 60)
        assert set(notices(extension)) <= set(first) and sounds() == 1  # the system lets it go
        extension.store({"quiet": {"on": True, "from": "00:00", "to": "00:00"}})
        page.goto(site.page("/quiet", video_page(clip("couple", "mp4"), STYLE)))
        wait_for("the warning at night", lambda: warned(page), 60)
        extension.store({"quiet": {"on": False, "from": "00:00", "to": "00:00"}})
        page.goto(site.page("/day", video_page(clip("couple", "mp4"), STYLE)))
        wait_for("another notification", lambda: set(notices(extension)) - set(first), 60)
        wait_for("the second sound", lambda: sounds() == 2, 60)
        contexts = "chrome.runtime.getContexts({ contextTypes: ['OFFSCREEN_DOCUMENT'] })"
        wait_for("the document to go", lambda: extension.worker.evaluate(contexts) == [], 60)
    finally:
        extension.store({"notify": False, "sound": False})
        extension.worker.evaluate(
            "chrome.notifications.getAll().then((all) => Object.keys(all).map((one) =>"
            " chrome.notifications.clear(one)))"
        )
    # No test can hear it: the browser's audio clock went on while it was played.
    page.goto(extension.address("traces/traces.html"))
    assert page.evaluate("import('/notify/chime.js').then((one) => one.chime())") > 0.3


def press(page: Page, extension: Extension, name: str) -> None:
    """No test can press a key that the browser itself takes; the event is what it sends."""
    extension.worker.evaluate(
        """async ([name, address]) => {
            const [tab] = (await chrome.tabs.query({})).filter((one) => one.url === address);
            chrome.commands.onCommand.dispatch(name, tab);
        }""",
        [name, page.url],
    )


def test_keys_turn_watching_off_and_on_and_open_the_list(
    page: Page, site: Site, clip: Clip, extension: Extension
) -> None:
    commands = extension.worker.evaluate("chrome.commands.getAll()")
    known = {one["name"]: one["shortcut"] for one in commands}
    assert known["watch"] == "Alt+Shift+K" and known["list"] == "Alt+Shift+L"
    page.goto(site.page("/keys", video_page(clip("still", "mp4"), STYLE)))
    wait_for("a label", lambda: (view := watch(page).only()) and view.chips, 60)
    press(page, extension, "watch")
    wait_for("the overlay to go", lambda: watch(page).overlays() == [], 60)
    assert extension.stored()["offSites"] == ["http://site.test"]
    press(page, extension, "watch")
    wait_for("a label again", lambda: (view := watch(page).only()) and view.chips, 60)
    with page.context.expect_page(timeout=PATIENCE) as opened:
        press(page, extension, "list")
    expect(opened.value.get_by_role("heading", level=1)).to_have_text("What was flagged")
    opened.value.close()
    extension.store({"offSites": []})
    extension.command({"type": "sync-sites"})


def test_a_video_for_a_page_s_upload_may_be_checked_first(
    page: Page, site: Site, clip: Clip, clip_folder: Path, extension: Extension, server: Server
) -> None:
    page.goto(site.page("/upload", UPLOAD % clip("still", "mp4")))
    eye = watch(page)
    wait_for("a label", lambda: (view := eye.only()) and view.chips, 60)
    field = page.locator("#f")
    video = clip_folder / clip("couple", "mp4").lstrip("/")

    def offer() -> int | None:
        found = Eye(page).by_class("offer")
        return found[0] if found else None

    field.set_input_files(__file__)
    field.set_input_files(video)
    card = wait_for("the offer", offer, 60)
    assert video.name in eye.text(card) and page.evaluate("received") == [
        Path(__file__).name,
        video.name,
    ]
    assert page.evaluate(
        "document.activeElement === document.body || document.activeElement === host"
    )
    with page.context.expect_page(timeout=PATIENCE) as opened:
        eye.click(eye.by_class("check")[0])
    row = opened.value.locator("li.scan.asked")
    expect(row.locator(".name")).to_have_text(video.name, timeout=PATIENCE)
    opened.value.close()
    page.bring_to_front()
    wait_for("the end", lambda: "tab of its own" in eye.text(card), 60)
    eye.click(eye.by_class("close")[0])
    wait_for("the card to go", lambda: not offer(), 60)
    field.set_input_files([])
    field.set_input_files(video)
    wait_for("the offer again", offer, 60)
    eye.click(eye.by_class("never")[0])
    wait_for("the setting", lambda: extension.stored().get("noOffers") == ["http://site.test"], 60)
    field.set_input_files([])
    field.set_input_files(video)
    page.wait_for_timeout(2000)
    assert offer() is None
    extension.store({"noOffers": [], "token": ""})
    field.set_input_files([])
    field.set_input_files(video)
    page.wait_for_timeout(2000)
    assert offer() is None, "without a server there is nothing to offer"
    extension.store({"token": TOKEN, "server": server.url})
