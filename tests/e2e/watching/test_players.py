"""Players in another site's frame: whose they are is said, and a click lets them be watched."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Frame, Page

from tests.e2e import clips
from tests.e2e.browser import Consent, Extension, ToolbarPopup, wait_for, watch
from tests.e2e.site import Site, video_page
from tests.e2e.streams import streams
from tests.support.server import TOKEN, Server, free_port, start_server

pytestmark = pytest.mark.as_installed

Clip = Callable[[str, str], str]
STYLE = "width:640px;height:360px"
NAMES = ("player", "second", "third", "fourth")
PLAYER, SECOND, THIRD, FOURTH = (f"http://{name}.test" for name in NAMES)
PATIENCE = 60.0


@pytest.fixture(scope="module", autouse=True)
def paired(extension: Extension, server: Server) -> None:
    extension.store({"server": server.url, "token": TOKEN})


@pytest.fixture(scope="module")
def consent(browser: BrowserContext, extension: Extension) -> Consent:
    return Consent(browser, extension)


def frame(address: str, size: tuple[int, int] = (640, 360), more: str = "") -> str:
    width, height = size
    return (
        f'<iframe src="{address}" width="{width}" height="{height}" style="border:0"'
        f' allow="autoplay" {more}></iframe>'
    )


def html(body: str) -> str:
    return f'<!doctype html><meta charset="utf-8"><title>page</title><body>{body}</body>'


def ask_buttons(popup: ToolbarPopup) -> list[str]:
    found: list[str] = popup.evaluate(
        "[...document.querySelectorAll('#players-buttons button')].map(one => one.dataset.site)"
    )
    return found


def open_popup(page: Page, extension: Extension) -> ToolbarPopup:
    popup = ToolbarPopup(page.context, extension, page)
    wait_for("the server's state", lambda: "Connected" in popup.text("#server"), PATIENCE)
    return popup


def allow(page: Page, extension: Extension, consent: Consent, host: str) -> None:
    """Open the popup and click the button of ``host``, with a yes to the browser's question."""
    consent.prepare(f"{host}/*")
    popup = open_popup(page, extension)
    wait_for(f"{host} asked for", lambda: host in ask_buttons(popup), PATIENCE)
    popup.click(f"[data-site='{host}']")


def status(page: Page, extension: Extension) -> str:
    """Of the tab's page, as the extension hears of it."""
    script = "async tab => (await chrome.tabs.get(tab)).status"
    found: str = extension.worker.evaluate(script, extension.tab_id(page.url))
    return found


def box_is_on_the_face(inside: Frame) -> bool:
    """Whether the box's middle is that of the face, to 3 % of the video's width."""
    eye = watch(inside)
    view = eye.only()
    box = eye.box(view) if view else None
    if box is None:
        return False
    x, y, width, height = clips.face_in(150, 90, 240)
    off_x = box[0] + box[2] / 2 - (x + width / 2)
    off_y = (box[1] + box[3] / 2 - (y + height / 2)) * clips.SIZE[1] / clips.SIZE[0]
    return abs(off_x) < 0.03 and abs(off_y) < 0.03


def frame_of(page: Page, host: str) -> Frame:
    return next(one for one in page.frames if host in one.url)


def test_players_of_other_sites_are_named_asked_for_and_watched(
    page: Page, site: Site, clip: Clip, extension: Extension, consent: Consent, server: Server
) -> None:
    """One player, one in the frame of a third site within a second's, and an advert's banner."""
    site.page("/player", video_page(clip("still", "mp4"), STYLE))
    site.page("/inner", video_page(clip("still", "webm"), "width:400px;height:225px"))
    inner = frame(site.address("/inner", host="third.test"), (400, 225))
    site.page("/around", html(f'<p style="margin:0">a player of a third site</p>{inner}'))
    banner = frame(site.address("/quiet", host="advert.test"), (728, 90))
    outer = frame(site.address("/player", host="player.test"))
    page.set_default_timeout(120_000)
    nested = frame(site.address("/around", host="second.test"), (500, 280))
    page.goto(site.page("/embedding", html(f"{outer}{banner}{nested}")))

    popup = open_popup(page, extension)
    popup.click("#watch")
    wait_for("both sites", lambda: ask_buttons(popup) == [PLAYER, SECOND], PATIENCE)
    words = popup.text("#found")
    assert "player.test" in words and "second.test" in words
    assert "Waiting" not in words and "advert.test" not in words
    assert consent.granted() == []

    # The browser is asked for that one site, and the player is watched at once.
    allow(page, extension, consent, PLAYER)
    inside = frame_of(page, "player.test")
    wait_for("the box on the face", lambda: box_is_on_the_face(inside), PATIENCE)
    assert consent.granted() == [f"{PLAYER}/*"]
    assert extension.stored()["playerSites"] == [PLAYER]
    popup = open_popup(page, extension)
    wait_for("the face", lambda: "1 face in view" in popup.text("#faces"), PATIENCE)
    wait_for("the other site", lambda: ask_buttons(popup) == [SECOND], PATIENCE)

    # The frame around tells of the one in it.
    allow(page, extension, consent, SECOND)
    allow(page, extension, consent, THIRD)
    third = frame_of(page, "third.test")
    wait_for("the box in the frame in the frame", lambda: box_is_on_the_face(third), PATIENCE)
    popup = open_popup(page, extension)
    wait_for("two faces", lambda: "2 faces in view" in popup.text("#faces"), PATIENCE)
    assert ask_buttons(popup) == []

    # Taken back in the browser's own pages: the player is left alone, the other goes on.
    consent.take_back(f"{PLAYER}/*")
    wait_for("the overlay to go", lambda: watch(inside).overlays() == [], PATIENCE)
    wait_for("one stream", lambda: len(streams(server)) <= 2, PATIENCE)
    wait_for("the rest", lambda: extension.stored()["playerSites"] == [SECOND, THIRD], PATIENCE)
    wait_for("the box of the other", lambda: box_is_on_the_face(third), PATIENCE)
    popup = open_popup(page, extension)
    wait_for("the question again", lambda: ask_buttons(popup) == [PLAYER], PATIENCE)


def test_player_once_allowed_is_watched_on_other_pages_until_it_is_removed(
    page: Page, site: Site, clip: Clip, extension: Extension, consent: Consent
) -> None:
    page.set_default_timeout(120_000)
    site.page("/player", video_page(clip("still", "mp4"), STYLE))
    player = frame(site.address("/player", host="fourth.test"))
    page.goto(site.page("/first", html(player)))
    popup = open_popup(page, extension)
    popup.click("#watch")
    allow(page, extension, consent, FOURTH)
    wait_for("a box", lambda: box_is_on_the_face(frame_of(page, "fourth.test")), PATIENCE)

    # Another site's page, where the player comes only after the click. The click that watched the
    # tab does not hold there, not even where the icon is clicked before the page has loaded.
    with site.held("/late.png") as late:
        site.page("/second", html(f'<img src="{late}">'))
        page.goto(site.address("/second", host="elsewhere.test"), wait_until="domcontentloaded")
        popup = open_popup(page, extension)
        assert status(page, extension) == "loading"
        wait_for("the button", lambda: popup.text("#watch") == "Watch this tab", PATIENCE)
    wait_for("the page", lambda: status(page, extension) == "complete", PATIENCE)
    popup = open_popup(page, extension)
    wait_for("the button still", lambda: popup.text("#watch") == "Watch this tab", PATIENCE)
    assert "Not watching this tab" in popup.text("#faces")
    popup.click("#watch")
    wait_for("the tab's word", lambda: "Waiting for a video" in popup.text("#faces"), PATIENCE)
    page.evaluate("markup => { document.body.innerHTML = markup }", player)
    inside = page.wait_for_selector("iframe").content_frame()
    assert inside is not None
    inside.wait_for_url("**/player")
    wait_for("a box there too", lambda: box_is_on_the_face(inside), PATIENCE)

    options = page.context.new_page()
    options.goto(extension.address("options/options.html"))
    row = options.locator("#sites li", has_text=f"Embedded players: {FOURTH}")
    row.get_by_role("button", name="Remove").click()
    row.wait_for(state="detached")
    options.close()
    wait_for("the end of it", lambda: f"{FOURTH}/*" not in consent.granted(), PATIENCE)
    page.bring_to_front()
    wait_for("the overlay to go", lambda: watch(inside).overlays() == [], PATIENCE)


def test_popup_tells_one_story_when_the_server_goes_and_comes_back(
    page: Page,
    site: Site,
    clip: Clip,
    extension: Extension,
    server: Server,
    tmp_path: Path,
    tiny_models: Path,
) -> None:
    """The popup stays open all the while, and no look at it finds two lines that disagree."""
    port = free_port()
    first = start_server(tmp_path, "--models", str(tiny_models), port=port)
    texts: list[str] = []

    def says(words: str) -> bool:
        texts.append(popup.text())
        return words in texts[-1]

    try:
        extension.store({"server": first.url, "token": TOKEN})
        page.set_default_timeout(120_000)
        page.goto(site.page("/going", video_page(clip("still", "mp4"), STYLE)))
        popup = open_popup(page, extension)
        popup.click("#watch")
        wait_for("the face", lambda: says("1 face in view"), PATIENCE)
    finally:
        first.stop()
    try:
        wait_for("the word", lambda: says("No answer from"), PATIENCE)
        assert "Nothing is judged until the server answers" in popup.text("#faces")
        second = start_server(tmp_path, "--models", str(tiny_models), port=port)
        try:
            wait_for("the face again", lambda: says("1 face in view"), PATIENCE)
        finally:
            second.stop()
    finally:
        extension.store({"server": server.url})
    for text in texts:
        gone = "No answer from" in text or "until the server answers" in text
        assert not (gone and ("Connected" in text or "in view." in text)), text
        assert "does not answer" not in text, text
