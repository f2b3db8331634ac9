// The page between "Check with Fakelight" and the result: fetches what was clicked on, sends it to
// the server and goes on to the server's own page. It stays only where that does not work.

import { fileOf } from "./file.js";
import { CheckError, scanPage, send } from "./send.js";
import { uploaded } from "./upload.js";
import { byId, fillTexts } from "../shared/dom.js";
import { load } from "../shared/settings.js";
import { decimal, say } from "../shared/words.js";

/** @typedef {import("../shared/check_job.js").CheckJob} CheckJob */

const bar = byId("progress", HTMLProgressElement);

/** @param {string} text */
function step(text) {
  byId("step", HTMLElement).textContent = text;
  bar.removeAttribute("value");
}

/** @param {number} megabytes @param {number|null} of */
function fetching(megabytes, of) {
  byId("step", HTMLElement).textContent = say("check_fetching_size", decimal(megabytes, 1));
  if (of !== null) bar.value = Math.min(1, megabytes / of);
}

async function run() {
  const { server, token } = await load();
  if (!token) throw new CheckError("check_unpaired");
  const job = /** @type {CheckJob|null} */ (
    await chrome.runtime.sendMessage({ type: "check-job", id: location.hash.slice(1) })
  );
  if (!job) throw new CheckError("check_gone");
  step(say("check_fetching"));
  const file = await (job.upload ? uploaded(job.upload, fetching) : fileOf(job, fetching));
  const isVideo = job.kind === "video";
  if (!file && job.upload) throw new CheckError("check_upload_gone");
  if (!file) throw new CheckError(isVideo ? "check_no_video" : "check_no_picture");
  step(say("check_sending", file.name, server));
  const id = await send(server, token, file);
  location.replace(await scanPage(server, token, id));
}

fillTexts();
byId("settings", HTMLButtonElement).addEventListener("click", () => chrome.runtime.openOptionsPage());
run().catch((error) => {
  if (!(error instanceof CheckError)) throw error;
  step("");
  bar.hidden = true;
  byId("trouble", HTMLElement).textContent = say(error.key, ...error.parts);
  byId("settings-line", HTMLElement).hidden = error.key !== "check_unpaired" && error.key !== "server_rejected";
});
