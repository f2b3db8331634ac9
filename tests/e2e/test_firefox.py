"""The same folder in Firefox, one browser for all: it pairs, asks for sites, draws on videos."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
from PIL import Image

from tests.e2e import clips
from tests.e2e.browser import wait_for
from tests.e2e.call import call_page
from tests.e2e.firefox import Firefox, firefox, launch_firefox
from tests.e2e.firefox_view import FirefoxOverlay, overlays
from tests.e2e.firefox_window import SECONDS, FirefoxPopup, allow, choose_in_menu, icon_title
from tests.e2e.marked import boxes_in, is_near
from tests.e2e.overlay_view import Box
from tests.e2e.site import Site, mse_page, video_page
from tests.e2e.streams import streams
from tests.e2e.test_pairing import digits, shown_so_far
from tests.e2e.test_trust import SOCKET
from tests.support.paths import EXTENSION
from tests.support.server import TOKEN, Server

Clip = Callable[[str, str], str]
pytestmark = [
    pytest.mark.skipif(firefox() is None, reason="no Firefox on the PATH"),
    pytest.mark.timeout(600),
]
STYLE = "width:640px;height:360px"
SHAPE = (640.0, 360.0)


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Firefox]:
    """The extension as it is installed, with no permission but those of its manifest."""
    with launch_firefox(tmp_path_factory.mktemp("firefox"), EXTENSION) as running:
        yield running


@pytest.fixture(scope="module")
def paired(browser: Firefox, server: Server) -> Firefox:
    """Let in by the six digits on the page of the first steps, as a person does."""
    before = shown_so_far(server)
    tab = browser.open(f"{browser.addon}/welcome/welcome.html")
    browser.evaluate(tab, f"chrome.storage.local.set({json.dumps({'server': server.url})})")
    code = digits(server, before)
    asked = "document.querySelector('#digits-words').textContent"
    wait_for("the question for them", lambda: browser.evaluate(tab, asked), SECONDS)
    browser.evaluate(
        tab,
        f"""{{ const field = document.querySelector('#code'); field.value = '{code}';
          field.dispatchEvent(new Event('input')); }}""",
    )
    ready = "!document.querySelector('#play').disabled && !document.querySelector('#sample').hidden"
    wait_for("the sample", lambda: browser.evaluate(tab, ready), SECONDS)
    words = browser.evaluate(tab, "document.querySelector('#sample-words').textContent")
    assert "from 0:09 to 0:18" in words
    browser.close(tab)
    return browser


def origins(browser: Firefox, tab: str) -> list[str]:
    """The sites that the browser lets the extension into; asked in one of its own pages."""
    found: list[str] = json.loads(
        browser.evaluate(
            tab, "chrome.permissions.getAll().then(({origins}) => JSON.stringify(origins))"
        )
    )
    return found


def judged(browser: Firefox, context: str, faces: int = 1) -> list[FirefoxOverlay]:
    """The overlays once every one of them has judged ``faces`` faces; none before."""
    seen = overlays(browser, context)
    ready = all(
        len(one.verdicts) == faces and "gathering" not in one.verdicts and one.boxes for one in seen
    )
    return seen if ready else []


def on_faces(browser: Firefox, context: str, wanted: list[Box]) -> bool:
    """Whether every overlay has a box around each face, to 3 % of the video's width."""
    seen = judged(browser, context, len(wanted))
    return bool(seen) and all(
        is_near(box, place, SHAPE)
        for one in seen
        for box, place in zip(one.boxes, wanted, strict=True)
    )


@pytest.fixture(scope="module")
def still() -> list[Box]:
    return boxes_in(next(clips.still()))


@pytest.fixture(scope="module")
def everywhere(paired: Firefox) -> Firefox:
    """Turned on for all sites in the options, and the browser's question answered."""
    tab = paired.open(f"{paired.addon}/options/options.html")
    state = "document.querySelector('#pair-state').textContent"
    wait_for("the state", lambda: "Connected" in paired.evaluate(tab, state), SECONDS)
    paired.click(tab, "#all-sites")
    allow(paired)
    on = "document.querySelector('#all-sites').checked"
    wait_for("the switch", lambda: paired.evaluate(tab, on), SECONDS)
    assert "<all_urls>" in origins(paired, tab)
    paired.close(tab)
    return paired


def test_firefox_watches_one_tab_by_a_click_and_asks_for_its_site(
    paired: Firefox, site: Site, clip: Clip, server: Server, still: list[Box]
) -> None:
    options = paired.open(f"{paired.addon}/options/options.html")
    assert origins(paired, options) == []
    site.page("/one", video_page(clip("still", "mp4"), STYLE))
    tab = paired.open(site.address("/one", host="media.test"))
    popup = FirefoxPopup(paired, tab)
    assert "Not watching this tab" in popup.text("#faces")
    assert overlays(paired, tab) == []
    assert streams(server) == []
    popup.click("#watch")
    wait_for("a box on the face", lambda: on_faces(paired, tab, still), SECONDS)
    wait_for("the popup's word", lambda: "1 face in view" in popup.text("#faces"), SECONDS)
    assert origins(paired, options) == [], "a click is leave for this tab alone"
    # Firefox takes it back as soon as the tab loads anything, the same page as well.
    assert "until it loads another page" in popup.text("#watch-until")
    popup.close()
    paired.command("browsingContext.reload", {"context": tab, "wait": "complete"})
    popup = FirefoxPopup(paired, tab)

    def ended() -> bool:
        return "Not watching this tab" in popup.text("#faces")

    # Now and then it is slow to, and the new page is entered before.
    wait_for("one or the other", lambda: ended() or on_faces(paired, tab, still), SECONDS)
    if ended():
        assert popup.text("#watch-until") == "" and overlays(paired, tab) == []
        popup.click("#watch")
    wait_for("a box again", lambda: on_faces(paired, tab, still), SECONDS)
    popup.click("#site")
    assert "media.test" in allow(paired)
    mine = ["http://media.test/*"]
    wait_for("the permission", lambda: origins(paired, options) == mine, SECONDS)
    popup.close()
    paired.go(tab, site.address("/one", host="media.test"))
    wait_for("a box without a click", lambda: on_faces(paired, tab, still), SECONDS)
    seen = paired.evaluate(tab, "window.length + document.querySelectorAll('canvas').length")
    assert seen == 0, "the page sees the relay or the overlay"
    target = json.dumps([f"ws://127.0.0.1:{server.port}/v1/stream", TOKEN])
    assert paired.evaluate(tab, f"({SOCKET})({target})") in ("closed", "refused")
    popup = FirefoxPopup(paired, tab)
    popup.click("#watch")
    wait_for("the overlay to go", lambda: overlays(paired, tab) == [], SECONDS)
    wait_for("the permission to go", lambda: origins(paired, options) == [], SECONDS)
    popup.close()
    paired.close(tab)
    paired.close(options)


def test_firefox_reads_another_sites_video_with_the_permission_for_all_sites(
    paired: Firefox, site: Site, clip: Clip, still: list[Box]
) -> None:
    options = paired.open(f"{paired.addon}/options/options.html")
    foreign = site.address(clip("still", "mp4"), host="player.test")
    tab = paired.open(site.page("/foreign", video_page(foreign, STYLE)))
    popup = FirefoxPopup(paired, tab)
    popup.click("#watch")
    kept = "keeps the video's pixels"
    wait_for(
        "the word on the video",
        lambda: [kept in (one.badge or "") for one in overlays(paired, tab)] == [True],
        SECONDS,
    )
    offer = "#tab-picture-button"
    wait_for("the offer", lambda: popup.text(offer) == "Allow for all sites", SECONDS)
    popup.click(offer)
    allow(paired)
    wait_for("a box on the face", lambda: on_faces(paired, tab, still), SECONDS)
    hidden = "document.querySelector('#tab-picture').hidden"
    wait_for("the offer to go", lambda: popup.evaluate(hidden) is True, SECONDS)
    popup.close()
    paired.close(tab)
    remove = "chrome.permissions.remove({ origins: ['<all_urls>'] })"
    assert paired.evaluate(options, remove)
    paired.close(options)


def test_firefox_draws_on_files_media_sources_and_frames(
    everywhere: Firefox, site: Site, clip: Clip, still: list[Box]
) -> None:
    site.page("/blob", mse_page(clip("still", "fmp4")).replace("autoplay", "autoplay loop"))
    site.page("/player", video_page(clip("still", "mp4"), STYLE))
    third = site.address("/player", host="third.test")
    site.page(
        "/around",
        f"""<!doctype html><body style="margin:0">A player of a third site
      <iframe src="{third}" width="640" height="360" style="border:0" allow="autoplay">""",
    )
    small = "width:480px;height:270px;border:0"
    body = f"""<!doctype html><meta charset="utf-8"><body style="margin:0">
      <video src="{clip("still", "mp4")}" autoplay muted loop style="{small}"></video>
      <closed-player></closed-player>
      <iframe src="/blob" width="670" height="380" allow="autoplay"></iframe>
      <iframe src="{site.address("/around", host="player.test")}" width="660" height="420"
        allow="autoplay"></iframe><script>
      document.querySelector("closed-player").attachShadow({{ mode: "closed" }}).innerHTML =
        '<video src="{clip("still", "webm")}" autoplay muted loop style="{small}"></video>';
      </script>"""
    tab = everywhere.open(site.page("/all", body))
    wait_for("three frames", lambda: len(everywhere.frames(tab)) == 3, SECONDS)
    first, around, within = everywhere.frames(tab)
    for context in (tab, first, within):
        wait_for("a box on the face", partial(on_faces, everywhere, context, still), SECONDS)

    # One in the page and one in a closed shadow root; one in each player; none around the last.
    def shown() -> list[int]:
        return [len(overlays(everywhere, one)) for one in (tab, first, around, within)]

    wait_for("an overlay on each", lambda: shown() == [2, 1, 0, 1], SECONDS)
    everywhere.close(tab)


def test_firefox_cuts_a_small_face_out_of_a_large_video(
    everywhere: Firefox, site: Site, clip: Clip
) -> None:
    """In whole pictures of 960 pixels it is too small to be judged."""
    options = everywhere.open(f"{everywhere.addon}/options/options.html")

    def cut_outs(on: bool) -> None:
        everywhere.evaluate(options, f"chrome.storage.local.set({{ cutOuts: {json.dumps(on)} }})")

    def verdicts() -> list[str]:
        return [verdict for one in overlays(everywhere, tab) for verdict in one.verdicts]

    cut_outs(False)
    style = "width:960px;height:540px"
    tab = everywhere.open(site.page("/distant", video_page(clip("distant", "mp4"), style)))
    everywhere.evaluate(tab, "v.playbackRate = 0.125")  # for slow machines: it stands still anyway
    too_small = ["not_enough_evidence"]
    wait_for("no verdict", lambda: verdicts() == too_small, 2 * SECONDS)
    cut_outs(True)
    told = ("likely_real", "unsure", "likely_fake")
    decided = "a verdict by the cut-outs"
    wait_for(decided, lambda: [v in told for v in verdicts()] == [True], 2 * SECONDS)
    wanted = boxes_in(clips.afar_at(0, clips.DISTANT))
    wait_for("a box on the face", lambda: on_faces(everywhere, tab, wanted), SECONDS)
    everywhere.close(tab)
    everywhere.close(options)


def test_firefox_follows_a_call_and_a_floating_video(
    everywhere: Firefox, site: Site, still: list[Box], server: Server, clip_folder: Path
) -> None:
    Image.fromarray(clips.portrait(240)).save(clip_folder / "portrait.png")
    tab = everywhere.open(site.page("/call", call_page(2, 10, 400)))
    everywhere.evaluate(tab, "joined")
    boxes = "boxes on both tiles"
    wait_for(boxes, lambda: on_faces(everywhere, tab, still) and count(everywhere, tab), SECONDS)
    known = {one["id"] for one in streams(server)}
    everywhere.evaluate(tab, "again(0)")
    wait_for(boxes, lambda: on_faces(everywhere, tab, still) and count(everywhere, tab), SECONDS)
    assert {one["id"] for one in streams(server)} == known, "the track lost its stream"
    everywhere.evaluate(tab, "seeMyself()")
    own = "Your own picture is left out"
    wait_for("one's own", lambda: own in [o.badge for o in overlays(everywhere, tab)], SECONDS)
    assert {one["id"] for one in streams(server)} == known
    everywhere.evaluate(
        tab,
        """document.body.insertAdjacentHTML("beforeend", "<button id='float'>float</button>");
        document.querySelector("#float").onclick = () => video(1).requestPictureInPicture();""",
    )
    everywhere.click(tab, "#float")
    wait_for("the word on the icon", lambda: "picture-in-pic" in icon_title(everywhere), SECONDS)
    assert [one.away for one in overlays(everywhere, tab) if one.badge != own].count(True) == 1
    everywhere.close(tab)


def count(browser: Firefox, tab: str) -> bool:
    return len(overlays(browser, tab)) == 2


def test_firefox_checks_a_picture_from_the_menu(
    everywhere: Firefox, site: Site, clip_folder: Path
) -> None:
    Image.fromarray(clips.scene([(150, 90, 240)])).save(clip_folder / "picture.jpg", quality=95)
    body = '<!doctype html><body><img id="one" src="/picture.jpg" width="480">'
    tab = everywhere.open(site.page("/pictures", body))
    choose_in_menu(everywhere, tab, "#one", "Check with Fakelight")

    def scan_page() -> str:
        return next((one for one, url in everywhere.tabs().items() if "/scan#" in url), "")

    scan = wait_for("the scan page", scan_page, SECONDS)
    text = "document.body?.innerText ?? ''"  # a page that only begins to load has no body
    wait_for("the file", lambda: "picture.jpg" in everywhere.evaluate(scan, text), SECONDS)
    everywhere.close(scan)
    everywhere.close(tab)


def test_firefox_goes_along_with_a_feed(
    everywhere: Firefox, site: Site, clip: Clip, still: list[Box], server: Server
) -> None:
    style = f"{STYLE};margin-bottom:700px"
    posts = "".join(
        f'<video id="post{n}" src="{clip("still", kind)}" autoplay muted loop style="{style}">'
        "</video>"
        for n, kind in enumerate(["webm", "mp4", "webm", "mp4"])
    )
    body = f'<!doctype html><meta charset="utf-8"><style>video{{display:block}}</style>{posts}'
    tab = everywhere.open(site.page("/feed", body))
    for post in (0, 2):
        everywhere.evaluate(tab, f"post{post}.scrollIntoView()")
        wait_for(
            "one overlay, on the post in view",
            lambda: [abs(one.stage[1]) < 2 for one in overlays(everywhere, tab)] == [True],
            SECONDS,
        )
        wait_for("a box on the face", lambda: on_faces(everywhere, tab, still), SECONDS)
    wait_for("the stream of the first post to end", lambda: len(streams(server)) == 1, SECONDS)
    # The second round of a clip has the same times as the first.
    everywhere.evaluate(tab, "post2.currentTime = post2.duration - 1")
    again = "post2.currentTime > 1 && post2.currentTime < 5"
    wait_for("the next round", lambda: everywhere.evaluate(tab, again), SECONDS)
    wait_for("a box on the face", lambda: on_faces(everywhere, tab, still), SECONDS)
    # An advert in the same element, with other people in it.
    everywhere.evaluate(tab, f"post2.src = '{clip('couple', 'webm')}'")
    couple = boxes_in(next(clips.couple()))
    wait_for("boxes on both", lambda: on_faces(everywhere, tab, couple), SECONDS)
    everywhere.close(tab)
