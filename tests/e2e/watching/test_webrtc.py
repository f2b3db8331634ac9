"""The extension sends its pictures over WebRTC, and the boxes are those of the frames it sent."""

from __future__ import annotations

import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page

from tests.e2e import clips
from tests.e2e.browser import Extension, at_rest, wait_for, watch
from tests.e2e.site import Site, video_page
from tests.e2e.streams import streams
from tests.e2e.watching.test_overlay import STYLE, box_on_face, judged, overlap
from tests.support.network import NO_NETWORK, OUTSIDE_LOOPBACK
from tests.support.server import TOKEN, Server, start_server

Clip = Callable[[str, str], str]
PATIENCE_S = 90.0  # until a first verdict, on a busy machine
needs_network = pytest.mark.skipif(not OUTSIDE_LOOPBACK, reason=NO_NETWORK)


def transports(server: Server) -> list[str]:
    """How the open streams came: only WebRTC streams have an address for events."""
    found = []
    for one in streams(server):
        address = f"{server.url}/v1/streams/{one['id']}/events"
        request = urllib.request.Request(address, headers={"Authorization": f"Bearer {TOKEN}"})
        try:
            with urllib.request.urlopen(request, timeout=60):
                found.append("webrtc")
        except urllib.error.HTTPError as error:
            assert error.code == 404
            found.append("websocket")
    return found


@pytest.fixture
def over_webrtc(extension: Extension, server: Server) -> Iterator[Extension]:
    extension.store({"transport": "webrtc", "server": server.url})
    yield extension
    extension.store({"transport": "auto", "server": server.url})


@needs_network
def test_the_overlay_comes_up_over_webrtc(
    page: Page, site: Site, clip: Clip, over_webrtc: Extension, server: Server
) -> None:
    page.goto(site.page("/webrtc", video_page(clip("still", "mp4"), STYLE)))
    eye = watch(page)
    wait_for("a verdict", lambda: judged(eye), PATIENCE_S)
    wait_for("the box on the face", lambda: box_on_face(eye, 150))
    wait_for("one stream", lambda: transports(server) == ["webrtc"])
    assert [one["source"]["kind"] for one in streams(server)] == ["tab"]


@needs_network
def test_boxes_land_on_the_frames_that_were_sent(
    page: Page, site: Site, clip: Clip, over_webrtc: Extension
) -> None:
    page.goto(site.page("/webrtc-walking", video_page(clip("walking", "mp4"), STYLE)))
    eye = watch(page)
    wait_for("a verdict", lambda: judged(eye), PATIENCE_S)
    overlaps, lefts = [], []
    for _ in range(6):
        page.wait_for_timeout(500)
        time = page.evaluate("async () => { v.pause(); return v.currentTime }")
        box = at_rest(page, lambda: (view := eye.only()) and eye.box(view))
        if box is not None:
            overlaps.append(overlap(box, clips.face_in(clips.walking_left(time), 90, 240)))
            lefts.append(box[0])
        page.evaluate("v.play()")
    assert len(overlaps) >= 4
    assert sum(overlaps) / len(overlaps) > 0.4, overlaps
    assert max(lefts) - min(lefts) > 0.1, "the face hardly moved while it was watched"


@needs_network
def test_a_change_of_the_setting_changes_the_transport(
    page: Page, site: Site, clip: Clip, over_webrtc: Extension, server: Server
) -> None:
    page.goto(site.page("/webrtc-change", video_page(clip("still", "mp4"), STYLE)))
    eye = watch(page)
    wait_for("a verdict", lambda: judged(eye), PATIENCE_S)
    wait_for("one stream", lambda: transports(server) == ["webrtc"])
    over_webrtc.store({"transport": "auto"})
    wait_for("the WebSocket", lambda: transports(server) == ["websocket"])
    wait_for("a verdict", lambda: judged(eye), PATIENCE_S)


@pytest.fixture
def without_media(tmp_path: Path, tiny_models: Path) -> Iterator[Server]:
    """A server whose media nobody can reach, as behind a firewall that lets no UDP through."""
    nowhere = {"FAKELIGHT_WEBRTC_ADDRESSES": "203.0.113.1"}
    models = ("--models", str(tiny_models))
    running = start_server(tmp_path / "server", *models, environment=nowhere)
    yield running
    running.stop()


def test_where_webrtc_cannot_connect_the_websocket_takes_over(
    page: Page, site: Site, clip: Clip, over_webrtc: Extension, without_media: Server
) -> None:
    over_webrtc.store({"server": without_media.url})
    page.goto(site.page("/webrtc-blocked", video_page(clip("still", "mp4"), STYLE)))
    eye = watch(page)
    wait_for("a verdict", lambda: judged(eye), PATIENCE_S)
    wait_for("one stream", lambda: transports(without_media) == ["websocket"])


def test_the_person_can_choose_the_transport(page: Page, extension: Extension) -> None:
    page.goto(extension.address("options/options.html"))
    page.locator("details.advanced summary").click()
    page.locator("#transport input[value=auto]:checked").wait_for()
    page.locator("#transport input[value=websocket]").check()
    wait_for("the setting", lambda: extension.stored().get("transport") == "websocket")
    page.reload()
    page.locator("details.advanced summary").click()
    page.locator("#transport input[value=websocket]:checked").wait_for()
    page.locator("#transport input[value=auto]").check()
    wait_for("the setting", lambda: extension.stored().get("transport") == "auto")


@needs_network
def test_a_thin_uplink_changes_the_transport(
    page: Page, extension: Extension, server: Server
) -> None:
    page.goto(extension.address("options/options.html"))
    found = page.evaluate(
        """async ([server, token]) => {
          const { SwitchingClient } = await import("/transport/switching.js");
          const states = [];
          const events = { onMessage: () => {}, onState: (state) => states.push(state) };
          const target = { server, token, source: { kind: "tab" }, transport: "auto" };
          const client = new SwitchingClient(target, events);
          const until = async (what) => {
            for (let i = 0; i < 600 && !what(); i++) {
              await new Promise((resolve) => setTimeout(resolve, 100));
            }
          };
          await until(() => states.includes("open"));
          const found = [client.takesBitmaps];
          // As if nothing left the machine any more.
          Object.defineProperty(client.websocket.socket, "bufferedAmount", { value: 1e6 });
          const header = { frame_id: 1, media_time: 0, captured_at: 0, width: 1, height: 1 };
          for (let i = 0; i < 40; i++) client.sendFrame(header, new ArrayBuffer(8));
          found.push(client.takesBitmaps);
          states.length = 0;
          await until(() => states.includes("open"));
          found.push(client.takesBitmaps, states.includes("open"));
          client.close();
          return found;
        }""",
        [server.url, TOKEN],
    )
    assert found == [False, True, True, True]


RESTART = """
async (token) => {
  const { restart, gathered } = await import("/extension/transport/webrtc/ice.js");
  const canvas = document.createElement("canvas");
  canvas.width = 320;
  canvas.height = 240;
  const context = canvas.getContext("2d");
  setInterval(() => {
    context.fillStyle = `hsl(${performance.now() / 20} 50% 50%)`;
    context.fillRect(0, 0, 320, 240);
  }, 33);
  const peer = new RTCPeerConnection();
  let verdicts = 0;
  const channel = peer.createDataChannel("verdicts");
  channel.onmessage = ({ data }) => (verdicts += JSON.parse(data).type === "verdict");
  peer.addTransceiver(canvas.captureStream(30).getVideoTracks()[0], { direction: "sendonly" });
  await peer.setLocalDescription();
  await gathered(peer);
  const more = async (count, seconds) => {
    const wanted = verdicts + count;
    for (let i = 0; i < seconds * 10 && verdicts < wanted; i++) {
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    return verdicts >= wanted;
  };
  const send = (address, method, kind, body, more = {}) =>
    fetch(address, {
      method,
      body,
      headers: { Authorization: `Bearer ${token}`, "Content-Type": kind, ...more },
    });
  const opened = await send("/whip", "POST", "application/sdp", peer.localDescription.sdp);
  const location = opened.headers.get("location");
  let answer = await opened.text();
  await peer.setRemoteDescription({ type: "answer", sdp: answer });
  const ufrag = () => peer.currentRemoteDescription.sdp.match(/a=ice-ufrag:(.*)/)[1];
  const ports = async () => {
    const stats = [...(await peer.getStats()).values()];
    const transport = stats.find(({ type }) => type === "transport");
    const pair = stats.find(({ id }) => id === transport.selectedCandidatePairId);
    return stats.find(({ id }) => id === pair?.remoteCandidateId)?.port;
  };
  const found = [await more(5, 60)];
  const [firstName, firstPort] = [ufrag(), await ports()];
  const etags = [opened.headers.get("etag")];
  for (let i = 0; i < 2; i++) {
    answer = await restart(peer, answer, async (fragment) => {
      const kind = "application/trickle-ice-sdpfrag";
      const changed = await send(location, "PATCH", kind, fragment, { "If-Match": "*" });
      etags.push(changed.headers.get("etag"));
      return changed.text();
    });
    await new Promise((resolve) => setTimeout(resolve, 2000));
    found.push(await more(10, 60));
  }
  const [lastName, lastPort] = [ufrag(), await ports()];
  found.push(peer.connectionState, firstName !== lastName, firstPort !== lastPort);
  found.push(new Set(etags).size);
  found.push((await send(location, "DELETE", "text/plain")).status);
  peer.close();
  return found;
}
"""


@needs_network
def test_a_browser_restarts_ice_and_the_stream_goes_on(page: Page, server: Server) -> None:
    page.goto(server.url)
    found = page.evaluate(RESTART, TOKEN)
    assert found == [True, True, True, "connected", True, True, 3, 200]
    assert "Traceback" not in server.output
