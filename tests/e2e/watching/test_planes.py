"""Pictures travel as the decoder made them, at the right times, where the browser allows it."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, Playwright

from tests.e2e.browser import launch
from tests.e2e.site import Site, video_page
from tests.support.paths import EXTENSION

Clip = Callable[[str, str], str]

COLOURS = """async () => {
  const { planesOf, frameFrom } = await import("/capture/planes.js");
  const pixels = (picture) => {
    const context = new OffscreenCanvas(v.videoWidth, v.videoHeight).getContext("2d");
    context.drawImage(picture, 0, 0, v.videoWidth, v.videoHeight);
    return context.getImageData(0, 0, v.videoWidth, v.videoHeight).data;
  };
  v.pause();
  let frame, theirs, after;
  do {
    [frame, theirs, after] = [new VideoFrame(v), pixels(v), new VideoFrame(v)];
  } while (after.timestamp !== frame.timestamp); // a picture that was on its way when it was paused
  const planes = structuredClone(await planesOf(frame));
  const there = frameFrom(planes);
  const ours = pixels(there);
  let most = 0;
  for (let at = 0; at < ours.length; at++) most = Math.max(most, Math.abs(ours[at] - theirs[at]));
  return { most, bright: Math.max(...theirs.slice(0, 4000)) };
}"""

REFUSED = """async () => {
  const { planesOf } = await import("/capture/planes.js");
  const frame = new VideoFrame(v);
  const turned = new VideoFrame(frame, { rotation: 90 });
  const canvas = new OffscreenCanvas(64, 64);
  canvas.getContext("2d").fillRect(0, 0, 64, 64);
  const drawn = new VideoFrame(canvas, { timestamp: 0 });
  const wide = { format: "I420", codedWidth: 3840, codedHeight: 2160, timestamp: 0 };
  const large = new VideoFrame(new ArrayBuffer(3840 * 2160 * 1.5), wide);
  const found = { plain: await planesOf(frame), turned: await planesOf(turned),
    drawn: await planesOf(drawn), large: await planesOf(large) };
  return Object.fromEntries(Object.entries(found).map(([name, planes]) => [name, planes !== null]));
}"""

TAKER = """async () => {
  const { FrameTaker } = await import("/capture/frames.js");
  window.asked = 0;
  const ask = v.requestVideoFrameCallback;
  v.requestVideoFrameCallback = function (call) { window.asked++; return ask.call(this, call); };
  window.taken = [];
  window.found = [];
  window.jumps = 0;
  window.taker = new FrameTaker(v, {
    onFrame: (header, [picture]) => {
      taken.push({ ...header, planes: !(picture instanceof ImageBitmap) });
      taker.answered(header.frame_id);
    },
    onJump: () => window.jumps++,
    onFinding: (finding) => found.push(finding),
  });
  taker.sending = true;
  taker.start();
}"""


@pytest.fixture(scope="module")
def plain(
    playwright: Playwright, site: Site, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[BrowserContext]:
    """A browser without the extension; its capture modules are served to the page."""
    for folder in ("capture", "protocol", "shared"):
        for path in (EXTENSION / folder).glob("*.js"):
            site.files[f"/{folder}/{path.name}"] = path
    with launch(playwright, tmp_path_factory.mktemp("plain"), site.port) as context:
        yield context


@pytest.fixture
def page(plain: BrowserContext) -> Iterator[Page]:
    fresh = plain.new_page()
    yield fresh
    fresh.close()


def watch_clip(page: Page, site: Site, address: str) -> None:
    page.goto(site.page("/planes", video_page(address, "width:640px;height:360px")))
    page.wait_for_function("v.currentTime > 0.3")


def take(page: Page, frames: int) -> list[dict[str, Any]]:
    page.evaluate(TAKER)
    page.wait_for_function(f"taken.length >= {frames}")
    found: list[dict[str, Any]] = page.evaluate("taken")
    return found


@pytest.mark.parametrize("kind", ["mp4", "webm"])
def test_planes_show_the_same_colours_to_the_bit(
    page: Page, site: Site, clip: Clip, kind: str
) -> None:
    watch_clip(page, site, clip("still", kind))
    found = page.evaluate(COLOURS)
    assert found["bright"] > 60, "there was no picture to compare"
    assert found["most"] == 0


def test_what_planes_cannot_show_goes_another_way(page: Page, site: Site, clip: Clip) -> None:
    watch_clip(page, site, clip("still", "mp4"))
    assert page.evaluate(REFUSED) == {
        "plain": True,
        "turned": False,
        "drawn": False,
        "large": False,
    }


def test_samples_come_when_they_are_due_without_asking_for_frames(
    page: Page, site: Site, clip: Clip
) -> None:
    watch_clip(page, site, clip("walking", "mp4"))
    taken = take(page, 12)
    assert all(one["planes"] for one in taken)
    assert page.evaluate("asked") == 0, "every asked frame costs the page a turn"
    assert page.evaluate("found") == []
    beats = [math.floor(10 * one["media_time"] + 0.25) for one in taken]
    assert all(b > a for a, b in itertools.pairwise(beats)), "two samples for one beat"


@pytest.mark.parametrize("where", ["older browser", "stream"])
def test_frames_are_asked_for_where_they_do_not_tell_enough(
    page: Page, site: Site, clip: Clip, where: str
) -> None:
    watch_clip(page, site, clip("walking", "mp4"))
    if where == "older browser":
        page.evaluate("delete VideoFrame.prototype.rotation")
    else:
        page.evaluate("""async () => {
          const source = v.cloneNode();
          source.muted = true;
          await source.play();
          window.source = source;
          v.srcObject = source.captureStream();
          await v.play();
        }""")
    taken = take(page, 5)
    assert page.evaluate("asked") > 0
    assert not any(one["planes"] for one in taken)


def test_picture_that_a_seek_leaves_on_the_screen_is_not_taken(
    page: Page, site: Site, clip: Clip
) -> None:
    watch_clip(page, site, clip("still", "mp4"))
    page.evaluate("v.pause()")
    take(page, 1)
    page.wait_for_timeout(500)
    assert page.evaluate("taken.length") == 1, "the same picture was taken twice"
    page.evaluate("taker.restart()")
    page.wait_for_function("taken.length === 2")  # a new socket wants it again
    # The seek is over, as far as the element says, but its picture is not there yet.
    page.evaluate("""() => {
      Object.defineProperty(v, "seeking", { configurable: true, get: () => true });
      taker.restart();
      delete v.seeking;
    }""")
    page.wait_for_timeout(700)
    assert page.evaluate("taken.length") == 2, "the picture from before the seek was taken"
    page.evaluate("v.currentTime = 6")
    page.wait_for_function("taken.length > 2")
    assert page.evaluate("taken.at(-1).media_time") == pytest.approx(6, abs=0.1)


def test_another_sites_picture_is_named(page: Page, site: Site, clip: Clip) -> None:
    watch_clip(page, site, site.address(clip("still", "mp4"), host="media.test"))
    page.evaluate(TAKER)
    page.wait_for_function("found.includes('unreadable')")
    assert page.evaluate("taken.length") == 0
