"""The server's page `/`: getting in, sources, the overlay, small screens, the keyboard."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, Playwright, expect

from tests.e2e.browser import launch, wait_for, watch
from tests.e2e.overlay_view import OverlayView
from tests.e2e.site import Site
from tests.e2e.streams import streams
from tests.support.server import TOKEN, Server

Clip = Callable[[str, str], str]


@pytest.fixture(scope="module")
def browser(
    playwright: Playwright, site: Site, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[BrowserContext]:
    """A browser without the extension, with a made camera."""
    folder = tmp_path_factory.mktemp("browser")
    camera = ("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream")
    with launch(playwright, folder / "profile", site.port, None, camera) as context:
        yield context


@pytest.fixture
def complaints(page: Page) -> list[str]:
    """What the page's console says of errors, the security policy's among them."""
    found: list[str] = []
    page.on("console", lambda said: found.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda error: found.append(str(error)))
    return found


@pytest.fixture
def live(page: Page, server: Server, complaints: list[str]) -> Page:
    page.context.clear_cookies()
    page.goto(f"{server.url}/#token={TOKEN}")
    expect(page.locator("#server")).to_contain_text("Server ready")
    return page


def labelled(page: Page) -> OverlayView | None:
    view = watch(page).only()
    return view if view and view.chips else None


def test_link_lets_in_and_the_token_leaves_the_address(
    live: Page, server: Server, complaints: list[str]
) -> None:
    wait_for("the clean address", lambda: live.evaluate("location.href") == f"{server.url}/")
    cookies = live.context.cookies()
    assert [(c["httpOnly"], c["sameSite"]) for c in cookies] == [(True, "Strict")]
    assert all(TOKEN not in c["value"] for c in cookies)
    assert live.evaluate("document.cookie + localStorage.length") == "0"
    live.reload()
    expect(live.locator("#server")).to_contain_text("Server ready")
    assert complaints == []


def test_without_the_token_the_page_says_so(page: Page, server: Server) -> None:
    page.context.clear_cookies()
    page.goto(server.url)
    expect(page.get_by_text("This page needs the server's key")).to_be_visible()
    page.get_by_role("button", name="Sample clip").click()
    wait_for("the word", lambda: (v := watch(page).only()) and "enter the key" in (v.badge or ""))
    page.get_by_role("button", name="Stop").click()
    page.get_by_label("Key").fill("not-the-token")
    page.get_by_role("button", name="Open").click()
    expect(page.locator("#entry-note")).to_contain_text("wrong token")
    page.get_by_label("Key").fill(TOKEN)
    page.keyboard.press("Enter")
    expect(page.locator("#server")).to_contain_text("Server ready")
    expect(page.locator("#entry")).to_be_hidden()


def test_sample_clip_gets_a_verdict(live: Page, complaints: list[str]) -> None:
    live.get_by_role("button", name="Sample clip").click()
    view = wait_for(
        "a verdict",
        lambda: v if (v := labelled(live)) and v.chips[0].verdict != "gathering" else None,
    )
    assert len(view.chips) == 1
    assert complaints == []


def test_file_gets_a_verdict_and_stop_ends_the_stream(
    live: Page, server: Server, clip: Clip, clip_folder: Path
) -> None:
    live.set_input_files("#file-input", clip_folder / clip("couple", "webm").lstrip("/"))
    wait_for("two labels", lambda: (v := labelled(live)) and len(v.chips) == 2)
    expect(live.locator("#now")).to_have_text("couple-webm.webm")
    [stream] = wait_for("one stream", lambda: len(s := streams(server)) == 1 and s)
    assert stream["source"] == {"kind": "file"}, "no name and no title leaves the page"
    live.get_by_role("button", name="Stop").click()
    wait_for("the end of the stream", lambda: streams(server) == [])
    assert watch(live).overlays() == []
    expect(live.get_by_role("button", name="Sample clip")).to_be_focused()


def test_file_that_is_no_video_is_said_in_words(live: Page, tmp_path: Path) -> None:
    (tmp_path / "notes.mp4").write_text("these are notes")
    live.set_input_files("#file-input", tmp_path / "notes.mp4")
    expect(live.locator("#now")).to_contain_text("cannot play this file")
    assert watch(live).overlays() == []


def test_camera_is_streamed_mirrored_and_released(live: Page, server: Server) -> None:
    live.get_by_role("button", name="Camera").click()
    wait_for("frames of the camera", lambda: [one for one in streams(server) if one["analysed"]])
    [stream] = wait_for("one stream", lambda: len(s := streams(server)) == 1 and s)
    assert stream["source"] == {"kind": "camera"}
    track = live.evaluate_handle("video.srcObject.getVideoTracks()[0]")
    live.get_by_role("button", name="Stop").click()
    assert track.evaluate("track => track.readyState") == "ended"


def test_policy_forbids_inline_script_and_style(live: Page) -> None:
    found = live.evaluate("""() => new Promise((done) => {
      window.ran = false;
      const script = document.createElement("script");
      script.textContent = "window.ran = true";
      document.body.append(script);
      const styled = document.createElement("p");
      styled.setAttribute("style", "color: rgb(1, 2, 3)");
      document.body.append(styled);
      done([window.ran, getComputedStyle(styled).color]);
    })""")
    assert found[0] is False
    assert found[1] != "rgb(1, 2, 3)"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_page_fits_a_phone_in_both_schemes(live: Page, scheme: str) -> None:
    live.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    live.set_viewport_size({"width": 360, "height": 740})
    live.get_by_role("button", name="Sample clip").click()
    wait_for("a label", lambda: labelled(live))
    assert live.evaluate("document.documentElement.scrollWidth") == 360
    ground = live.evaluate("getComputedStyle(document.body).backgroundColor")
    light = sum(int(part) for part in ground.strip("rgb()").split(",")) > 380
    assert light == (scheme == "light")


def test_keyboard_alone_is_enough(live: Page) -> None:
    live.locator("body").press("Tab")
    for _ in range(8):
        if live.evaluate("document.activeElement.id") == "sample":
            break
        live.keyboard.press("Tab")
    live.keyboard.press("Enter")
    wait_for("a label", lambda: labelled(live))
    for _ in range(20):
        live.keyboard.press("Tab")
        if live.evaluate("document.activeElement.tagName") == "DIV":  # the overlay's host
            break
    live.keyboard.press("Enter")
    wait_for("the card", lambda: (v := labelled(live)) and v.card)
    live.keyboard.press("Escape")
    wait_for("the card to close", lambda: (v := labelled(live)) and v.card is None)


def test_card_tells_what_is_known(live: Page) -> None:
    live.get_by_role("button", name="Sample clip").click()
    wait_for("a verdict", lambda: (v := labelled(live)) and v.chips[0].verdict != "gathering")
    live.evaluate("video.pause()")  # so that no label moves away under the pointer
    eye = watch(live)

    def opened() -> str | None:
        view = eye.only()
        if view and view.chips and not view.card:
            eye.click(view.chips[0].node)  # again where it glided on to its place
        return view.card if view else None

    card = wait_for("the card", opened, every=1)
    for part in (
        "probability that this face is manipulated",
        "30 s ago",
        "picture of the face",
        "not judge sound",
    ):
        assert part in card


def test_scope_is_said_in_words(live: Page) -> None:
    text = live.locator("main").inner_text()
    assert "sound and wholly generated video are not judged" in text
    assert "research only" in text
