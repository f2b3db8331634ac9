// A small drawing for each state: with its words it tells states apart where colours do not.

/** @type {Record<string, string>} SVG path data in a 16 by 16 field, drawn with a stroke */
const PATHS = {
  connecting: "M3 8v.01M8 8v.01M13 8v.01",
  watching: "M1.5 8C3.5 4.6 5.6 3.2 8 3.2S12.5 4.6 14.5 8C12.5 11.4 10.4 12.8 8 12.8S3.5 11.4 1.5 8ZM8 6.2a1.8 1.8 0 1 0 .01 0Z",
  stalled: "M4 2h8M4 14h8M5 2c0 3 3 4 3 6s-3 3-3 6M11 2c0 3-3 4-3 6s3 3 3 6",
  paused: "M5.5 3v10M10.5 3v10",
  failed: "M3 3 13 13M13 3 3 13",
};

/** @param {string} state @returns {SVGElement} */
export function stateIcon(state) {
  const ns = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(ns, "svg");
  svg.setAttribute("viewBox", "0 0 16 16");
  svg.setAttribute("aria-hidden", "true");
  svg.classList.add("icon");
  const path = document.createElementNS(ns, "path");
  path.setAttribute("d", PATHS[state] ?? PATHS.connecting);
  svg.append(path);
  return svg;
}
