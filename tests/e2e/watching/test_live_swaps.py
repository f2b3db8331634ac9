"""Live face swaps in the browser, with the real models: the left half of each clip shows the
person, the right half the swap of the same moment."""

from __future__ import annotations

import json
import statistics
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, Playwright

from tests.e2e.browser import Extension, extension_with_consent, launch, wait_for, watch
from tests.e2e.overlay_view import Eye
from tests.e2e.site import Site, video_page
from tests.support.server import TOKEN, start_server
from tests.support.shared import MISSING, SHARED

CLIPS = SHARED / "clips" / "dev"
pytestmark = [
    pytest.mark.shared,
    pytest.mark.timeout(400),
    pytest.mark.skipif(not any(CLIPS.glob("deepfacelive-*.mp4")), reason=MISSING),
]


@pytest.fixture(scope="module")
def browser(
    playwright: Playwright, site: Site, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[BrowserContext]:
    folder = tmp_path_factory.mktemp("browser")
    server = start_server(folder / "server")
    copy = extension_with_consent(folder / "extension")
    try:
        with launch(playwright, folder / "profile", site.port, copy) as context:
            Extension(context).everywhere(server.url, TOKEN)
            yield context
    finally:
        server.stop()


def on_both(eye: Eye) -> bool:
    """Whether the overlay has a judged face in each half of the picture, and only these."""
    view = eye.only()
    if view is None or len(view.chips) != 2 or any(c.verdict == "gathering" for c in view.chips):
        return False
    first, second = sorted(chip.x for chip in view.chips)
    return second - first > 0.25 * view.width


def watch_once(page: Page, site: Site, clip: Path) -> tuple[dict[str, list[float]], bool]:
    """Play a clip to its end; the probabilities of the face in each half, and whether the overlay
    had a label on both."""
    halves: dict[str, list[float]] = {"left": [], "right": []}

    def hear(text: str | bytes) -> None:
        message = json.loads(text)
        for face in message.get("faces", []):
            left, _top, width, _height = face["box"]
            half = "left" if left + width / 2 < 0.5 else "right"
            if face["probability"] is not None:
                halves[half].append(face["probability"])

    page.on("websocket", lambda socket: socket.on("framereceived", hear))
    site.files[f"/{clip.name}"] = clip
    markup = video_page(f"/{clip.name}", "width:960px").replace(" loop", "")
    page.goto(site.page(f"/swap-{clip.stem}", markup))
    eye = watch(page)
    wait_for("a label on each half", lambda: page.evaluate("v.ended") or on_both(eye), seconds=30)
    boxed = on_both(eye)
    wait_for("the end of the clip", lambda: page.evaluate("v.ended"), seconds=30)
    page.wait_for_timeout(500)
    return halves, boxed


def test_each_half_has_a_verdict_of_its_own(browser: BrowserContext, site: Site) -> None:
    higher, judged, boxed = 0, 0, 0
    lines = []
    clips = sorted(CLIPS.glob("deepfacelive-*.mp4"))
    for clip in clips:
        page = browser.new_page()
        halves, both = watch_once(page, site, clip)
        boxed += both
        page.close()
        if halves["left"] and halves["right"]:
            judged += 1
            real, fake = (statistics.median(halves[half]) for half in ("left", "right"))
            higher += fake > real
            lines.append(f"{clip.stem:40} real {real:.2f}  fake {fake:.2f}")
        else:
            lines.append(f"{clip.stem:40} { ({half: len(p) for half, p in halves.items()}) }")
    print("\n".join(lines))
    print(f"the fake half scores higher in {higher} of {judged} pairs judged, {len(clips)} clips")
    assert judged >= 0.75 * len(clips), "\n".join(lines)
    assert boxed >= 0.75 * len(clips), f"the overlay had both labels in {boxed} clips only"
