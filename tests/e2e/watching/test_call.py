"""A video call: tiles that come, go, change places and sizes, the person's own picture, and cameras
that are switched off. The connections are real, over the loopback."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import BrowserContext, Page, Playwright

from tests.e2e import clips
from tests.e2e.browser import Extension, extension_with_consent, launch, wait_for, watch
from tests.e2e.call import call_page
from tests.e2e.overlay_view import Box, Eye, OverlayView
from tests.e2e.site import Site
from tests.e2e.streams import streams
from tests.support.server import TOKEN, Server

PATIENCE = 90.0
OWN = "Your own picture is left out"
# In the pictures of a call and of the made-up camera alike.
FACE = clips.face_in(150, 90, 240)


@pytest.fixture(scope="module")
def browser(
    playwright: Playwright, site: Site, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[BrowserContext]:
    """A browser whose camera shows the portrait."""
    folder = tmp_path_factory.mktemp("browser")
    jpeg = io.BytesIO()
    Image.fromarray(next(clips.still(1))).save(jpeg, "JPEG", quality=95)
    camera = folder / "camera.mjpeg"
    camera.write_bytes(jpeg.getvalue() * 25)
    flags = (
        "--use-fake-ui-for-media-stream",
        "--use-fake-device-for-media-stream",
        f"--use-file-for-fake-video-capture={camera}",
        # A camera and a window that floats are for pages of a safe origin only.
        f"--unsafely-treat-insecure-origin-as-secure=http://site.test:{site.port}",
        "--auto-accept-this-tab-capture",
    )
    copy = extension_with_consent(folder / "extension")
    with launch(playwright, folder / "profile", site.port, copy, flags) as context:
        yield context


@pytest.fixture(scope="module")
def extension(browser: BrowserContext, server: Server) -> Extension:
    found = Extension(browser)
    found.everywhere(server.url, TOKEN)
    return found


@pytest.fixture
def call(page: Page, site: Site, clip_folder: Path, extension: Extension) -> Callable[..., Page]:
    """``call(count, fps, width)`` opens a call with so many others."""
    extension.store({"ownPicture": False})
    Image.fromarray(clips.portrait(240)).save(clip_folder / "portrait.png")

    def join(count: int, fps: int, width: int, dark: bool = False) -> Page:
        page.goto(site.page(f"/call-{count}-{dark}", call_page(count, fps, width, dark)))
        page.evaluate("joined")
        return page

    return join


def over(page: Page, eye: Eye, name: str) -> OverlayView | None:
    """The overlay over a tile."""
    left, top, width = page.evaluate(
        f"""() => {{ const r = document.querySelector('#tile-{name}').getBoundingClientRect();
        return [r.x + scrollX, r.y + scrollY, r.width]; }}"""
    )
    for view in eye.overlays():
        if abs(view.left - left) < 4 and abs(view.top - top) < 4 and abs(view.width - width) < 8:
            return view
    return None


def judged(page: Page, eye: Eye, name: str) -> OverlayView | None:
    view = over(page, eye, name)
    decided = view and view.chips and all(chip.verdict != "gathering" for chip in view.chips)
    return view if decided else None


def on_face(page: Page, eye: Eye, name: str, mirrored: bool = False) -> bool:
    view = over(page, eye, name)
    box = eye.box(view) if view else None
    if box is None:
        return False
    x, y, width, height = FACE
    wanted = (1 - x - width if mirrored else x, y, width, height)
    middles = [(a[0] + a[2] / 2, a[1] + a[3] / 2) for a in (box, wanted)]
    return all(abs(a - b) < 0.03 for a, b in zip(*middles, strict=True))


def followed(server: Server) -> dict[str, list[int]]:
    """The faces of every stream, by their numbers, which go up."""
    return {one["id"]: [face["track"] for face in one["faces"]] for one in streams(server)}


def only_stream(server: Server) -> str:
    """The stream that is open, once those of pages before are gone."""

    def look() -> str | None:
        found = streams(server)
        return str(found[0]["id"]) if len(found) == 1 else None

    return str(wait_for("one stream and no other", look, PATIENCE))


def test_tiles_keep_what_was_found_and_oneself_is_left_out(
    call: Callable[..., Page], extension: Extension, server: Server, tmp_path: Path
) -> None:
    page = call(2, 15, 320)
    eye = watch(page)
    page.evaluate("seeMyself()")
    wait_for("two verdicts", lambda: judged(page, eye, "0") and judged(page, eye, "1"), PATIENCE)
    wait_for("the box on one face", lambda: on_face(page, eye, "0"), PATIENCE)
    wait_for("the box on the other", lambda: on_face(page, eye, "1"), PATIENCE)
    wait_for(
        "the sign on the own picture, and no label",
        lambda: (v := over(page, eye, "me")) and v.badge == OWN and not v.chips,
        PATIENCE,
    )
    page.screenshot(path=tmp_path / "call.png")
    wait_for(
        "both streams, and none of the own picture", lambda: len(streams(server)) == 2, PATIENCE
    )

    def carried(lower: int, late: int = 0) -> bool:
        """Make a tile anew: whether the server knows the faces still."""
        known = followed(server)
        page.evaluate(f"again(0, {lower}, {late})")
        wait_for("a verdict on the new tile", lambda: judged(page, eye, "0"), PATIENCE)
        now = followed(server)
        assert now.keys() == known.keys(), "the track lost its stream"
        wait_for("the box in the new place", lambda: on_face(page, eye, "0"), PATIENCE)
        return now == known

    # A face that was out of sight for a second may be another: a busy machine has several tries.
    assert any(carried(lower) for lower in (20, 40, 60, 80)), "what was found is forgotten"
    # Videos are looked for every second: one look finds neither the old tile nor the new one.
    carried(100, late=1500)

    page.evaluate("enlarge(1)")
    view = wait_for("the large tile", lambda: judged(page, eye, "1"), PATIENCE)
    assert view.width == pytest.approx(880, abs=2)
    wait_for("the box on the large face", lambda: on_face(page, eye, "1"), PATIENCE)
    page.evaluate("resend(1, 1.6)")
    wait_for("another layer", lambda: page.evaluate("video(1).videoWidth") == 400, PATIENCE)
    page.wait_for_timeout(1500)
    wait_for(
        "the box after the step",
        lambda: judged(page, eye, "1") and on_face(page, eye, "1"),
        PATIENCE,
    )

    page.evaluate("sources[1].frozen = true")
    standing = wait_for(
        "word of a standing picture",
        lambda: (v := over(page, eye, "1")) and "stands still" in (v.badge or "") and v,
        PATIENCE,
    )
    assert standing.chips == [], "what stands still is no evidence"
    page.evaluate("sources[1].frozen = false")
    wait_for("a verdict again", lambda: judged(page, eye, "1"), PATIENCE)
    page.evaluate("senders[1].track.enabled = false")
    wait_for(
        "word of a black picture",
        lambda: (v := over(page, eye, "1")) and "black" in (v.badge or ""),
        PATIENCE,
    )
    page.evaluate("senders[1].track.enabled = true; enlarge(1)")

    extension.command({"type": "own-picture", "judged": True})
    wait_for("a verdict on oneself", lambda: judged(page, eye, "me"), PATIENCE)
    wait_for(
        "the box on the mirrored face", lambda: on_face(page, eye, "me", mirrored=True), PATIENCE
    )
    page.screenshot(path=tmp_path / "call-own.png")
    extension.command({"type": "own-picture", "judged": False})
    wait_for("the sign again", lambda: (v := over(page, eye, "me")) and v.badge == OWN, PATIENCE)


def untidy(eye: Eye) -> list[str]:
    """What is wrong with the labels and signs on the tiles: cut, off their tile, on one another."""
    found = []
    for view in eye.overlays():
        tile = (view.left, view.top, view.width, view.height)
        nodes = [*(chip.node for chip in view.chips), *view.signs]
        rects = [rect for node in nodes if (rect := eye.rect(node))[2] > 0]
        words = [chip.label for chip in view.chips] + [view.badge, view.recall]
        if any(not _within(rect, tile) for rect in rects):
            found.append(f"off the tile: {words} {rects} {tile}")
        if any(_meet(a, b) for n, a in enumerate(rects) for b in rects[:n]):
            found.append(f"on one another: {words} {rects}")
        if any(eye.is_cut(node) for node in nodes):
            found.append(f"cut: {words} in {view.width} px")
    return found


def _within(inner: Box, outer: Box) -> bool:
    return all(
        inner[n] >= outer[n] - 1 and inner[n] + inner[n + 2] <= outer[n] + outer[n + 2] + 1
        for n in (0, 1)
    )


def _meet(a: Box, b: Box) -> bool:
    return all(a[n] < b[n] + b[n + 2] - 1 and b[n] < a[n] + a[n + 2] - 1 for n in (0, 1))


def test_shared_screens_and_large_grids(
    call: Callable[..., Page], server: Server, tmp_path: Path
) -> None:
    page = call(2, 8, 320)
    eye = watch(page)
    page.evaluate("present(1)")
    wait_for("a verdict beside the screen", lambda: judged(page, eye, "0"), PATIENCE)
    no_face = "No face in view"
    wait_for(
        "word on the screen",
        lambda: (v := over(page, eye, "1")) and v.badge == no_face and not v.chips,
        PATIENCE,
    )
    gesture(page, "showMyScreen()")
    page.wait_for_selector("#tile-screen", timeout=PATIENCE * 1000)
    wait_for("one's own", lambda: (v := over(page, eye, "screen")) and v.badge == OWN, PATIENCE)
    wait_for("both streams, and none more", lambda: len(streams(server)) == 2, PATIENCE)
    for count, width in ((9, 320), (25, 190)):
        page = call(count, 3, width, dark=count == 25)
        page.evaluate(f"present({count - 1})")
        eye = watch(page)
        wait_for("labels and turns", partial(grid_is_settled, eye, count), PATIENCE)
        page.screenshot(path=tmp_path / f"grid-{count}.png")
        assert untidy(eye) == []
        wait_for("four streams at most", lambda: len(streams(server)) <= 4, PATIENCE)


def grid_is_settled(eye: Eye, count: int) -> bool:
    """Whether four tiles of ``count`` are judged, the shared screen perhaps among them."""
    views = eye.overlays()
    labelled = [view for view in views if view.chips]
    waiting = [view for view in views if view.badge == f"In turn: judging 4 of {count}"]
    return len(views) == count and len(labelled) >= 3 and len(waiting) >= count - 5


def gesture(page: Page, expression: str) -> None:
    """Run ``expression`` as if by a click of the person, and do not wait for it."""
    session = page.context.new_cdp_session(page)
    session.send("Runtime.evaluate", {"expression": f"void {expression}", "userGesture": True})


def icon(extension: Extension, tab: int) -> tuple[str, str]:
    """What the icon in the toolbar shows while a tab is in front, and says."""
    found = extension.worker.evaluate(
        """async (tabId) => [await chrome.action.getBadgeText({ tabId }),
        await chrome.action.getTitle({ tabId })]""",
        tab,
    )
    return found[0], found[1]


def test_a_floating_video_is_told_on_the_icon(
    call: Callable[..., Page], extension: Extension, server: Server, site: Site
) -> None:
    extension.store({"notify": True})
    page = call(1, 15, 480)
    eye = watch(page)
    tab = extension.tab_id(page.url)
    wait_for("a verdict", lambda: judged(page, eye, "0"), PATIENCE)
    known = only_stream(server)
    gesture(page, "video(0).requestPictureInPicture()")
    wait_for(
        "a word on the icon", lambda: "picture-in-picture" in icon(extension, tab)[1], PATIENCE
    )
    view = eye.only()
    assert view is not None and view.away, "a box lies on the placeholder"
    wait_for("a warning", lambda: icon(extension, tab)[0] == "!", PATIENCE)
    assert "Likely fake" in icon(extension, tab)[1]
    every = "chrome.notifications.getAll()"
    notices = wait_for("a notification", lambda: extension.worker.evaluate(every), PATIENCE)
    assert [name.split("-")[:2] for name in notices] == [["fake", str(tab)]]
    other = page.context.new_page()
    other.goto(site.page("/other", "<!doctype html><title>other</title>"))
    theirs = extension.tab_id(other.url)
    wait_for("it floats over every tab", lambda: icon(extension, theirs)[0] == "!", PATIENCE)
    other.close()
    page.evaluate("void document.exitPictureInPicture()")
    wait_for("the box again", lambda: (v := eye.only()) and not v.away, PATIENCE)
    assert only_stream(server) == known
    wait_for("the tab's own word", lambda: "in this video" in icon(extension, tab)[1], PATIENCE)
    page.close()
    anywhere = "chrome.action.getBadgeText({})"
    wait_for("no word any more", lambda: extension.worker.evaluate(anywhere) == "", PATIENCE)


def test_a_window_of_the_page_that_floats_is_drawn_in(
    page: Page, site: Site, clip_folder: Path, extension: Extension, server: Server
) -> None:
    Image.fromarray(clips.portrait(240)).save(clip_folder / "portrait.png")
    site.page("/window", call_page(1, 15, 480))
    page.goto(site.address("/window", host="127.0.0.1"))
    page.evaluate("joined")
    wait_for("a verdict", lambda: judged(page, watch(page), "0"), PATIENCE)
    known = only_stream(server)
    with page.context.expect_page(timeout=PATIENCE * 1000) as opened:
        gesture(
            page,
            """documentPictureInPicture.requestWindow({ width: 660, height: 380 }).then((own) => {
                own.document.body.style.margin = 0;
                own.document.body.append(video(0));
                own.document.querySelector("video").play();
            })""",
        )
    window = opened.value
    eye = watch(window)

    def only_face_on_its_place() -> bool:
        view = eye.only()
        box = eye.box(view) if view and len(view.chips) == 1 else None
        return box is not None and abs(box[0] - FACE[0]) < 0.03 and abs(box[1] - FACE[1]) < 0.03

    wait_for("the box in the window", only_face_on_its_place, PATIENCE)
    assert watch(page).overlays() == [], "something is left where the video was"
    assert only_stream(server) == known, "the track lost its stream"
    window.close()
