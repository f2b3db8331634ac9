// What the page /monitor asks the server of monitors and incidents.

import { ask } from "./request.js";

/** @typedef {import("../../extension/protocol/messages.js").Verdict} Verdict */
/**
 * @typedef {object} Face
 * @property {number} track
 * @property {[number, number, number, number]} box left, top, width, height in fractions of the picture
 * @property {number|null} probability
 * @property {Verdict} verdict
 * @property {string[]} reasons
 */
/** @typedef {Pick<Face, "track"|"box"|"probability"|"verdict">} PictureFace */
/**
 * @typedef {object} ReasonParts
 * @property {string} code
 * @property {string} message the English sentence, with gaps such as `{seconds}`
 * @property {Record<string, string|number|ReasonParts>} values
 */
/**
 * @typedef {object} Monitor as GET /v1/monitors gives it
 * @property {string} id
 * @property {string} name
 * @property {string} url without credentials
 * @property {string|null} push_to where to push by WHIP what is to be watched, null for what is fetched
 * @property {boolean} evidence
 * @property {"connecting"|"watching"|"stalled"|"paused"|"failed"} state
 * @property {string} reason a clause for people, in English; empty where there is nothing to say
 * @property {ReasonParts|null} reason_parts what it is made of, where it is a known one
 * @property {Face[]} faces
 * @property {number|null} lag_s
 * @property {number} since Unix seconds, of the state
 */
/**
 * @typedef {object} Incident as GET /v1/incidents gives it
 * @property {string} id
 * @property {string} monitor
 * @property {string} monitor_name what it was called when the incident opened
 * @property {number} track
 * @property {number} opened_at Unix seconds
 * @property {number|null} closed_at
 * @property {number} media_start_s
 * @property {number} media_end_s
 * @property {number} peak
 * @property {number} mean
 * @property {Verdict} verdict
 * @property {Record<string, number>} members
 * @property {boolean} acknowledged
 * @property {boolean} wrong
 * @property {string} note
 * @property {string|null} marked_by
 * @property {number|null} marked_at
 * @property {string[]} evidence what is kept: `still`, `heat`, `clip`
 */
/** @typedef {[number, number][]} Timeline Unix seconds and probability */

/** @param {string} id */
const monitorPath = (id) => `v1/monitors/${encodeURIComponent(id)}`;
/** @param {string} id */
const incidentPath = (id) => `v1/incidents/${encodeURIComponent(id)}`;

/** @returns {Promise<Monitor[]>} */
export const monitors = () => ask("GET", "v1/monitors");

/** @param {{url: string, name?: string, evidence?: boolean}} wanted @returns {Promise<Monitor>} */
export const addMonitor = (wanted) => ask("POST", "v1/monitors", wanted);

/** @param {string} id @param {{paused?: boolean, name?: string}} change @returns {Promise<Monitor>} */
export const changeMonitor = (id, change) => ask("PATCH", monitorPath(id), change);

/** @param {string} id */
export const removeMonitor = (id) => ask("DELETE", monitorPath(id));

/** @param {string} id @returns {Promise<Monitor & {timeline: Timeline}>} with the last minutes */
export const monitor = (id) => ask("GET", monitorPath(id));

/**
 * @param {string} id
 * @returns {Promise<{image: ImageBitmap, faces: PictureFace[]}|null>} the newest picture with its faces, null where
 *   there is none
 */
export async function newestPicture(id) {
  const answer = await fetch(`${monitorPath(id)}/picture.jpg`, { cache: "no-store" });
  if (!answer.ok) return null;
  return { image: await createImageBitmap(await answer.blob()), faces: JSON.parse(answer.headers.get("X-Faces") ?? "[]") };
}

/**
 * @param {{monitor: string, state: string, before?: number, before_id?: string, limit: number}} filter empty for all
 * @returns {Promise<Incident[]>} newest first
 */
export function incidents(filter) {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(filter)) if (value) query.set(name, String(value));
  return ask("GET", `v1/incidents?${query}`);
}

/** @param {string} id @param {"still.jpg"|"clip.mp4"|"heat.json"} name */
export const evidencePath = (id, name) => `${incidentPath(id)}/${name}`;

/** @param {string} id @returns {Promise<{heat: number[][], face: string}>} `face` is a data: URL of the crop */
export const heatMap = (id) => ask("GET", evidencePath(id, "heat.json"));

/** @param {string} id @returns {Promise<Incident & {timeline: Timeline}>} */
export const incident = (id) => ask("GET", incidentPath(id));

/**
 * @param {string} id
 * @param {{acknowledged?: boolean, wrong?: boolean, note?: string}} change
 * @returns {Promise<Incident>}
 */
export const changeIncident = (id, change) => ask("PATCH", incidentPath(id), change);
