"""Videos as the web has them: framed, in shadow roots, several at once, changing, leaving."""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import pairwise

import pytest
from playwright.sync_api import Page

from tests.e2e.browser import Extension, ToolbarPopup, at_rest, wait_for, watch
from tests.e2e.isolated import ContentWorld
from tests.e2e.overlay_view import Eye, OverlayView
from tests.e2e.site import Site, mse_page, video_page
from tests.e2e.streams import frames_received, streams
from tests.e2e.wire import Wire
from tests.support.server import Server

Clip = Callable[[str, str], str]
pytestmark = pytest.mark.usefixtures("extension")
STYLE = "width:640px;height:360px"


def labelled(eye: Eye) -> OverlayView | None:
    view = eye.only()
    return view if view and view.chips else None


def html(body: str) -> str:
    return f'<!doctype html><html lang="en"><meta charset="utf-8"><body>{body}</body></html>'


def video(clip: str, style: str = STYLE, name: str = "v") -> str:
    return f'<video id="{name}" src="{clip}" autoplay muted loop style="{style}"></video>'


def test_video_in_a_frame_of_the_same_site(page: Page, site: Site, clip: Clip) -> None:
    """One that is loaded, and one that is written in the page itself."""
    small = "width:400px;height:225px"
    site.page("/inner", video_page(clip("still", "mp4"), small))
    written = video(clip("still", "mp4"), small).replace('"', "&quot;")
    frames = f"""<iframe src="/inner" width="420" height="240"></iframe>
        <iframe srcdoc="{written}" width="420" height="240"></iframe>"""
    page.goto(site.page("/outer", html(frames)))
    eye = watch(page)
    wait_for("two labels", lambda: [len(one.chips) for one in eye.overlays()] == [1, 1], 60)


def test_video_in_a_frame_of_another_site(
    page: Page, site: Site, clip: Clip, server: Server
) -> None:
    site.page("/player", video_page(clip("still", "mp4"), STYLE))
    address = site.address("/player", host="player.test")
    outer = html(f'<iframe src="{address}" width="700" height="420" allow="autoplay"></iframe>')
    page.goto(site.page("/embedding", outer))
    # The frame lives in a process of its own, out of the eye's reach: ask the server instead.
    wait_for("a face", lambda: [one for one in streams(server) if one["faces"]])


@pytest.mark.parametrize("mode", ["open", "closed"])
def test_video_in_a_shadow_root(page: Page, site: Site, clip: Clip, mode: str) -> None:
    body = f"""<video-player></video-player><script>
      customElements.define("video-player", class extends HTMLElement {{
        connectedCallback() {{
          const outer = this.attachShadow({{ mode: "{mode}" }});
          const inner = document.createElement("inner-player");
          outer.append(inner);
          inner.attachShadow({{ mode: "{mode}" }}).innerHTML = `{video(clip("still", "mp4"))}`;
        }}
      }});</script>"""
    page.goto(site.page(f"/shadow-{mode}", html(body)))
    eye = watch(page)
    wait_for("a label", lambda: labelled(eye))


def test_several_videos_only_those_in_view(
    page: Page, site: Site, clip: Clip, server: Server
) -> None:
    small = "width:320px;height:180px;display:inline-block"
    hidden = [
        video(clip("still", "mp4"), "width:320px;height:180px;visibility:hidden", "hidden"),
        video(clip("still", "mp4"), "width:40px;height:30px", "tiny"),
    ]
    shown = [video(clip("still", "mp4"), small, f"v{number}") for number in range(3)]
    style = "width:320px;height:180px;display:block;margin-top:3000px"
    below = video(clip("still", "mp4"), style, "below")
    page.goto(site.page("/many", html("".join([*hidden, *shown, below]))))
    eye = watch(page)
    wait_for("three overlays", lambda: len(eye.overlays()) == 3)
    wait_for("three streams", lambda: len(streams(server)) == 3)
    page.wait_for_timeout(2500)
    assert len(eye.overlays()) == 3
    assert len(streams(server)) == 3
    page.evaluate("for (const n of [0, 1, 2]) document.getElementById('v' + n).remove()")
    page.evaluate("below.scrollIntoView()")
    view = wait_for("the one below", lambda: labelled(eye))
    assert view.top > 2000
    wait_for("one stream", lambda: len(streams(server)) == 1)


def test_change_of_source_starts_anew(page: Page, site: Site, clip: Clip) -> None:
    page.goto(site.page("/source", html(video(clip("still", "mp4")))))
    eye = watch(page)
    before = wait_for("a label", lambda: labelled(eye))
    page.evaluate(f"v.src = '{clip('couple', 'webm')}'")
    view = wait_for("two labels", lambda: v if (v := eye.only()) and len(v.chips) == 2 else None)
    assert before.chips[0].node not in {chip.node for chip in view.chips}


@pytest.mark.parametrize("rate", [0.5, 2.0])
def test_samples_follow_media_time_at_any_speed(
    page: Page, site: Site, clip: Clip, rate: float
) -> None:
    page.goto(site.page(f"/rate-{rate}", html(video(clip("walking", "mp4")))))
    eye = watch(page)
    page.evaluate(f"v.playbackRate = {rate}")
    wait_for("a label", lambda: labelled(eye))
    wire = Wire(page)

    def as_many_as_are_due() -> bool:
        times = [frame.header["media_time"] for frame in wire.next(20)]
        steps = [b - a for a, b in pairwise(times) if b > a]  # it begins anew meanwhile
        found = len(steps) / sum(steps)
        assert found < 13, times
        # Twice the speed needs twice the frames: ten a second would be five for one of media.
        return found > (6 if rate == 2.0 else 3)

    wait_for("ten for a second of media", as_many_as_are_due)


VISIBILITY = """Object.defineProperty(document, "visibilityState",
  {{ configurable: true, get: () => "{}" }});
  document.dispatchEvent(new Event("visibilitychange"))"""


def test_hidden_tab_is_paused_and_comes_back(
    page: Page, site: Site, clip: Clip, server: Server, extension: Extension
) -> None:
    world = ContentWorld(page, extension)
    page.goto(site.page("/hide", html(video(clip("still", "mp4")))))
    eye = watch(page)
    wait_for("a label", lambda: labelled(eye))
    # A headless browser shows every tab, so the content script is told what the browser tells it
    # of a hidden one.
    world.evaluate(VISIBILITY.format("hidden"))
    before = at_rest(page, lambda: frames_received(server))
    page.wait_for_timeout(2000)
    assert frames_received(server) == before, "a hidden tab sends frames"
    world.evaluate(VISIBILITY.format("visible"))
    wait_for("frames again", lambda: frames_received(server) > before)


def test_pause_sends_nothing_and_keeps_the_label(
    page: Page, site: Site, clip: Clip, server: Server
) -> None:
    page.goto(site.page("/pause", html(video(clip("still", "mp4")))))
    eye = watch(page)
    wait_for("a label", lambda: labelled(eye))
    page.evaluate("v.pause()")
    before = at_rest(page, lambda: frames_received(server))
    page.wait_for_timeout(3000)
    assert frames_received(server) == before
    assert labelled(eye) is not None
    page.evaluate("v.play()")
    wait_for("frames again", lambda: frames_received(server) > before)


def test_navigation_within_a_page(page: Page, site: Site, clip: Clip, server: Server) -> None:
    page.goto(site.page("/app", html(f'<div id="root">{video(clip("still", "mp4"))}</div>')))
    eye = watch(page)
    wait_for("a label", lambda: labelled(eye))
    page.evaluate("history.pushState({}, '', '/app/two'); root.textContent = 'no video here'")
    wait_for("the overlay to go", lambda: eye.overlays() == [])
    wait_for("the stream to end", lambda: streams(server) == [])
    page.evaluate("history.pushState({}, '', '/app/three')")
    page.evaluate("(markup) => { root.innerHTML = markup }", video(clip("still", "webm")))
    wait_for("a label on the next video", lambda: labelled(eye))


def test_back_from_the_next_page(page: Page, site: Site, clip: Clip, server: Server) -> None:
    page.goto(site.page("/one", html(video(clip("still", "mp4")))))
    eye = watch(page)
    wait_for("a label", lambda: labelled(eye))
    page.goto(site.page("/two", html("<p>no video</p>")))
    wait_for("the stream to end", lambda: streams(server) == [])
    page.go_back()
    wait_for("a label after going back", lambda: labelled(eye))


def test_page_that_comes_back_from_the_back_forward_cache(
    page: Page, site: Site, clip: Clip
) -> None:
    # Chromium keeps no page in memory that holds an extension's frame; one whose video has gone
    # holds none any more.
    page.goto(site.page("/kept", html(video(clip("still", "mp4")))))
    eye = watch(page)
    wait_for("a label", lambda: labelled(eye))
    assert has_relay(eye)
    page.evaluate("window.kept = true; v.remove()")
    wait_for("the overlay to go", lambda: eye.overlays() == [])
    wait_for("the frame to go, kept for a next video", lambda: not has_relay(eye))
    site.page("/next", html("<p>another site</p>"))
    page.goto(site.address("/next", host="elsewhere.test"))
    page.go_back(wait_until="commit")  # a page out of the cache does not load
    assert page.evaluate("window.kept"), "the page was loaded anew, not kept"
    page.evaluate("(markup) => { document.body.innerHTML = markup }", video(clip("still", "webm")))
    again = watch(page)
    wait_for("a label after coming back", lambda: labelled(again))


def has_relay(eye: Eye) -> bool:
    """Whether the page still holds the extension's frame, in a closed shadow root."""
    whole = eye.session.send("DOM.getDocument", {"depth": -1, "pierce": True})
    return "relay/frame.html" in json.dumps(whole)


STRICT = {
    "csp": {
        "Content-Security-Policy": "default-src 'none'; media-src 'self'; style-src 'none';"
        " script-src 'none'; frame-src 'none'; connect-src 'none';"
        " require-trusted-types-for 'script'; trusted-types 'none'"
    },
    "isolated": {
        "Cross-Origin-Embedder-Policy": "require-corp",
        "Cross-Origin-Opener-Policy": "same-origin",
    },
}


@pytest.mark.parametrize("kind", STRICT)
def test_pages_with_strict_headers(page: Page, site: Site, clip: Clip, kind: str) -> None:
    body = f'<video id="v" src="{clip("still", "mp4")}?cors" autoplay muted loop></video>'
    page.goto(site.page(f"/strict-{kind}", html(body), STRICT[kind]))
    eye = watch(page)
    wait_for("a label", lambda: labelled(eye))


def test_sandboxed_page_says_that_it_is_not_judged(page: Page, site: Site, clip: Clip) -> None:
    headers = {"Content-Security-Policy": "sandbox allow-scripts"}
    body = f'<video crossorigin="anonymous" src="{clip("still", "mp4")}?cors" autoplay muted loop>'
    page.goto(site.page("/sandboxed", html(body), headers))
    eye = watch(page)
    wait_for("the word", lambda: (v := eye.only()) and "Click Fakelight" in (v.badge or ""))
    view = eye.only()
    assert view is not None and "keeps every extension out" in (view.badge or "")


def test_media_source_that_is_replaced(page: Page, site: Site, clip: Clip) -> None:
    page.goto(site.page("/blob", mse_page(clip("still", "fmp4"))))
    eye = watch(page)
    wait_for("a label", lambda: labelled(eye))
    page.evaluate("v.pause(); v.removeAttribute('src'); v.load()")
    wait_for("the label to go", lambda: labelled(eye) is None)


def test_popup_and_badge_tell_of_a_fake(
    page: Page, site: Site, clip: Clip, extension: Extension
) -> None:
    page.goto(site.page("/badge", html(video(clip("couple", "mp4")))))
    eye = watch(page)
    wait_for(
        "a face that the made-up model calls fake",
        lambda: (v := eye.only()) and [c for c in v.chips if c.verdict == "likely_fake"],
    )
    tab = extension.tab_id(page.url)
    text = "tabId => chrome.action.getBadgeText({ tabId })"
    wait_for("the badge", lambda: extension.worker.evaluate(text, tab) == "!")
    popup = ToolbarPopup(page.context, extension, page)
    wait_for("the popup's word", lambda: "likely fake" in popup.text("#faces"))
    page.evaluate("v.remove()")
    wait_for("the badge to go", lambda: extension.worker.evaluate(text, tab) == "")
