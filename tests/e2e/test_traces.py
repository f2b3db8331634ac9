"""The list of what was flagged: from the video to the list, a report, and the server's mistakes."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2 as httpx
from playwright.sync_api import Page, expect

from tests.e2e.browser import Extension, wait_for, watch
from tests.e2e.site import Site, video_page
from tests.e2e.test_accessibility import in_all_looks, troubles
from tests.support.server import TOKEN, Server

Clip = Callable[[str, str], str]
STYLE = "width:640px;height:360px"
PATIENCE = 90_000
BEARER = {"Authorization": f"Bearer {TOKEN}"}
NOTE = "It is the astronaut herself."


def mistakes(server: Server) -> list[dict[str, Any]]:
    answer = httpx.get(f"{server.url}/v1/mistakes", headers=BEARER, timeout=60)
    found: list[dict[str, Any]] = answer.json()
    return found


def warned(page: Page) -> bool:
    view = watch(page).only()
    return view is not None and any(chip.verdict == "likely_fake" for chip in view.chips)


def flagged_anew(page: Page) -> None:
    """The video from its beginning, up to the same warning."""
    page.bring_to_front()
    page.evaluate("v.currentTime = 0")
    wait_for("the labels to go", lambda: not warned(page), 60)
    wait_for("the warning", lambda: warned(page), 60)


def sleep_and_wake(tab: Page) -> None:
    """The browser stops the service worker, and starts it when it is needed again."""
    session = tab.context.new_cdp_session(tab)
    session.send("ServiceWorker.enable")
    session.send("ServiceWorker.stopAllWorkers")
    session.detach()


def test_from_the_warning_to_the_server_s_list_of_mistakes(
    page: Page, site: Site, clip: Clip, extension: Extension, server: Server, tmp_path: Path
) -> None:
    page.goto(site.page("/flagged", video_page(clip("couple", "mp4"), STYLE)))
    wait_for("the warning", lambda: warned(page), 60)
    listing = page.context.new_page()
    listing.set_default_timeout(PATIENCE)
    listing.goto(extension.address("traces/traces.html"))
    expect(listing.locator("#empty")).to_contain_text("nothing is kept")
    listing.get_by_label("Keep a list").check()
    flagged_anew(page)
    listing.bring_to_front()
    row = listing.locator("li.trace")
    expect(row).to_have_count(1, timeout=PATIENCE)
    expect(row).to_contain_text("clip")
    expect(row).to_contain_text("http://site.test")
    expect(row).to_contain_text("Likely fake, ")
    expect(row).to_contain_text("in the video")
    still = row.locator("canvas")
    expect(still).to_be_visible(timeout=PATIENCE)
    wait_for("the picture", lambda: still.evaluate("one => one.width") == 640)

    # The same place again is the same entry; a service worker that slept knows it.
    sleep_and_wake(listing)
    flagged_anew(page)
    listing.bring_to_front()
    listing.reload()
    expect(row).to_have_count(1, timeout=PATIENCE)

    # A report, on the clipboard or as a file.
    page.context.grant_permissions(["clipboard-read"])  # to look what was copied
    row.locator("button.copy").click()
    expect(row.locator(".said")).to_contain_text("Copied, with the picture")
    copied = listing.evaluate(
        """async () => { const [item] = await navigator.clipboard.read();
        return [item.types, await (await item.getType("text/plain")).text()]; }"""
    )
    assert "image/png" in copied[0]
    assert "clip, http://site.test" in copied[1] and "models: " in copied[1]
    refuse = "() => { navigator.clipboard.write = () => Promise.reject(new Error('no')); }"
    listing.evaluate(refuse)
    with listing.expect_download() as saved:
        row.locator("button.copy").click()
    report = Path(saved.value.path()).read_text(encoding="utf-8")
    assert "data:image/jpeg;base64," in report and "http://site.test" in report

    # Kept here: nothing has left.
    row.locator("button.wrong-open").click()
    row.locator("textarea").fill(NOTE)
    assert in_all_looks(listing, lambda: troubles(listing)) == []
    row.locator("button.keep-here").click()
    expect(row.locator(".said")).to_contain_text(NOTE)
    assert mistakes(server) == []

    # Sent, by the button that says so; exported; taken back.
    row.locator("button.wrong-open").click()
    row.locator("button.send").evaluate("one => { one.click(); one.click(); }")  # once, not twice
    expect(row.locator(".said")).to_contain_text(f"Sent to {server.url}")
    [told] = mistakes(server)
    assert (told["verdict"], told["label"], told["note"]) == ("likely_fake", "real", NOTE)
    assert (told["site"], told["title"], told["still"]) == ("http://site.test", "clip", True)
    assert told["models"] and told["server"] and told["to_s"] >= told["from_s"]
    address = f"{server.url}/v1/mistakes/labelled.zip"
    exported = httpx.get(address, headers=BEARER, timeout=60).content
    archive = zipfile.ZipFile(io.BytesIO(exported))
    [line] = csv.DictReader(io.StringIO(archive.read("index.csv").decode()))
    assert (line["label"], line["note"]) == ("real", NOTE)
    assert archive.read(line["file"]).startswith(b"\xff\xd8")
    row.locator("button.take-back").click()
    expect(row.locator("button.take-back")).to_have_count(0)
    assert mistakes(server) == []

    # When the browser starts anew only what the person said something of is left.
    extension.store({"traces": False})
    extension.worker.evaluate("chrome.storage.session.remove('traces-begun')")
    listing.reload()
    expect(row).to_have_count(1, timeout=PATIENCE)
    listing.get_by_role("button", name="Clear the list").click()
    expect(row).to_have_count(0)
    # An empty list does not say that nothing was flagged: something was.
    page.goto("about:blank")
    extension.store({"traces": True})
    listing.reload()
    expect(listing.locator("#empty")).to_contain_text("from when you turn it on", timeout=PATIENCE)
    listing.close()
