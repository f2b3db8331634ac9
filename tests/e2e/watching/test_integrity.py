"""What cannot be captured faithfully is named and never scored."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, Playwright

from tests.e2e.browser import Extension, at_rest, extension_with_consent, launch, wait_for, watch
from tests.e2e.overlay_view import Eye
from tests.e2e.site import Site, video_page
from tests.e2e.streams import frames_received
from tests.support.server import TOKEN, Server

Clip = Callable[[str, str], str]
STYLE = "width:640px;height:360px"


def says(eye: Eye, words: str) -> bool:
    view = eye.only()
    return view is not None and words in (view.badge or "") and not view.chips


def judged(eye: Eye) -> bool:
    view = eye.only()
    return view is not None and any(chip.verdict != "gathering" for chip in view.chips)


def test_black_video_is_named_and_not_sent(
    page: Page, site: Site, clip: Clip, extension: Extension, server: Server
) -> None:
    page.goto(site.page("/black", video_page(clip("black", "mp4"), STYLE)))
    eye = watch(page)
    wait_for("the word", lambda: says(eye, "black"))
    assert frames_received(server) == 0


def test_encrypted_video_is_named_and_not_sent(
    page: Page, site: Site, clip: Clip, extension: Extension, server: Server
) -> None:
    site.page("/drm", video_page(clip("still", "mp4"), STYLE))
    page.goto(site.address("/drm", host="127.0.0.1"))  # keys are for secure contexts only
    eye = watch(page)
    wait_for("a verdict before", lambda: judged(eye))
    page.evaluate("""async () => {
      const kinds = [{ initDataTypes: ["cenc"],
        videoCapabilities: [{ contentType: 'video/mp4; codecs="avc1.640016"' }] }];
      const access = await navigator.requestMediaKeySystemAccess("org.w3.clearkey", kinds);
      await v.setMediaKeys(await access.createMediaKeys());
    }""")
    wait_for("the word", lambda: says(eye, "copy-protected"))
    before = at_rest(page, lambda: frames_received(server))
    page.wait_for_timeout(1500)
    assert frames_received(server) == before


def test_video_of_another_site_without_consent_is_named(
    page: Page, site: Site, clip: Clip, extension: Extension, server: Server
) -> None:
    foreign = site.address(clip("still", "mp4"), host="media.test")
    page.goto(site.page("/foreign", video_page(foreign, STYLE)))
    eye = watch(page)
    wait_for("the word", lambda: says(eye, "keeps the video's pixels"))
    assert frames_received(server) == 0
    # With the same element on a source of the site's own it works again.
    page.evaluate(f"v.src = '{clip('still', 'mp4')}'")
    wait_for("a verdict", lambda: judged(eye))


def test_video_of_another_site_with_consent_is_judged(
    page: Page, site: Site, clip: Clip, extension: Extension
) -> None:
    foreign = site.address(clip("still", "mp4"), host="media.test") + "?cors"
    markup = video_page(foreign, STYLE).replace("<video", '<video crossorigin="anonymous"')
    page.goto(site.page("/cors", markup))
    eye = watch(page)
    wait_for("a verdict", lambda: judged(eye))


ONE_PIXEL_OFF = """
const read = OffscreenCanvasRenderingContext2D.prototype.getImageData;
OffscreenCanvasRenderingContext2D.prototype.getImageData = function (...args) {
  const image = read.apply(this, args);
  image.data[4 * 700] ^= 1;
  return image;
};
"""


@pytest.fixture
def noisy(
    playwright: Playwright, site: Site, server: Server, tmp_path: Path
) -> Iterator[BrowserContext]:
    """A browser that changes what is read from a canvas, as guards against fingerprinting do."""
    copy = extension_with_consent(tmp_path / "extension")
    worker = copy / "capture" / "jpeg_worker.js"
    worker.write_text(worker.read_text() + ONE_PIXEL_OFF)
    with launch(playwright, tmp_path / "profile", site.port, copy) as context:
        Extension(context).everywhere(server.url, TOKEN)
        yield context


def test_noise_on_a_single_pixel_is_enough_to_refuse(
    noisy: BrowserContext, site: Site, clip: Clip, server: Server
) -> None:
    page = noisy.new_page()
    page.goto(site.page("/noise", video_page(clip("still", "mp4"), STYLE)))
    eye = watch(page)
    wait_for("the word", lambda: says(eye, "alters captured pictures"))
    page.wait_for_timeout(1500)
    assert frames_received(server) == 0
