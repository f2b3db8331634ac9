"""The extension on playing videos: the overlay comes up on the face and stays with it."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page

from tests.e2e import clips
from tests.e2e.browser import at_rest, wait_for, watch
from tests.e2e.overlay_view import Box, Eye, OverlayView
from tests.e2e.site import Site, mse_page, video_page

Clip = Callable[[str, str], str]
pytestmark = pytest.mark.usefixtures("extension")
STYLE = "width:640px;height:360px"


def judged(eye: Eye) -> OverlayView | None:
    """The overlay once a face in it has more than a beginning."""
    view = eye.only()
    if view and view.chips and all(chip.verdict != "gathering" for chip in view.chips):
        return view
    return None


def overlap(a: Box, b: Box) -> float:
    """Intersection over union."""
    width = min(a[0] + a[2], b[0] + b[2]) - max(a[0], b[0])
    height = min(a[1] + a[3], b[1] + b[3]) - max(a[1], b[1])
    both = max(0.0, width) * max(0.0, height)
    return both / (a[2] * a[3] + b[2] * b[3] - both)


def coloured_pixels(page: Page) -> int:
    """Pixels of the window in the colours of a box that says likely fake, unsure or likely real."""
    shot = np.asarray(Image.open(io.BytesIO(page.screenshot())).convert("RGB"), np.int16)
    colours = [(255, 122, 51), (240, 228, 66), (86, 180, 233)]
    return sum(int((abs(shot - colour).max(axis=2) < 12).sum()) for colour in colours)


def box_on_face(eye: Eye, left: float) -> bool:
    view = eye.only()
    box = eye.box(view) if view else None
    return box is not None and overlap(box, clips.face_in(left, 90, 240)) > 0.4


@pytest.mark.parametrize("kind", ["mp4", "webm"])
def test_overlay_comes_up_on_the_face(page: Page, site: Site, clip: Clip, kind: str) -> None:
    page.goto(site.page(f"/one-{kind}", video_page(clip("still", kind), STYLE)))
    eye = watch(page)
    view = wait_for("a verdict", lambda: judged(eye))
    assert len(view.chips) == 1
    assert (view.width, view.height) == (640, 360)
    wait_for("the box on the face", lambda: box_on_face(eye, 150))


def test_overlay_comes_up_on_a_media_source_blob(page: Page, site: Site, clip: Clip) -> None:
    page.goto(site.page("/blob", mse_page(clip("still", "fmp4"))))
    eye = watch(page)
    wait_for("a verdict", lambda: judged(eye))
    wait_for("the box on the face", lambda: box_on_face(eye, 150))


def test_overlay_follows_a_moving_face(page: Page, site: Site, clip: Clip) -> None:
    page.goto(site.page("/walking", video_page(clip("walking", "mp4"), STYLE)))
    eye = watch(page)
    wait_for("a verdict", lambda: judged(eye))
    overlaps, lefts = [], []
    for _ in range(8):
        page.wait_for_timeout(500)
        # Paused, so that the box and the picture are of the same moment.
        time = page.evaluate("async () => { v.pause(); return v.currentTime }")
        box = at_rest(page, lambda: (view := eye.only()) and eye.box(view))
        assert box is not None
        left = clips.walking_left(time)
        overlaps.append(overlap(box, clips.face_in(left, 90, 240)))
        lefts.append(left)
        page.evaluate("v.play()")
    assert max(lefts) - min(lefts) > 100, "the face hardly moved while it was watched"
    assert sum(overlaps) / len(overlaps) > 0.4, overlaps
    assert min(overlaps) > 0.2, overlaps


def test_box_of_a_still_face_sits_still(page: Page, site: Site, clip: Clip) -> None:
    page.goto(site.page("/still", video_page(clip("still", "mp4"), STYLE)))
    eye = watch(page)
    wait_for("a verdict", lambda: judged(eye))
    page.wait_for_timeout(1000)
    boxes = []
    for _ in range(10):
        page.wait_for_timeout(200)
        view = eye.only()
        if view and (box := eye.box(view)):
            boxes.append(box)
    for side in range(4):
        values = [box[side] * (640 if side % 2 == 0 else 360) for box in boxes]
        assert max(values) - min(values) < 2, f"side {side} trembles: {values}"


def test_two_faces_get_two_tracks(page: Page, site: Site, clip: Clip) -> None:
    page.goto(site.page("/couple", video_page(clip("couple", "mp4"), STYLE)))
    eye = watch(page)
    view = wait_for(
        "two verdicts", lambda: found if (found := judged(eye)) and len(found.chips) == 2 else None
    )
    left, right = sorted(view.chips, key=lambda chip: chip.x)
    assert right.x - left.x > 150
    page.wait_for_timeout(2000)
    later = eye.only()
    assert later is not None
    assert {chip.node for chip in later.chips} == {left.node, right.node}, (
        "a face changed its track"
    )


def test_overlay_survives_fullscreen_and_back(page: Page, site: Site, clip: Clip) -> None:
    address = site.page("/full", video_page(clip("still", "mp4"), STYLE))
    page.goto(address)
    eye = watch(page)
    wait_for("a verdict", lambda: judged(eye))
    page.evaluate("v.requestFullscreen()")

    def in_full() -> OverlayView | None:
        view = judged(eye)
        return view if view and view.width > 900 else None

    view = wait_for("the overlay in fullscreen", in_full)
    window = page.evaluate("[innerWidth, innerHeight]")
    assert view.width == pytest.approx(window[0], abs=1)
    wait_for("the box on the face", lambda: box_on_face(eye, 150))
    wait_for("the box drawn over the fullscreen video", lambda: coloured_pixels(page) > 200)
    page.evaluate("document.exitFullscreen()")
    wait_for("the overlay at its old size", lambda: (v := judged(eye)) and v.width == 640)


def test_label_can_be_clicked_in_a_fullscreen_player(page: Page, site: Site, clip: Clip) -> None:
    player = f"""<!doctype html><div id="player"><div id="root"></div></div><script>
      const root = document.getElementById("root").attachShadow({{ mode: "open" }});
      root.innerHTML = '<div id="inner"><video src="{clip("still", "mp4")}" autoplay muted loop ' +
        'style="width:100%"></video></div>';
      const video = root.querySelector("video");
      for (const kind of ["click", "pointerdown", "mousedown", "mouseup", "dblclick", "keydown"])
        root.querySelector("#inner").addEventListener(kind, () => video.pause());
    </script>"""
    page.goto(site.page("/player", player))
    eye = watch(page)
    wait_for("a verdict", lambda: judged(eye))
    page.evaluate("root.querySelector('#inner').requestFullscreen()")
    wait_for("fullscreen", lambda: page.evaluate("document.fullscreenElement !== null"))

    def label() -> list[Any]:
        view = judged(eye)
        return [view.chips[0].node, eye.rect(view.chips[0].node)] if view else []

    wait_for("the overlay in fullscreen", label)
    eye.click(at_rest(page, label)[0])  # a label that still glides is missed by a click
    card = wait_for("the card", lambda: (v := eye.only()) and v.card)
    assert "What counted in this result" in card and "tiny" not in card and "sample" not in card
    for key in ("Enter", "Space"):  # close the card by its button, and open it by its label
        page.keyboard.press(key)
    assert not page.evaluate("video.paused"), "a click or a key on a label is nothing to the player"
    page.evaluate("document.exitFullscreen()")
    page.wait_for_timeout(500)
    wait_for("the overlay back on the page", lambda: judged(eye))


def test_overlay_starts_anew_after_a_seek(page: Page, site: Site, clip: Clip) -> None:
    page.goto(site.page("/seek", video_page(clip("still", "mp4"), STYLE)))
    eye = watch(page)
    before = wait_for("a verdict", lambda: judged(eye))
    # Slowly, so that a busy machine looks before the label has gathered enough.
    page.evaluate("v.playbackRate = 0.1; v.currentTime = 8")
    after = wait_for(
        "a new label",
        lambda: (
            v if (v := eye.only()) and v.chips and v.chips[0].node != before.chips[0].node else None
        ),
    )
    assert after.chips[0].verdict == "gathering", "a window must not reach across a seek"
    page.evaluate("v.playbackRate = 1")
    wait_for("a verdict after the seek", lambda: judged(eye))
    wait_for("the box on the face", lambda: box_on_face(eye, 150))


def test_overlay_follows_a_resize_and_letterboxing(page: Page, site: Site, clip: Clip) -> None:
    page.goto(site.page("/resize", video_page(clip("still", "mp4"), STYLE)))
    eye = watch(page)
    wait_for("a verdict", lambda: judged(eye))
    page.evaluate("v.style.cssText = 'width:400px;height:500px;object-fit:contain'")
    view = wait_for("the new size", lambda: (v := judged(eye)) and v.width == 400 and v)
    assert (view.left, view.top) == (0, pytest.approx((500 - 225) / 2, abs=0.6))
    assert view.height == pytest.approx(225, abs=0.6)
    wait_for("the box on the face", lambda: box_on_face(eye, 150))
    page.evaluate("v.style.cssText = 'width:300px;height:360px;object-fit:cover'")
    wait_for("the visible part only", lambda: (v := judged(eye)) and v.width == 300)
    page.evaluate("v.style.cssText = 'width:640px;height:360px;margin:120px 0 2000px 40px'")
    view = wait_for("the new place", lambda: (v := judged(eye)) and v.left == 40 and v)
    page.mouse.wheel(0, 90)
    top = "v.getBoundingClientRect().top"
    wait_for("the scrolled page", lambda: page.evaluate(top) == 30)
    scrolled = eye.only()
    assert scrolled is not None
    assert (scrolled.left, scrolled.top) == (40, 120), "the overlay scrolls with the page"


def test_mirrored_video_has_its_box_on_the_face(page: Page, site: Site, clip: Clip) -> None:
    page.goto(
        site.page("/mirror", video_page(clip("still", "mp4"), STYLE + ";transform:scaleX(-1)"))
    )
    eye = watch(page)
    wait_for("a verdict", lambda: judged(eye))
    x, y, width, height = clips.face_in(150, 90, 240)

    def on_the_mirrored_face() -> bool:
        view = eye.only()
        box = eye.box(view) if view else None
        return box is not None and overlap(box, (1 - x - width, y, width, height)) > 0.4

    wait_for("the box on the mirrored face", on_the_mirrored_face)


@pytest.mark.parametrize("width", [640, 300, 160])
def test_text_never_leaves_the_picture(page: Page, site: Site, clip: Clip, width: int) -> None:
    style = f"width:{width}px;height:{width * 9 // 16}px"
    page.goto(site.page(f"/small-{width}", video_page(clip("couple", "mp4"), style)))
    eye = watch(page)

    def labelled() -> OverlayView | None:
        view = eye.only()
        return view if view and view.chips else None

    wait_for("labels", lambda: (v := labelled()) and len(v.chips) == 2)
    page.evaluate("v.pause()")

    def places() -> list[Any]:
        view = labelled()
        return [(chip.node, eye.rect(chip.node)) for chip in view.chips] if view else []

    at_rest(page, places)  # nothing glides any more
    view = labelled()
    assert view is not None
    for chip in view.chips:
        x, y, chip_width, chip_height = eye.rect(chip.node)
        assert x >= 0 and y >= 0
        assert x + chip_width <= width + 0.5
        assert y + chip_height <= width * 9 // 16 + 0.5
    first, second = (eye.rect(chip.node) for chip in view.chips[:2])
    assert overlap(first, second) == 0, "two labels lie on each other"
