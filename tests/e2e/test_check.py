"""Right-click on a picture or a video, "Check with Fakelight": the scan page with the result.

The browser is as a person has it: no permission for any site but what the click itself gives."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from tests.e2e import clips
from tests.e2e.browser import Extension, ToolbarPopup
from tests.e2e.site import Site
from tests.support.server import TOKEN, Server, free_port

pytestmark = pytest.mark.as_installed

Clip = Callable[[str, str], str]
PATIENCE = 60_000


def page_of_pictures(site: Site, clip: Clip, folder: Path) -> str:
    """Pictures of the site and of another one, a file as video, a video without an address."""
    picture = Image.fromarray(clips.scene([(150, 90, 240)]))
    picture.save(folder / "own-portrait.jpg", quality=95)
    picture.save(folder / "theirs.png")
    elsewhere = site.address("/theirs.png", host="elsewhere.test")
    return site.page(
        "/pictures",
        f"""<!doctype html><html lang="en"><meta charset="utf-8"><style>body{{margin:0}}
        img,video{{width:480px;height:270px;display:inline-block}}</style>
        <body><img id="own" src="/own-portrait.jpg"><img id="theirs" src="{elsewhere}">
        <video id="file" src="{clip("still", "mp4")}" autoplay muted loop></video>
        <video id="stream" autoplay muted></video><script>
        stream.srcObject = null;
        file.addEventListener("playing", () => {{ stream.srcObject = file.captureStream(); }},
          {{ once: true }});
        </script></body></html>""",
    )


def choose(page: Page, extension: Extension, element: str) -> Page:
    """The menu's entry on an element, as the browser reports it; the tab that opens."""
    page.bring_to_front()
    kind = "image" if element in ("own", "theirs") else "video"
    source = page.evaluate(f"{element}.currentSrc")
    info: dict[str, Any] = {"menuItemId": "check", "mediaType": kind, "srcUrl": source}
    with page.context.expect_page(timeout=PATIENCE) as opened:
        # No test can open the browser's own menu; the event is what it sends.
        extension.worker.evaluate(
            """async ([info, address]) => {
                const [tab] = (await chrome.tabs.query({})).filter((one) => one.url === address);
                chrome.contextMenus.onClicked.dispatch({ ...info, frameId: 0 }, tab);
            }""",
            [info, page.url],
        )
    return opened.value


@pytest.fixture
def pictures(
    page: Page, site: Site, clip: Clip, clip_folder: Path, extension: Extension
) -> Iterator[Page]:
    page.goto(page_of_pictures(site, clip, clip_folder))
    page.wait_for_function("stream.videoWidth > 0 && theirs.complete", timeout=PATIENCE)
    # A click on the icon gives the same permission for this tab as the one in the menu does.
    ToolbarPopup(page.context, extension, page)
    yield page


@pytest.mark.parametrize(
    ("element", "name"),
    [
        ("own", "own-portrait.jpg"),
        ("theirs", "theirs (from the screen).png"),
        ("file", "still-mp4.mp4"),
        ("stream", "video (one picture).png"),
    ],
)
def test_what_was_clicked_is_scanned_and_shown(
    pictures: Page, extension: Extension, server: Server, element: str, name: str, tmp_path: Path
) -> None:
    extension.store({"server": server.url, "token": TOKEN})
    pictures.context.clear_cookies()
    opened = choose(pictures, extension, element)
    try:
        row = opened.locator("li.scan.asked")
        expect(row).to_be_visible(timeout=PATIENCE)
        expect(row.locator(".name")).to_have_text(name)
        expect(row.locator("a.report")).to_be_visible(timeout=PATIENCE)
        assert opened.url.startswith(f"{server.url}/scan#scan=") and "ticket" not in opened.url
        assert opened.evaluate("document.activeElement.classList.contains('asked')")
        opened.screenshot(path=tmp_path / f"{element}.png")
        scan = opened.evaluate(
            "async id => (await fetch(`v1/scans/${id}`)).json()", opened.url.split("=")[-1]
        )
        assert [face["samples"] > 0 for face in scan["report"]["faces"]] == [True], json.dumps(scan)
    finally:
        opened.close()


def test_trouble_is_said_in_plain_words(pictures: Page, extension: Extension) -> None:
    extension.store({"token": ""})
    opened = choose(pictures, extension, "own")
    expect(opened.locator("#trouble")).to_contain_text("not paired", timeout=PATIENCE)
    expect(opened.get_by_role("button", name="Settings")).to_be_visible()
    opened.close()
    nobody = f"http://127.0.0.1:{free_port()}"
    extension.store({"server": nobody, "token": TOKEN})
    opened = choose(pictures, extension, "own")
    expect(opened.locator("#trouble")).to_contain_text(f"No answer from {nobody}", timeout=PATIENCE)
    opened.reload()
    expect(opened.locator("#trouble")).to_contain_text("no longer known", timeout=PATIENCE)
    opened.close()
