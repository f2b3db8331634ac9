"""Large videos: faces are sent cut out of them, at the video's own resolution."""

from __future__ import annotations

from collections.abc import Callable
from statistics import mean

from playwright.sync_api import Page

from tests.e2e import clips
from tests.e2e.browser import Extension, at_rest, wait_for, watch
from tests.e2e.marked import boxes_in, is_near
from tests.e2e.overlay_view import Eye
from tests.e2e.site import Site, video_page
from tests.e2e.wire import SentFrame, Wire

PATIENCE_S = 60
WHOLE = [0, 0, *clips.LARGE]


def test_a_small_face_of_a_large_video_is_judged_for_fewer_bytes(
    page: Page, site: Site, clip: Callable[[str, str], str], extension: Extension
) -> None:
    extension.store({"cutOuts": False})
    page.goto(site.page("/afar", video_page(clip("afar", "mp4"), "width:960px;height:540px")))
    # Slowly, so that a busy machine sees as many pictures of each second as a quick one.
    page.evaluate("v.playbackRate = 0.25")
    eye = watch(page)

    def verdict() -> str | None:
        view = eye.only()
        return view.chips[0].verdict if view and view.chips else None

    wait_for("no verdict", lambda: verdict() == "not_enough_evidence", PATIENCE_S)
    wire = Wire(page)
    in_full = wire.next(10)
    assert all(frame.parts == [] for frame in in_full)

    extension.store({"cutOuts": True})
    judged = ("likely_real", "unsure", "likely_fake")
    wait_for("a verdict by the cut-outs", lambda: verdict() in judged, PATIENCE_S)
    marked = [at_the_face(page, eye) for _ in range(5)]
    assert sum(marked) >= 4, marked
    cut_out = wire.next(25)
    assert share_with_the_whole(cut_out) < 0.5, [frame.parts for frame in cut_out]
    assert mean(one.size for one in cut_out) < mean(one.size for one in in_full) / 3


def at_the_face(page: Page, eye: Eye) -> bool:
    """Whether the box is at the face of the very picture, after half a second more of it."""
    page.wait_for_timeout(2000)
    time = page.evaluate("async () => { v.pause(); return v.currentTime }")
    box = at_rest(page, lambda: (view := eye.only()) and eye.box(view))
    page.evaluate("v.play()")
    [face] = boxes_in(clips.afar_at(time))
    return box is not None and is_near(box, face, clips.LARGE)


def share_with_the_whole(frames: list[SentFrame]) -> float:
    """Of the frames, those that hold the whole video."""
    return mean(not frame.parts or WHOLE in frame.parts for frame in frames)
