"""Feeds and walls of videos: what was found stays known, every video has its turn, and the page
pays nothing for it in layout, memory or time."""

from __future__ import annotations

import json
import os
import re
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page
from websockets.sync.client import connect
from websockets.typing import Subprotocol

from tests.e2e import clips
from tests.e2e.browser import Extension, at_rest, wait_for, watch
from tests.e2e.feed_site import FED_PAGE, feed_page, wall_page
from tests.e2e.isolated import ContentWorld
from tests.e2e.marked import boxes_in, is_near
from tests.e2e.overlay_view import Eye, OverlayView
from tests.e2e.site import Site, video_page
from tests.e2e.streams import streams
from tests.support.server import TOKEN, Server, start_server

Clip = Callable[[str, str], str]
pytestmark = pytest.mark.usefixtures("extension")
STYLE = "width:640px;height:360px"
SMALL = "width:300px;height:170px;display:inline-block"
# The brightness is a cut, a first verdict takes 0.8 s after it, and the words count whole seconds.
FLAGGED = re.compile(r"Flagged at 0:0[345]( to 0:0[56])?")


def recalled(eye: Eye) -> str:
    view = eye.only()
    return (view.recall or "") if view else ""


def flagged(eye: Eye) -> re.Match[str] | None:
    return FLAGGED.fullmatch(recalled(eye))


def judged(eye: Eye) -> OverlayView | None:
    view = eye.only()
    fine = view and view.chips and all(chip.verdict != "gathering" for chip in view.chips)
    return view if fine else None


def test_each_video_of_a_feed_keeps_what_was_found(page: Page, site: Site, clip: Clip) -> None:
    long, small, advert = (clip(name, "mp4") for name in ("flagged", "flagged_small", "advert"))
    site.files["/clip-360p.mp4"] = site.folder / long.lstrip("/")
    site.files["/clip-270p.mp4"] = site.folder / small.lstrip("/")
    page.goto(site.page("/feed", feed_page(["/clip-360p.mp4?token=one", advert])))
    eye = watch(page)
    # The same look tells both: on a busy machine the next one is another moment of the clip.
    view = wait_for(
        "the warning", lambda: (v := judged(eye)) and v.chips[0].verdict == "likely_fake" and v
    )
    assert not view.recall, "what the label says need not be said twice"
    wait_for("what was found, after it", lambda: flagged(eye))
    wait_for("the loop", lambda: page.evaluate("v.currentTime") < 1, every=0.05)
    page.evaluate("v.playbackRate = 0.1")  # long before the flagged stretch from here on
    wait_for("what was found, in the next round", lambda: flagged(eye))
    page.evaluate("v.currentTime = 0.5")
    view = wait_for("a label after the seek", lambda: flagged(eye) and judged(eye))
    eye.click(view.chips[0].node)
    card = wait_for("the card", lambda: (v := eye.only()) and v.card)
    assert "In this video so far Flagged at 0:0" in card
    # Another quality of the same, an advert in the same element, and back.
    page.evaluate("swap('/clip-270p.mp4?token=two', 0.1)")
    wait_for("the same in another quality", lambda: flagged(eye))
    page.evaluate(f"swap('{advert}')")
    # The advert is not what was flagged.
    wait_for("a word on the advert", lambda: (v := judged(eye)) and v.recall is None)
    page.evaluate("swap('/clip-360p.mp4?token=three', 0.1)")
    wait_for("what was found, after the advert", lambda: flagged(eye))
    # On to the next clip and back: other elements.
    page.evaluate("next()")
    wait_for("a word on the next clip", lambda: (v := judged(eye)) and v.recall is None)
    page.evaluate("back(); v.playbackRate = 0.1")
    wait_for("what was found, in another element", lambda: flagged(eye))
    assert page.evaluate("v.currentTime") < clips.FLAGGED_S[0]


def test_videos_that_a_page_feeds_are_told_apart(page: Page, site: Site, clip: Clip) -> None:
    """At twice the speed: times are the video's own. A live one that is rewound stays the same."""
    long, advert = clip("flagged", "fmp4"), clip("advert", "fmp4")
    page.goto(site.page("/fed", FED_PAGE))
    page.evaluate(f"attach('{long}', true, 2)")
    eye = watch(page)
    wait_for("what was found", lambda: flagged(eye))
    page.evaluate("v.playbackRate = 0.1; v.currentTime = 0.5; v.play()")
    wait_for("a label after the rewind", lambda: judged(eye) and flagged(eye))
    page.evaluate(f"attach('{long}', false, 2)")
    wait_for("a label", lambda: (v := judged(eye)) and v.recall is None)
    wait_for("what was found in the recording", lambda: flagged(eye))
    page.evaluate(f"attach('{advert}')")
    wait_for("a word on the advert", lambda: (v := judged(eye)) and v.recall is None)
    page.evaluate(f"attach('{long}', false, 0.1)")
    wait_for("what was found, fed anew", lambda: flagged(eye))
    assert page.evaluate("v.currentTime") < clips.FLAGGED_S[0]


def test_more_videos_than_fit_have_their_turns(
    page: Page, site: Site, clip: Clip, server: Server
) -> None:
    page.goto(site.page("/wall", wall_page(clip("still", "mp4"), 9, SMALL)))
    eye = watch(page)
    wait_for("nine overlays", lambda: len(eye.overlays()) == 9)
    wait_for("four streams", lambda: len(streams(server)) == 4)
    turns = ["In turn: judging 4 of 9"] * 5
    wait_for("five that wait", lambda: signs(eye, "In turn") == turns)
    seen: set[tuple[float, float]] = set()

    def everybody() -> bool:
        seen.update((one.left, one.top) for one in eye.overlays() if one.chips)
        assert len(streams(server)) <= 4
        return len(seen) == 9

    wait_for("a word on every one", everybody, seconds=90)
    page.evaluate("for (const n of [0, 1, 2, 3, 4, 5]) document.getElementById('v' + n).pause()")
    wait_for("a label on all that play", lambda: playing_labels(eye) == 3)
    wait_for("no more turns", lambda: signs(eye, "In turn") == [])
    wait_for("the places of the paused", lambda: len(streams(server)) == 3)


def signs(eye: Eye, beginning: str) -> list[str]:
    return [v.badge for v in eye.overlays() if v.badge and v.badge.startswith(beginning)]


def playing_labels(eye: Eye) -> int:
    """Labels in the last row of the wall."""
    views = eye.overlays()
    last = max(view.top for view in views)
    return sum(bool(view.chips) for view in views if view.top == last)


@contextmanager
def places_taken(server: Server, count: int) -> Iterator[None]:
    """``count`` other streams, opened with the same token."""
    with ExitStack() as stack:
        for _ in range(count):
            socket = stack.enter_context(
                connect(server.socket_url, subprotocols=[Subprotocol("fakelight.v1")])
            )
            socket.send(json.dumps({"type": "hello", "protocol": 1, "token": TOKEN}))
            assert json.loads(socket.recv(60))["type"] == "welcome"
        yield


@contextmanager
def held_back(server: Server) -> Iterator[None]:
    """The server's process gets a small share of the time, as on a machine with much else to do."""
    ended = threading.Event()

    def hold() -> None:
        while not ended.is_set():
            os.kill(server.process.pid, signal.SIGSTOP)
            ended.wait(1.6)
            os.kill(server.process.pid, signal.SIGCONT)
            ended.wait(0.05)

    thread = threading.Thread(target=hold)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def test_server_that_takes_fewer_or_is_behind_is_told(
    page: Page,
    site: Site,
    clip: Clip,
    extension: Extension,
    server: Server,
    tiny_models: Path,
    tmp_path: Path,
) -> None:
    most = {"FAKELIGHT_MAX_STREAMS": "16"}
    small = start_server(tmp_path, "--models", str(tiny_models), environment=most)
    try:
        extension.store({"server": small.url})
        with places_taken(small, 14):
            page.goto(site.page("/few", wall_page(clip("still", "mp4"), 3, SMALL)))
            eye = watch(page)
            turn = "In turn: judging 2 of 3"
            wait_for("the turns", lambda: signs(eye, "In turn") == [turn])
        page.evaluate("v0.remove(); v1.remove()")
        wait_for("a word on the one that is left", lambda: judged(eye))
        with held_back(small):
            wait_for("the word", lambda: signs(eye, "Busy: looking less often"), seconds=60)
        wait_for("the old pace", lambda: judged(eye) and not signs(eye, "Busy"), seconds=90)
    finally:
        extension.store({"server": server.url})
        small.stop()


def counts(session: Any) -> dict[str, float]:
    """What the page's process holds once the garbage is gone."""
    for _ in range(3):
        session.send("HeapProfiler.collectGarbage")
    found = session.send("Performance.getMetrics")["metrics"]
    return {one["name"]: one["value"] for one in found}


def test_feed_leaves_nothing_behind_and_moves_nothing(
    page: Page, site: Site, clip: Clip, server: Server
) -> None:
    names = [clip(name, "mp4") for name in ("still", "walking", "flagged", "advert")]
    page.goto(site.page("/endless", feed_page(names)))
    eye = watch(page)
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable")

    def swaps(count: int) -> None:
        for _ in range(count):
            page.evaluate("next()")
            wait_for("a label", lambda: (v := eye.only()) and v.chips)
        # Without the debugger's own hold on the nodes that it was shown.
        eye.session.send("DOM.disable")

    swaps(6)
    before = counts(session)
    swaps(18)
    after = counts(session)
    # The feed itself adds an entry of a few nodes for each clip.
    entries = 18 * 6
    assert after["Nodes"] - before["Nodes"] < entries + 60
    assert after["JSEventListeners"] - before["JSEventListeners"] < 20
    assert after["JSHeapUsedSize"] < 1.25 * before["JSHeapUsedSize"] + 1e6
    wait_for("the streams to end", lambda: len(streams(server)) <= 1)
    # The sign that there is no face folds to a dot, and opens again.
    page.evaluate(f"swap('{clip('empty', 'mp4')}')")
    wait_for("the dot", lambda: (v := eye.only()) and v.folded, seconds=60)
    page.evaluate(f"swap('{names[0]}')")
    wait_for("a label", lambda: (v := eye.only()) and v.chips, seconds=60)
    # Moved by the page as sliders and full-page players do: the overlay goes along.
    page.evaluate("v.style.transform = 'translate(90px, 40px)'")
    wait_for("the overlay in the new place", lambda: (v := eye.only()) and v.left == 90)
    page.wait_for_timeout(300)
    assert page.evaluate("shifts") == []
    page.evaluate("document.querySelector('h1').style.marginTop = '90px'; scrollTo(0, 0)")
    page.wait_for_timeout(300)
    page.evaluate("document.querySelector('h1').style.marginTop = '0'")
    wait_for("the page's own shift, seen", lambda: page.evaluate("shifts.length") > 0)
    # A very long page.
    page.evaluate("document.querySelector('h1').style.marginTop = '500000px'; v.scrollIntoView()")
    there = page.evaluate("v.getBoundingClientRect().y + scrollY")
    assert there > 500_000
    [face] = boxes_in(next(clips.still()))

    def on_the_face() -> bool:
        view = judged(eye)
        box = eye.box(view) if view and abs(view.top - there) < 1 else None
        return box is not None and is_near(box, face, clips.SIZE)

    wait_for("a box on the face far down", on_the_face, seconds=60)


# What a timer of ours would do on a page, whichever it is.
COUNT = """
globalThis.calls = 0;
for (const name of ["querySelectorAll", "querySelector"]) {
  const real = Document.prototype[name];
  Document.prototype[name] = function (...args) { calls++; return real.apply(this, args); };
}
const real = performance.now.bind(performance);
performance.now = () => { calls++; return real(); };
"""


def test_nothing_of_ours_is_on_a_page_that_is_off(
    page: Page, site: Site, clip: Clip, extension: Extension
) -> None:
    world = ContentWorld(page, extension)
    page.goto(site.page("/on-then-off", video_page(clip("still", "mp4"), STYLE)))
    eye = watch(page)
    wait_for("a label", lambda: judged(eye))
    world.evaluate(COUNT)
    assert listeners(world) > 0
    wait_for("our own calls, seen", lambda: world.evaluate("calls") > 0)
    tab = extension.tab_id(page.url)
    extension.command({"type": "site-off", "site": "http://site.test", "tabId": tab})
    try:
        wait_for("the overlay to go", lambda: eye.overlays() == [])
        assert page.evaluate("document.documentElement.children.length") == 2
        calls = at_rest(page, lambda: world.evaluate("calls"))
        page.wait_for_timeout(4000)
        assert world.evaluate("calls") == calls, "a timer or an observer of ours still runs"
        assert listeners(world) == 0
        page.reload()
        wait_for("the video", lambda: page.evaluate("v.currentTime > 1"))
        # The browser may keep the extension's world for the page; nothing of ours has run in it.
        ran = world.contexts != [] and world.evaluate("'fakelight' in globalThis")
        assert not ran, "a script of ours was started on a page that is off"
    finally:
        extension.store({"offSites": []})
        extension.command({"type": "set-all-sites", "on": True})
    page.reload()
    wait_for("a label again", lambda: judged(eye))


def listeners(world: ContentWorld) -> int:
    """Event listeners of the extension's world on what it listens to."""
    count = 0
    for name in ("document", "window", "document.querySelector('video')"):
        found = world.session.send(
            "Runtime.evaluate", {"expression": name, "contextId": world.contexts[-1]}
        )
        listed = world.session.send(
            "DOMDebugger.getEventListeners", {"objectId": found["result"]["objectId"]}
        )
        count += len(listed["listeners"])
    return count
