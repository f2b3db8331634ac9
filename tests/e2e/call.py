"""The page of a video call with itself: real connections over the loopback, a track for each."""

from __future__ import annotations

# Tiles are numbered from 0. What is drawn for a participant is a portrait before a grey wall, where
# `clips.still` has it.
_SCRIPT = """
const sources = [], streams = [], senders = [];
const portrait = new Image();
portrait.src = "/portrait.png";

function draw(index) {
  const { context, frozen, slide } = sources[index];
  if (frozen) return;
  context.fillStyle = slide ? "#fff" : "#767676";
  context.fillRect(0, 0, 640, 360);
  if (slide) drawSlide(context);
  else context.drawImage(portrait, 150, 90);
  // Some change in every picture: nothing is sent of a canvas at rest.
  context.fillStyle = `hsl(${(performance.now() / 10) % 360} 40% 50%)`;
  context.fillRect(0, 0, 8, 8);
}

function drawSlide(context) {
  context.fillStyle = "#20304a";
  context.font = "600 34px sans-serif";
  context.fillText("Results of the quarter", 40, 70);
  context.font = "20px sans-serif";
  for (let top = 130; top < 340; top += 36) context.fillText("A line that nobody reads", 60, top);
}

/** A participant shows their screen from now on. */
function present(index) {
  sources[index].slide = true;
  senders[index].track.contentHint = "detail";
}

/** Oneself as well: this tab. */
async function showMyScreen() {
  const wanted = { video: true, preferCurrentTab: true };
  const stream = await navigator.mediaDevices.getDisplayMedia(wanted);
  const box = grid.appendChild(document.createElement("div"));
  Object.assign(box, { className: "tile", id: "tile-screen" });
  box.append(shows(document.createElement("video"), stream));
}

async function connect(from, to) {
  from.onicecandidate = ({ candidate }) => candidate && to.addIceCandidate(candidate);
  to.onicecandidate = ({ candidate }) => candidate && from.addIceCandidate(candidate);
  await from.setLocalDescription();
  await to.setRemoteDescription(from.localDescription);
  await to.setLocalDescription();
  await from.setRemoteDescription(to.localDescription);
}

/** In a large grid smaller pictures are sent, as services do. */
async function join(count, fps) {
  await portrait.decode();
  const [out, back] = [new RTCPeerConnection(), new RTCPeerConnection()];
  back.ontrack = ({ track, streams: [stream] }) => streams.push(stream ?? new MediaStream([track]));
  for (let index = 0; index < count; index++) {
    const canvas = Object.assign(document.createElement("canvas"), { width: 640, height: 360 });
    sources.push({ canvas, context: canvas.getContext("2d"), frozen: false, slide: false });
    const stream = canvas.captureStream();
    const [track] = stream.getTracks();
    senders.push(out.addTrack(track, stream));
    const parameters = senders[index].getParameters();
    parameters.encodings[0].maxBitrate = 1_500_000;
    if (count > 4) parameters.encodings[0].scaleResolutionDownBy = 2;
    parameters.degradationPreference = "maintain-resolution";
    await senders[index].setParameters(parameters);
  }
  setInterval(() => sources.forEach((_, index) => draw(index)), 1000 / fps);
  await connect(out, back);
  for (const index of sources.keys()) tile(index);
}

function video(index) {
  return document.querySelector(`#tile-${index} video`);
}

function shows(element, stream, more = "") {
  element.autoplay = element.muted = element.playsInline = true;
  element.style.cssText += more;
  element.srcObject = stream;
  return element;
}

function tile(index) {
  const box = grid.appendChild(document.createElement("div"));
  box.id = `tile-${index}`;
  box.className = "tile";
  box.append(shows(document.createElement("video"), streams[index]));
  return box;
}

/**
 * The page makes the tile anew, as frameworks do, `late` milliseconds after it has taken apart the
 * old one. At a place of its own, `lower` pixels down: what is drawn there is drawn for it.
 */
async function again(index, lower, late) {
  video(index).srcObject = null;
  document.querySelector(`#tile-${index}`).remove();
  if (late > 0) await new Promise((resolve) => setTimeout(resolve, late));
  Object.assign(tile(index).style, { position: "relative", top: `${lower}px` });
}

/** One tile over the whole grid, and back. */
function enlarge(index) {
  grid.classList.toggle("one");
  document.querySelector(`#tile-${index}`).classList.toggle("large");
}

async function resend(index, factor) {
  const parameters = senders[index].getParameters();
  parameters.encodings[0].scaleResolutionDownBy = factor;
  await senders[index].setParameters(parameters);
}

async function seeMyself() {
  const stream = await navigator.mediaDevices.getUserMedia({ video: true });
  const box = Object.assign(document.createElement("div"), { className: "tile", id: "tile-me" });
  box.append(shows(document.createElement("video"), stream, "transform:scaleX(-1)"));
  grid.prepend(box);
}
"""


def call_page(count: int, fps: int, tile_width: int, dark: bool = False) -> str:
    """A call of ``count`` others in tiles ``tile_width`` CSS pixels wide, of 16 by 9."""
    ground = "#16181c" if dark else "#f4f5f7"
    return f"""<!doctype html><html lang="en"><meta charset="utf-8"><title>Call</title><style>
body {{ margin: 0; background: {ground}; }}
#grid {{ display: flex; flex-wrap: wrap; gap: 6px; padding: 6px; }}
.tile {{ width: {tile_width}px; aspect-ratio: 16 / 9; border-radius: 8px; overflow: hidden; }}
.tile video {{ width: 100%; height: 100%; object-fit: cover; }}
.one .tile {{ display: none; }}
.one .tile.large {{ display: block; width: 880px; }}
</style><body><div id="grid"></div><script>{_SCRIPT}
window.joined = join({count}, {fps});
</script></body></html>"""
