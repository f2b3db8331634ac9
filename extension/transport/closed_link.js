// The link of a video whose pictures the page keeps from the extension's own frame: it says so, and
// carries nothing.

/** @typedef {import("./link.js").Link} Link */

/** @param {import("./link.js").LinkEvents} events @returns {Link} */
export function closedLink(events) {
  let open = true;
  // Not before whoever opens it has got it.
  queueMicrotask(() => open && events.onFinding("sandboxed"));
  return {
    sendFrame: (_, picture) => picture instanceof ImageBitmap && picture.close(),
    sendControl: () => {},
    explain: () => {},
    close: () => (open = false),
  };
}
