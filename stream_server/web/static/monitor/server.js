// What the page /monitor asks the server of monitors and incidents.

import { ask } from "./request.js";

/** @typedef {import("/extension/protocol/messages.js").Verdict} Verdict */
/**
 * @typedef {object} Face
 * @property {number} track
 * @property {[number, number, number, number]} box left, top, width, height in fractions of the picture
 * @property {number|null} probability
 * @property {Verdict} verdict
 * @property {string[]} reasons
 */
/**
 * @typedef {object} Monitor as GET /v1/monitors gives it
 * @property {string} id
 * @property {string} name
 * @property {string} url without credentials
 * @property {boolean} evidence
 * @property {"connecting"|"watching"|"stalled"|"paused"|"failed"} state
 * @property {string} reason a clause for people; empty where there is nothing to say
 * @property {Face[]} faces
 * @property {number|null} lag_s
 * @property {number} since Unix seconds, of the state
 */
/**
 * @typedef {object} Incident as GET /v1/incidents gives it
 * @property {string} id
 * @property {string} monitor
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
 * @property {string[]} pictures what is kept as evidence: `still`, `heat`, `clip`
 * @property {[number, number][]} timeline Unix seconds and probability
 */
/** @typedef {{image: ImageBitmap, faces: Face[]}} Picture */

/** @param {string} id */
const monitorPath = (id) => `/v1/monitors/${encodeURIComponent(id)}`;
/** @param {string} id */
const incidentPath = (id) => `/v1/incidents/${encodeURIComponent(id)}`;

/** @returns {Promise<Monitor[]>} */
export const monitors = () => ask("GET", "/v1/monitors");

/** @param {{url: string, name?: string, evidence?: boolean}} wanted @returns {Promise<Monitor>} */
export const addMonitor = (wanted) => ask("POST", "/v1/monitors", wanted);

/** @param {string} id @param {{paused: boolean}} change @returns {Promise<Monitor>} */
export const changeMonitor = (id, change) => ask("PATCH", monitorPath(id), change);

/** @param {string} id */
export const removeMonitor = (id) => ask("DELETE", monitorPath(id));

/**
 * @param {string} id
 * @returns {Promise<Picture|null>} the newest picture and the faces in it, null where there is none
 */
export async function newestPicture(id) {
  const answer = await fetch(`${monitorPath(id)}/picture`, { cache: "no-store" });
  if (answer.status !== 200) return null;
  const faces = JSON.parse(answer.headers.get("Fakelight-Faces") ?? "[]");
  return { image: await createImageBitmap(await answer.blob()), faces };
}

/**
 * @param {{monitor: string, state: string, before: number|null, limit: number}} filter empty for all
 * @returns {Promise<Incident[]>} newest first
 */
export function incidents(filter) {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(filter)) if (value) query.set(name, String(value));
  return ask("GET", `/v1/incidents?${query}`);
}

/** @param {string} id @param {string} kind */
export const picturePath = (id, kind) => `${incidentPath(id)}/${kind}`;

/** @param {string} id @returns {Promise<Incident>} */
export const incident = (id) => ask("GET", incidentPath(id));

/**
 * @param {string} id
 * @param {{acknowledged?: boolean, wrong?: boolean, note?: string}} change
 * @returns {Promise<Incident>}
 */
export const changeIncident = (id, change) => ask("PATCH", incidentPath(id), change);
