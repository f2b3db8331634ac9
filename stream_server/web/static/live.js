// The page `/`: plays a video and judges it with the extension's own capture, transport and overlay.

import { drawBox } from "../extension/overlay/look.js";
import { Overlay } from "../extension/overlay/overlay.js";
import { timeWords } from "../extension/overlay/times.js";
import { byId, contextOf } from "../extension/shared/dom.js";
import { openDirect } from "../extension/transport/direct.js";
import { VideoSession } from "../extension/watch/session.js";
import { askForToken, askServer, enterByLink, fetchWords, showAccuracy } from "./entry.js";
import { Sources, explain } from "./source.js";
import { _ } from "./words.js";

/** @typedef {import("./source.js").Kind} Kind */

const SAMPLE = "static/sample.mp4";
/** @type {Kind[]} */
const KINDS = ["sample", "camera", "file"];

const video = byId("video", HTMLVideoElement);
const sources = new Sources(video);
/** @type {VideoSession|null} */
let session = null;

async function showServer() {
  const line = byId("server", HTMLElement);
  const text = /** @type {HTMLElement} */ (line.querySelector(".text"));
  const answer = await askServer();
  byId("entry", HTMLElement).hidden = answer !== "unauthorised";
  line.dataset.state = typeof answer === "string" ? "trouble" : "ready";
  if (answer === "unauthorised") text.textContent = _("The server is running; this page is not let in yet");
  else if (answer === "unreachable") text.textContent = _("The server does not answer");
  else if (answer.fallback) text.textContent = _("Server ready, but slower than it should be: Triton does not answer");
  else text.textContent = _("Server ready");
  showAccuracy(answer);
  return typeof answer !== "string";
}

/** @param {Kind|null} kind @param {string} text */
function showChoice(kind, text) {
  for (const each of KINDS) {
    byId(each, HTMLButtonElement).setAttribute("aria-pressed", String(each === kind));
  }
  byId("now", HTMLElement).textContent = text;
  byId("stop", HTMLButtonElement).hidden = kind === null;
  byId("start", HTMLElement).hidden = kind !== null;
  video.hidden = kind === null;
}

function endSession() {
  session?.end();
  session = null;
}

/**
 * @param {Kind} kind
 * @param {string} text what is playing
 * @param {() => Promise<void>} play
 */
async function show(kind, text, play) {
  endSession();
  showChoice(kind, text);
  // A camera is shown as in a mirror, as people expect to see themselves.
  video.classList.toggle("mirrored", kind === "camera");
  try {
    await play();
  } catch (error) {
    sources.release();
    showChoice(null, explain(error, kind));
    return;
  }
  session = new VideoSession(video, {
    overlay: new Overlay(video, { sensitivity: "normal", inTabOrder: true }),
    openLink: (events) =>
      openDirect(
        {
          server: new URL(".", location.href).href,
          token: "",
          source: { kind: kind === "camera" ? "camera" : "file" },
        },
        events,
      ),
    onSummary: ({ state }) => {
      if (state === "no_server" || state === "not_authorised") void showServer();
    },
  });
}

/** @param {File} file */
function showFile(file) {
  return show("file", file.name, () => sources.playFile(file));
}

/** Its middle third is faked (training/augment/sample_clip.py), which is said before it comes. */
function sampleWords() {
  const [from, to] = [1, 2].map((thirds) => timeWords((thirds * video.duration) / 3, "media"));
  return _("Sample clip, made by this project: from {from} to {to} the face is faked", { from, to });
}

function listen() {
  const input = byId("file-input", HTMLInputElement);
  const drop = byId("drop", HTMLElement);
  byId("sample", HTMLButtonElement).addEventListener("click", () =>
    show("sample", _("Sample clip, made by this project"), async () => {
      await sources.playAddress(SAMPLE);
      byId("now", HTMLElement).textContent = sampleWords();
    }),
  );
  byId("camera", HTMLButtonElement).addEventListener("click", () =>
    show("camera", _("Camera"), () => sources.playCamera()),
  );
  byId("file", HTMLButtonElement).addEventListener("click", () => input.click());
  input.addEventListener("change", () => {
    const [file] = input.files ?? [];
    if (file) void showFile(file);
    input.value = "";
  });
  byId("stop", HTMLButtonElement).addEventListener("click", () => {
    endSession();
    sources.release();
    showChoice(null, "");
    byId("sample", HTMLButtonElement).focus();
  });
  for (const type of ["dragover", "dragleave", "drop"]) {
    drop.addEventListener(type, (event) => {
      event.preventDefault();
      drop.classList.toggle("over", type === "dragover");
    });
  }
  drop.addEventListener("drop", (event) => {
    const [file] = event.dataTransfer?.files ?? [];
    if (file) void showFile(file);
  });
  document.addEventListener("visibilitychange", () => session?.setHidden(document.hidden));
  askForToken(byId("entry", HTMLFormElement), byId("entry-note", HTMLElement), () => void enter());
}

/** The legend shows the very marks that the overlay draws. */
function drawLegend() {
  for (const item of document.querySelectorAll("#legend li")) {
    const canvas = document.createElement("canvas");
    canvas.setAttribute("aria-hidden", "true");
    item.prepend(canvas);
    const context = contextOf(canvas, 56, 44);
    const verdict = /** @type {import("../extension/protocol/messages.js").Verdict} */ (
      item.getAttribute("data-verdict")
    );
    if (context) drawBox(context, { x: 14, y: 7, width: 28, height: 30 }, verdict);
  }
}

drawLegend();
await fetchWords();
listen();

async function enter() {
  const trouble = await enterByLink().catch(() => _("The server does not answer."));
  byId("entry-note", HTMLElement).textContent = trouble;
  await showServer();
}

// The printed link may also be pasted into a tab that shows this page already.
addEventListener("hashchange", () => void enter());
await enter();
setInterval(() => void showServer(), 10_000);
