"""Video that its site keeps to itself is judged by the picture of the tab, once a person asks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, Playwright

from tests.e2e import clips
from tests.e2e.browser import (
    Extension,
    PicturesOfTabs,
    ToolbarPopup,
    at_rest,
    extension_with_consent,
    launch,
    wait_for,
    watch,
)
from tests.e2e.marked import boxes_in
from tests.e2e.overlay_view import Box, Eye, OverlayView
from tests.e2e.site import Site, video_page
from tests.e2e.streams import frames_received, streams
from tests.support.paths import EXTENSION
from tests.support.server import TOKEN, Server

Clip = Callable[[str, str], str]
pytestmark = pytest.mark.timeout(420)
STYLE = "width:640px;height:360px;margin:60px 40px"
PATIENCE_S = 60
CLEAR = 1.6  # sides of the square that marks keep clear, in longer sides of the face
STILL = clips.face_in(150, 90, 240)


@pytest.fixture(scope="module")
def browser(
    playwright: Playwright, site: Site, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[BrowserContext]:
    """A browser on a screen with two pixels to a CSS pixel."""
    folder = tmp_path_factory.mktemp("browser")
    copy = extension_with_consent(folder / "extension")
    with launch(playwright, folder / "profile", site.port, copy, device_scale_factor=2) as context:
        yield context


@pytest.fixture(autouse=True)
def on(extension: Extension, server: Server) -> None:
    extension.store({"server": server.url, "token": TOKEN})


def judged(eye: Eye) -> OverlayView | None:
    view = eye.only()
    if view and view.chips and all(chip.verdict != "gathering" for chip in view.chips):
        return view
    return None


def says(eye: Eye, words: str) -> bool:
    view = eye.only()
    return view is not None and words in (view.badge or "")


def look(page: Page, extension: Extension) -> None:
    """Click on the icon, and on the button that looks at the tab's picture."""
    popup = ToolbarPopup(page.context, extension, page)
    hidden = "document.querySelector('#tab-picture').hidden"
    wait_for("the offer", lambda: not popup.evaluate(hidden), PATIENCE_S)
    assert "keeps its video's pixels" in popup.text("#tab-picture-words")
    popup.click("#tab-picture-button")


def popup_says(page: Page, extension: Extension, words: str) -> None:
    popup = ToolbarPopup(page.context, extension, page)
    wait_for(words, lambda: words in popup.text("#tab-picture"), PATIENCE_S)


def off(eye: Eye, face: Box, shape: float = 9 / 16) -> float:
    """How far the mark is from a face, in widths of a video that is ``shape`` as high as wide."""
    view = eye.only()
    box = eye.box(view) if view else None
    if view is None or box is None:
        return 1.0
    x, y = face[0] + face[2] / 2, (face[1] + face[3] / 2) * shape
    found = box[0] + box[2] / 2, (box[1] + box[3] / 2) * view.height / view.width
    return max(abs(found[0] - x), abs(found[1] - y), abs(box[2] / CLEAR - face[3] * shape))


def probability(server: Server) -> float | None:
    faces = [face for one in streams(server) for face in one["faces"]]
    found: float | None = faces[0]["probability"] if len(faces) == 1 else None
    return found


def settled(server: Server) -> float:
    """The probability once a whole window has been seen since now, and no longer moves."""
    received = frames_received(server)
    wait_for("a window", lambda: frames_received(server) > received + 30, PATIENCE_S)
    value: float = wait_for("a probability", lambda: probability(server), PATIENCE_S)
    return value


HOST = "document.querySelector('[popover]').style.setProperty('visibility', '{}', 'important')"


def test_it_is_judged_by_the_tabs_picture_and_not_by_its_own_marks(
    page: Page, site: Site, clip: Clip, extension: Extension, server: Server
) -> None:
    foreign = site.address(clip("still", "mp4"), host="media.test")
    page.goto(site.page("/kept", video_page(foreign, STYLE)))
    eye = watch(page)
    wait_for("the offer on the page", lambda: says(eye, "keeps the video's pixels"), PATIENCE_S)
    assert frames_received(server) == 0, "nothing is looked at before a click"
    look(page, extension)
    wait_for("a verdict", lambda: judged(eye), PATIENCE_S)
    wait_for("the mark on the face", lambda: off(eye, STILL) < 0.03, PATIENCE_S)
    popup_says(page, extension, "sees this tab as you see it")
    with_marks = settled(server)
    page.evaluate(HOST.format("hidden"))
    without = settled(server)
    # The made-up model averages the crop's colours: a line across it would show.
    assert with_marks == pytest.approx(without, abs=0.003)
    page.evaluate(HOST.format("visible"))
    # Loaded anew behind another tab: to the page itself it seems to be in front.
    other = page.context.new_page()
    other.goto(site.page("/other", "<!doctype html><title>another tab</title>"))
    other.bring_to_front()
    page.reload()
    wait_for("the video", lambda: page.evaluate("v.currentTime > 1"), PATIENCE_S)
    wait_for("the end of the stream", lambda: streams(server) == [], PATIENCE_S)
    page.wait_for_timeout(3000)  # a look around, and one more
    assert streams(server) == [] and watch(page).overlays() == []
    page.bring_to_front()
    eye = watch(page)
    wait_for("a verdict in front", lambda: judged(eye), PATIENCE_S)
    other.close()
    # Another video in the element: black is said to be black, and one of the site's own is read.
    page.evaluate(
        "address => { v.src = address }", site.address(clip("black", "mp4"), "media.test")
    )
    wait_for("black", lambda: says(eye, "the captured picture is black"), PATIENCE_S)
    page.evaluate("address => { v.src = address }", clip("still", "mp4"))
    wait_for("a verdict on pixels", lambda: judged(eye), PATIENCE_S)
    page.evaluate("address => { v.src = address }", foreign)
    wait_for("a verdict by the tab again", lambda: judged(eye), PATIENCE_S)
    # The next site was not asked for.
    page.goto(site.address("/kept", host="other.test"))
    eye = watch(page)
    wait_for("that it has ended", lambda: says(eye, "has ended"), PATIENCE_S)
    popup_says(page, extension, "has ended")
    assert frames_received(server) == 0


def test_zoomed_scrolled_covered_and_framed(
    page: Page, site: Site, clip: Clip, extension: Extension, server: Server
) -> None:
    foreign = site.address(clip("still", "mp4"), host="media.test")
    banner = "position:fixed;left:0;right:0;top:0;height:100px;background:#fff"
    below = f'<div style="{banner}">a bar of the site</div><p style="height:3000px">'
    style = "width:640px;height:360px;margin:160px 0 0 20px;transform:scaleX(-1)"
    page.goto(site.page("/zoomed", video_page(foreign, style, below)))
    eye = watch(page)
    tab = extension.tab_id(page.url)
    look(page, extension)
    wait_for("a verdict", lambda: judged(eye), PATIENCE_S)
    x, y, width, height = STILL
    mirrored = (1 - x - width, y, width, height)
    wait_for("the mark on the face", lambda: off(eye, mirrored) < 0.03, PATIENCE_S)
    extension.worker.evaluate("tab => chrome.tabs.setZoom(tab, 1.5)", tab)
    page.evaluate("scrollTo(0, 90)")  # the bar lies on the upper part, not on the face
    wait_for("the mark after zoom and scroll", lambda: off(eye, mirrored) < 0.03, PATIENCE_S)
    page.evaluate("scrollTo(0, 240)")  # now it hides the eyes
    wait_for("no face under the bar", lambda: (v := eye.only()) and not v.chips, PATIENCE_S)
    # A picture of the page's own that takes no clicks: over all of the video it is said, for it
    # may be seen through; over the face alone it is left out.
    page.evaluate("scrollTo(0, 90)")
    page.evaluate(DRAW_OVER, [20, 160, 640, 360])
    wait_for("the word on it", lambda: says(eye, "may draw over this video"), PATIENCE_S)
    wait_for("the mark all the same", lambda: off(eye, mirrored) < 0.03, PATIENCE_S)
    x, y, width, height = (640 * mirrored[0], 360 * y, 640 * width, 360 * height)
    page.evaluate(DRAW_OVER, [20 + x, 160 + y, width, height])
    wait_for("no face under the picture", lambda: (v := eye.only()) and not v.chips, PATIENCE_S)
    assert not says(eye, "may draw over")
    # Something small of the page's own, away from the face and from where is looked first.
    page.evaluate(DRAW_OVER, [0, 0, 0, 0])
    page.evaluate(SMALL_BOX, [20 + 640 * 0.14, 160 + 360 * 0.78, 60, 50])
    pictures = PicturesOfTabs(extension, page)
    pictures.evaluate(KEEP)
    middle = (1 - (0.14 + 30 / 640), 0.78 + 25 / 360)  # in the picture, which is mirrored

    def left_out() -> bool:
        pictures.evaluate("keep('first')")
        return bool(pictures.evaluate(f"isLeftOut({middle[0]}, {middle[1]})"))

    wait_for("the small box, left out", left_out, PATIENCE_S)
    # The same video within a frame of another site, and in one of no site.
    for name, sandbox in (("player", ""), ("closed", 'sandbox="allow-scripts"')):
        inner = site.address("/inner", host="player.test")
        site.page("/inner", video_page(foreign, "width:640px;height:360px;margin:10px"))
        frame = f'<iframe {sandbox} src="{inner}" width="680" height="400" allow="autoplay">'
        page.goto(site.page(f"/{name}", f'<body style="margin:70px 30px">{frame}</iframe>'))
        extension.worker.evaluate("tab => chrome.tabs.setZoom(tab, 1)", tab)
        # The look goes on within the site. Frames of other processes are out of the eye's
        # reach: the server has the face's place.
        wait_for("the face in the frame", lambda: near(server, STILL), PATIENCE_S)
    # While the page around the frame scrolls it is not known where the video is in a picture.
    page.evaluate("document.body.style.height = '3000px'")
    page.evaluate("window.on = setInterval(() => scrollBy(0, 2), 30)")
    received = at_rest(page, lambda: frames_received(server))
    page.wait_for_timeout(3000)
    assert frames_received(server) <= received + 1, "judged where it was not"
    page.evaluate("clearInterval(on); scrollTo(0, 0)")
    wait_for("pictures again", lambda: frames_received(server) > received + 5, PATIENCE_S)
    wait_for("the face in its place", lambda: near(server, STILL), PATIENCE_S)


DRAW_OVER = """([left, top, width, height]) => {
  window.art ??= document.body.appendChild(document.createElement("canvas"));
  art.style.cssText = `position:absolute;pointer-events:none;left:${left}px;top:${top}px;` +
    `width:${width}px;height:${height}px`;
}"""


SMALL_BOX = """([left, top, width, height]) => {
  const box = document.body.appendChild(document.createElement("button"));
  box.style.cssText = `position:absolute;border:0;background:#c00;left:${left}px;top:${top}px;` +
    `width:${width}px;height:${height}px`;
}"""


def near(server: Server, face: Box) -> bool:
    found = [one["box"] for stream in streams(server) for one in stream["faces"]]
    if len(found) != 1:
        return False
    x, y, width, height = found[0]
    middle = (face[0] + face[2] / 2, face[1] + face[3] / 2)
    return abs(x + width / 2 - middle[0]) < 0.03 and abs(y + height / 2 - middle[1]) < 0.05


def test_frame_that_nobody_can_enter_is_judged_as_a_whole(
    playwright: Playwright, site: Site, clip: Clip, server: Server, tmp_path: Path
) -> None:
    """No site is permitted here: the click on the icon reaches the page, not a sandbox in it."""
    site.page("/inner", video_page(clip("still", "mp4"), "width:640px;height:360px;margin:20px"))
    inner = site.address("/inner", host="player.test")
    frame = f'<iframe sandbox="allow-scripts" src="{inner}" width="680" height="400"></iframe>'
    address = site.page("/closed", f'<body style="margin:60px 30px">{frame}')
    with launch(playwright, tmp_path / "profile", site.port, EXTENSION) as context:
        extension = Extension(context)
        extension.store({"server": server.url, "token": TOKEN})
        page = context.new_page()
        page.goto(address)
        popup = ToolbarPopup(context, extension, page)
        popup.click("#watch")
        hidden = "document.querySelector('#tab-picture').hidden"
        wait_for("the offer", lambda: not popup.evaluate(hidden), PATIENCE_S)
        assert popup.text("#tab-picture-words").startswith("Fakelight can look at the tab's")
        assert "keeps every extension out" in popup.text("#players-words")
        assert "pixels" not in popup.text()
        popup.click("#tab-picture-button")
        eye = watch(page)
        view = wait_for("a verdict", lambda: judged(eye), PATIENCE_S)
        assert (view.width, view.height) == (680, 400)
        x, y, width, height = STILL
        in_frame = ((20 + 640 * x) / 680, (20 + 360 * y) / 400, width * 640 / 680, height * 0.9)
        wait_for("the mark", lambda: off(eye, in_frame, 400 / 680) < 0.03, PATIENCE_S)


# `keep(name)` keeps the next picture that is cut out of the tab's; `other()` is how much of the
# second differs from the first where neither is left out; `isLeftOut(x, y)` tells whether a point
# of the first is, in fractions of it.
KEEP = """(() => {
  const real = OffscreenCanvas.prototype.transferToImageBitmap;
  const kept = {};
  let wanted = null;
  OffscreenCanvas.prototype.transferToImageBitmap = function () {
    if (wanted) {
      const { data } = this.getContext("2d").getImageData(0, 0, this.width, this.height);
      kept[wanted.name] = { width: this.width, height: this.height, data };
      wanted.done(this.width);
      wanted = null;
    }
    return real.call(this);
  };
  globalThis.keep = (name) => new Promise((done) => { wanted = { name, done }; });
  const isLeftOut = (data, i) => [0, 1, 2].every((c) => data[i + c] === 128);
  globalThis.isLeftOut = (x, y) => {
    const { width, height, data } = kept.first;
    return isLeftOut(data, 4 * (Math.floor(y * height) * width + Math.floor(x * width)));
  };
  globalThis.other = () => {
    const [a, b] = [kept.first.data, kept.second.data];
    let differ = 0;
    for (let i = 0; i < a.length; i += 4)
      if (!isLeftOut(a, i) && !isLeftOut(b, i))
        if ([0, 1, 2].some((c) => Math.abs(a[i + c] - b[i + c]) > 40)) differ++;
    return differ / (a.length / 4);
  };
})()"""


@pytest.fixture
def plain(playwright: Playwright, site: Site, server: Server, tmp_path: Path) -> Iterator[Page]:
    """A page in a window as it is, for a tab's picture has nothing of a size that is emulated."""
    copy = extension_with_consent(tmp_path / "extension")
    size = {"viewport": None, "no_viewport": True}
    flags = ("--window-size=1340,860", "--screen-info={1366x900}")
    with launch(playwright, tmp_path / "profile", site.port, copy, flags, **size) as context:
        Extension(context).everywhere(server.url, TOKEN)
        yield context.new_page()


def test_nothing_of_ours_is_in_what_is_judged(
    plain: Page, site: Site, clip: Clip, server: Server, tmp_path: Path
) -> None:
    """In fullscreen, where nothing can stand outside of the picture, and the face fills it."""
    page, extension = plain, Extension(plain.context)
    foreign = site.address(clip("close_up", "mp4"), host="media.test")
    cover = "<style>video:fullscreen { object-fit: cover }</style>"
    page.goto(site.page("/close", video_page(foreign, STYLE, cover)))
    eye = watch(page)
    look(page, extension)
    wait_for("a verdict", lambda: judged(eye), PATIENCE_S)
    page.evaluate("v.requestFullscreen()")
    full: OverlayView = wait_for(
        "a verdict in fullscreen", lambda: (v := judged(eye)) and v.width > 700 and v, PATIENCE_S
    )
    [chip] = full.chips
    assert 0 <= chip.x < full.width and 0 <= chip.y < full.height, "the label is in the picture"
    pictures = PicturesOfTabs(extension, page)
    pictures.evaluate(KEEP)
    page.evaluate(HOST.format("hidden"))
    without = settled(server)
    assert pictures.evaluate("keep('first')") == clips.SIZE[0]
    page.evaluate(HOST.format("visible"))
    with_marks = settled(server)
    page.screenshot(path=tmp_path / "fullscreen.png")
    assert pictures.evaluate("keep('second')") == clips.SIZE[0]
    differs = pictures.evaluate("other()")
    # A label that has just grown by a letter may stand out by a pixel or two for one picture.
    assert differs < 0.001, f"{100 * differs:.2f} % of what is judged are our own drawing"
    # The made-up model averages the crop's colours.
    assert with_marks == pytest.approx(without, abs=0.003)


@pytest.mark.timeout(600)
def test_small_faces_are_cut_out_as_large_as_the_tab_shows_them(
    plain: Page, site: Site, clip: Clip, server: Server
) -> None:
    """In whole pictures of 960 pixels this one is too small to be judged."""
    page, extension = plain, Extension(plain.context)
    extension.store({"cutOuts": False})
    foreign = site.address(clip("distant", "mp4"), host="media.test")
    style = "width:1280px;height:720px;transform:scaleX(-1)"
    page.goto(site.page("/distant", video_page(foreign, style)))
    # Slowly, so that answers of a busy machine are of a moment ago still: it stands still anyway.
    page.evaluate("v.playbackRate = 0.125")
    eye = watch(page)
    look(page, extension)
    wait_for("no verdict", lambda: verdicts(server) == ["not_enough_evidence"], 2 * PATIENCE_S)
    extension.store({"cutOuts": True})
    told = ("likely_real", "unsure", "likely_fake")
    wait_for("a verdict", lambda: [v in told for v in verdicts(server)] == [True], 2 * PATIENCE_S)
    [(x, y, width, height)] = boxes_in(clips.afar_at(0, clips.DISTANT))
    mirrored = (1 - x - width, y, width, height)
    wait_for("the mark on the face", lambda: off(eye, mirrored) < 0.03, PATIENCE_S)


def verdicts(server: Server) -> list[str]:
    return [face["verdict"] for one in streams(server) for face in one["faces"]]


TAKE = """async id => {
  const mandatory = { chromeMediaSource: "tab", chromeMediaSourceId: id };
  window.held = await navigator.mediaDevices.getUserMedia({ video: { mandatory } });
}"""


def test_single_pictures_and_the_end_are_said(
    page: Page, site: Site, clip: Clip, extension: Extension, server: Server
) -> None:
    foreign = site.address(clip("still", "mp4"), host="media.test")
    page.goto(site.page("/shots", video_page(foreign, STYLE)))
    eye = watch(page)
    tab = extension.tab_id(page.url)
    # Somebody else has the tab's stream, which the browser gives only once, and for a short time.
    other = page.context.new_page()
    other.goto(extension.address("options/options.html"))
    ToolbarPopup(page.context, extension, page)
    stream = extension.worker.evaluate(
        "tab => chrome.tabCapture.getMediaStreamId({ targetTabId: tab })", tab
    )
    other.evaluate(TAKE, stream)
    page.bring_to_front()
    look(page, extension)
    wait_for("a verdict", lambda: judged(eye), PATIENCE_S)
    wait_for("how often", lambda: says(eye, "Two pictures a second"), PATIENCE_S)
    wait_for("the mark on the face", lambda: off(eye, STILL) < 0.03, PATIENCE_S)
    popup_says(page, extension, "two pictures a second")
    # The browser takes the document away that has the picture.
    extension.worker.evaluate("chrome.offscreen.closeDocument()")
    wait_for("that it has ended", lambda: says(eye, "has ended"), PATIENCE_S)
    other.close()
    popup = ToolbarPopup(page.context, extension, page)
    wait_for("the way back", lambda: "has ended" in popup.text("#tab-picture"), PATIENCE_S)
    popup.click("#tab-picture-button")
    wait_for("a verdict again", lambda: judged(eye), PATIENCE_S)
    wait_for("no word on it", lambda: not says(eye, "Two pictures"), PATIENCE_S)
    # The person stops it; nothing is taken from then on.
    popup = ToolbarPopup(page.context, extension, page)
    wait_for("the way out", lambda: "Stop" in popup.text("#tab-picture"), PATIENCE_S)
    popup.click("#tab-picture-button")
    wait_for("the offer", lambda: says(eye, "keeps the video's pixels"), PATIENCE_S)
    received = at_rest(page, lambda: frames_received(server))
    page.wait_for_timeout(1000)
    assert frames_received(server) == received
