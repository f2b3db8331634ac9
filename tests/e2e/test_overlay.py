"""The extension on playing videos: the overlay comes up on the face and stays with it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page

from tests.e2e import clips
from tests.e2e.browser import wait_for, watch
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


def painted_on_face(eye: Eye, left: float) -> bool:
    view = eye.only()
    box = eye.painted(view) if view else None
    return box is not None and overlap(box, clips.face_in(left, 90, 240)) > 0.4


@pytest.mark.parametrize("kind", ["mp4", "webm"])
def test_overlay_comes_up_on_the_face(page: Page, site: Site, clip: Clip, kind: str) -> None:
    page.goto(site.page(f"/one-{kind}", video_page(clip("still", kind), STYLE)))
    eye = watch(page)
    view = wait_for("a verdict", lambda: judged(eye))
    assert len(view.chips) == 1
    assert (view.width, view.height) == (640, 360)
    assert painted_on_face(eye, 150)


def test_overlay_comes_up_on_a_media_source_blob(page: Page, site: Site, clip: Clip) -> None:
    page.goto(site.page("/blob", mse_page(clip("still", "fmp4"))))
    eye = watch(page)
    wait_for("a verdict", lambda: judged(eye))
    assert painted_on_face(eye, 150)
