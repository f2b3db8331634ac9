// Files of the extension that are opened by their address. The manifest names them too.

/** The content script, which is started on pages. */
export const CONTENT_SCRIPT = "watch/content_script.js";
/** The hidden frame that owns the sockets. */
export const RELAY_FRAME = "transport/relay/frame.html";
/** The document that has the pictures of tabs. */
export const OFFSCREEN_PAGE = "offscreen/page.html";
/** The page that sends what was right-clicked to the server. */
export const CHECK_PAGE = "check/check.html";
/** The page of the first steps, which opens once after the installation. */
export const WELCOME_PAGE = "welcome/welcome.html";
/** The list of what was flagged. */
export const TRACES_PAGE = "traces/traces.html";
/** Folders of the pages that a person opens. */
export const OWN_PAGES = Object.freeze(["popup/", "options/", "check/", "welcome/", "traces/"]);
