"""A hostile page: it gets neither to the server nor into the extension."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Page

from tests.e2e.browser import Extension, wait_for, watch
from tests.e2e.isolated import ContentWorld
from tests.e2e.overlay_view import OverlayView
from tests.e2e.site import Site, video_page
from tests.e2e.streams import streams
from tests.support.server import TOKEN, Server

Clip = Callable[[str, str], str]
STYLE = "width:640px;height:360px"
# Resolves to what became of a socket: "open" would be a way in.
SOCKET = """([address, token]) => new Promise((done) => {
  let socket;
  try { socket = new WebSocket(address, "fakelight.v1"); } catch (e) { return done("refused"); }
  socket.onopen = () => socket.send(JSON.stringify({ type: "hello", protocol: 1, token }));
  socket.onmessage = (e) => done("answered: " + e.data);
  socket.onclose = () => done("closed");
  setTimeout(() => done("silent"), 60_000);
})"""
FETCH = """([address, options]) => fetch(address, options).then(
  async (answer) => answer.type + " " + answer.status + " " + (await answer.text()),
  (error) => "refused")"""


@pytest.fixture(params=["public", "same machine"])
def hostile(request: pytest.FixtureRequest, page: Page, site: Site) -> Page:
    """A page that knows the server's port and even its token, but is not of the server."""
    address = site.page("/hostile", "<!doctype html><title>hostile</title>")
    if request.param == "same machine":
        address = site.address("/hostile", host="127.0.0.1")
    page.goto(address)
    return page


def test_page_cannot_open_a_socket(hostile: Page, server: Server) -> None:
    address = f"ws://127.0.0.1:{server.port}/v1/stream"
    for host in (address, address.replace("127.0.0.1", "localhost")):
        assert hostile.evaluate(SOCKET, [host, TOKEN]) in ("closed", "refused")
    wait_for("no stream, of a page before neither", lambda: streams(server) == [])


def test_page_cannot_read_an_answer(hostile: Page, server: Server) -> None:
    bearer = {"headers": {"Authorization": f"Bearer {TOKEN}"}}
    for path in ("/v1/info", "/v1/streams", "/healthz", "/"):
        for options in ({}, bearer):
            found = hostile.evaluate(FETCH, [f"{server.url}{path}", options])
            assert found == "refused", f"{path} answered {found}"


def test_page_cannot_pair(hostile: Page, server: Server) -> None:
    before = server.output.count("Pairing with")
    # A form's content types need no permission beforehand: the request itself arrives.
    for mode in ("cors", "no-cors"):
        options = {"method": "POST", "mode": mode, "body": "{}"}
        hostile.evaluate(FETCH, [f"{server.url}/v1/pairings", options])
        hostile.evaluate(FETCH, [f"{server.url}/v1/session", options])
    hostile.wait_for_timeout(300)
    assert server.output.count("Pairing with") == before, "a page made the server show digits"


def test_rebound_name_gets_no_answer(page: Page, server: Server) -> None:
    # The attacker's name now leads to this machine: the page and the server are one origin.
    answer = page.goto(f"http://rebound.test:{server.port}/")
    assert answer is not None
    assert answer.status in (400, 403, 421)
    found = page.evaluate(FETCH, ["/v1/info", {"headers": {"Authorization": f"Bearer {TOKEN}"}}])
    assert "421" in found or found == "refused"
    assert "sample_hz" not in found
    assert page.evaluate(SOCKET, [f"ws://rebound.test:{server.port}/v1/stream", TOKEN]) == "closed"


def test_page_cannot_frame_the_servers_pages(page: Page, site: Site, server: Server) -> None:
    page.goto(site.page("/framing", f'<!doctype html><iframe src="{server.url}/"></iframe>'))
    page.wait_for_timeout(1000)
    texts = [frame.locator("body").inner_text() for frame in page.frames[1:]]
    assert all("Fakelight" not in text for text in texts)


def test_page_cannot_drive_the_relay(
    page: Page, site: Site, server: Server, extension: Extension
) -> None:
    page.goto(site.page("/relay", "<!doctype html><title>relay</title>"))
    before = server.output.count("opened")
    script = """async (address) => {
      const frame = document.createElement("iframe");
      frame.src = address;
      await new Promise((done) => { frame.onload = done; document.body.append(frame); });
      const heard = [];
      for (const nonce of ["", undefined, null, 7, "0b0c7f2e-6a0e-4f2b-9a52-0d2f4b6f9f10"]) {
        const { port1, port2 } = new MessageChannel();
        port1.onmessage = (event) => heard.push(event.data);
        try { frame.contentWindow.postMessage({ type: "open", nonce, kind: "tab" }, "*", [port2]); }
        catch { continue; }
        port1.postMessage({ type: "jpeg", header: {}, jpeg: new ArrayBuffer(8) });
      }
      await new Promise((done) => setTimeout(done, 1500));
      return heard;
    }"""
    assert page.evaluate(script, extension.address("transport/relay/frame.html")) == []
    assert server.output.count("opened") == before
    wait_for("no stream, of a page before neither", lambda: streams(server) == [])


def test_page_cannot_talk_to_the_service_worker(
    page: Page, site: Site, extension: Extension
) -> None:
    page.goto(site.page("/worker", "<!doctype html><title>worker</title>"))
    found = page.evaluate(
        """async (id) => {
          if (!globalThis.chrome?.runtime?.sendMessage) return "no way to send";
          try { return await chrome.runtime.sendMessage(id, { type: "nonce" }); }
          catch (error) { return "refused"; }
        }""",
        extension.id,
    )
    assert found in ("no way to send", "refused")


@pytest.mark.parametrize(
    "path",
    [
        "options/options.html",
        "popup/popup.html",
        "background/service_worker.js",
        "shared/settings.js",
        "transport/relay/in_frame.js",
    ],
)
def test_page_cannot_open_the_extensions_own_pages(
    page: Page, site: Site, extension: Extension, path: str
) -> None:
    page.goto(site.page("/pages", "<!doctype html><title>pages</title>"))
    assert page.evaluate(FETCH, [extension.address(path), {}]) == "refused"


def playing(page: Page, site: Site, clip: Clip, more: str = "") -> Page:
    page.goto(site.page("/watched", video_page(clip("still", "mp4"), STYLE, more)))
    eye = watch(page)
    wait_for("a label", lambda: (v := eye.only()) and v.chips)
    return page


def test_page_sees_neither_overlay_nor_relay(
    page: Page, site: Site, clip: Clip, extension: Extension
) -> None:
    playing(page, site, clip)
    found = page.evaluate("""() => ({
      frames: window.length,
      iframes: document.querySelectorAll("iframe").length,
      canvases: document.querySelectorAll("canvas").length,
      roots: [...document.querySelectorAll("*")].filter((e) => e.shadowRoot).length,
      text: document.body.innerText.trim(),
      marks: Object.keys(globalThis).filter((name) => /fakelight/i.test(name)),
    })""")
    assert found == {"frames": 0, "iframes": 0, "canvases": 0, "roots": 0, "text": "", "marks": []}


def test_page_hears_nothing_of_what_the_parts_say(
    page: Page, site: Site, clip: Clip, extension: Extension
) -> None:
    ears = """<script>
      window.heard = [];
      addEventListener("message", (event) => heard.push(event.data), true);
      const post = MessagePort.prototype.postMessage;
      MessagePort.prototype.postMessage = function (...args) {
        heard.push(args); post.apply(this, args); };
      const attach = Element.prototype.attachShadow;
      Element.prototype.attachShadow = function (options) {
        heard.push("attachShadow"); return attach.call(this, { ...options, mode: "open" }); };
      const open = window.WebSocket;
      window.WebSocket = class extends open { constructor(...a) { super(...a); heard.push(a); } };
    </script>"""
    playing(page, site, clip, ears)
    assert page.evaluate("heard") == []


def test_pages_style_does_not_reach_the_overlay(
    page: Page, site: Site, clip: Clip, extension: Extension
) -> None:
    rules = """<style>@layer a { div { opacity: 0 !important; display: none !important;
      width: 3px !important; transform: scale(0) !important; } } div { color: red !important }
      </style>"""
    playing(page, site, clip, rules)
    view = watch(page).only()
    assert view is not None
    assert view.chips
    width, height = watch(page).rect(view.chips[0].node)[2:]
    assert width > 60 and height > 15


def test_overlay_that_the_page_removes_comes_back(
    page: Page, site: Site, clip: Clip, extension: Extension
) -> None:
    playing(page, site, clip)
    eye = watch(page)
    page.evaluate(
        "for (const e of [...document.documentElement.children])"
        " if (!['HEAD', 'BODY'].includes(e.tagName)) e.remove()"
    )

    def back() -> OverlayView | None:
        view = eye.only()
        return view if view and view.chips and view.chips[0].verdict != "gathering" else None

    wait_for("the overlay again", back)


def test_content_script_cannot_read_the_token(
    page: Page, site: Site, clip: Clip, extension: Extension
) -> None:
    world = ContentWorld(page, extension)
    playing(page, site, clip)
    found = world.evaluate(
        "chrome.storage.local.get().then((all) => JSON.stringify(all), () => 'refused')"
    )
    assert TOKEN not in found
    assert found == "refused"


def test_content_script_cannot_pass_for_the_extensions_pages(
    page: Page, site: Site, clip: Clip, extension: Extension
) -> None:
    """What a page that broke out of its process could do at most."""
    world = ContentWorld(page, extension)
    playing(page, site, clip)
    for message in ({"type": "set-all-sites", "on": True}, {"type": "redeem", "nonce": "x"}):
        found = world.evaluate(
            f"Promise.race([chrome.runtime.sendMessage({json.dumps(message)})"
            ".then((a) => a === undefined ? 'ignored' : JSON.stringify(a), () => 'ignored'),"
            " new Promise((done) => setTimeout(done, 1000, 'ignored'))])"
        )
        assert found == "ignored"


def test_browser_has_no_other_way_in(browser: BrowserContext, extension: Extension) -> None:
    """Which files the manifest opens to pages is for tests/unit/extension to say."""
    manifest = extension.worker.evaluate("chrome.runtime.getManifest()")
    assert "externally_connectable" not in manifest
