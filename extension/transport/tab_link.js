// The content script's way to the server for a video that is judged by the tab's picture: it says
// where the video is, and the offscreen document, which has the tab's picture, cuts it out and sends it.

/** @typedef {import("../shared/tab_picture.js").TabPlace} TabPlace */
/** @typedef {import("../protocol/messages.js").FrameHeader} FrameHeader */
/** @typedef {import("./link.js").Link} Link */
/** @typedef {import("./link.js").LinkEvents} LinkEvents */

/** Of the port between content scripts and the offscreen document. */
export const TAB_PORT = "tab-picture";

/**
 * @param {LinkEvents} events
 * @param {(picture: import("../shared/tab_picture.js").TabPicture) => void} onGone the other end has left:
 *     how it stands with the tab's picture, which whoever opened this may not have heard
 * @returns {Link & {isAlive(): boolean}}
 */
export function openTabLink(events, onGone) {
  const port = chrome.runtime.connect({ name: TAB_PORT });
  let open = true;
  events.onState("connecting", "");
  port.onMessage.addListener((data) => {
    if (!open) return;
    if (data.type === "message") events.onMessage(data.message);
    else if (data.type === "finding") events.onFinding(data.finding);
    else if (data.type === "state") events.onState(data.state, data.detail);
    else if (data.type === "missed") events.onMissed?.(data.frame_id);
    else if (data.type === "taken") void answer(data.frame_id);
  });
  port.onDisconnect.addListener(() => {
    open = false;
    chrome.runtime.sendMessage({ type: "tab-gone" }).then(onGone, () => {}); // the extension was updated
  });
  /** @param {unknown} message */
  const post = (message) => {
    if (open) port.postMessage(message);
  };
  /** @param {number} frame_id of which the tab's picture has come */
  const answer = async (frame_id) => post({ type: "stayed", frame_id, own: await events.onTaken?.(frame_id) });
  return {
    sendFrame: () => {
      throw new Error("the tab's picture is not here: say where the video is");
    },
    sendPlace: (header, place) => post({ type: "place", header, place }),
    sendControl: (type) => post({ type }),
    explain: (track) => post({ type: "explain", track }),
    close: () => {
      post({ type: "bye" });
      open = false;
      port.disconnect();
    },
    isAlive: () => open,
  };
}
