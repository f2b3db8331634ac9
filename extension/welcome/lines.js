// How the server is had on each system, in a line for its terminal.

/** @typedef {"linux"|"mac"|"windows"|"elsewhere"} System elsewhere: one that the server does not run on */

/** Starts a server that is installed already. */
export const START_LINE = "fakelight serve";

/** In Fakelight's folder: installs the server, starts it, and prints where its page is. */
const LINES = {
  linux: "make run",
  mac: "python3 -m pip install . && fakelight install",
  windows: "py -m pip install . ; fakelight install",
  elsewhere: "",
};

/** @param {string} os as `runtime.getPlatformInfo` has it @returns {System} */
export function systemOf(os) {
  if (os === "linux" || os === "openbsd") return "linux";
  if (os === "mac") return "mac";
  return os === "win" ? "windows" : "elsewhere";
}

/** @param {System} system @returns {string} empty where there is none */
export function installLine(system) {
  return LINES[system];
}
