// The server's list of mistakes: only what a person has it sent, with a click that says so.

import { asData } from "./report.js";
import { CheckError, reason } from "../check/send.js";
import { bearer } from "../shared/request.js";

/** @typedef {import("./store.js").Entry} Entry */
/** @typedef {{server: string, token: string}} Target */

/** A still may be on its way for a while. */
const TIMEOUT_MS = 30_000;

/**
 * @param {Entry} entry that is wrong: the face is real
 * @param {string} note
 * @param {Target} target
 * @returns {Promise<{server: string, id: string}>} where it is now
 * @throws {CheckError}
 */
export async function sendMistake(entry, note, { server, token }) {
  if (!token) throw new CheckError("check_unpaired");
  const { probability, title, site, clock, from, to, seenAt, extension, server: judge, still } = entry;
  const body = {
    verdict: "likely_fake",
    label: "real",
    probability,
    note,
    title,
    site,
    clock,
    from_s: from,
    to_s: to,
    seen_at: seenAt / 1000,
    extension,
    server: judge?.version ?? "",
    models: judge?.models ?? [],
    still: still ? (await asData(still)).split(",")[1] : null,
  };
  const answer = await ask(server, token, "/v1/mistakes", "POST", JSON.stringify(body));
  if (answer.status !== 201) throw new CheckError("check_refused", await reason(answer));
  const { id } = await answer.json();
  return { server, id: String(id) };
}

/**
 * Have the server forget it.
 * @param {NonNullable<Entry["sent"]>} sent
 * @param {Target} target
 * @throws {CheckError}
 */
export async function takeBack(sent, { server, token }) {
  // A token is for the server that gave it.
  if (sent.server !== server) throw new CheckError("server_unreachable", sent.server);
  const answer = await ask(server, token, `/v1/mistakes/${encodeURIComponent(sent.id)}`, "DELETE", null);
  // Somebody else may have deleted it before.
  if (answer.status !== 204 && answer.status !== 404) throw new CheckError("check_refused", await reason(answer));
}

/** @param {string} server @param {string} token @param {string} path @param {string} method @param {string|null} body */
async function ask(server, token, path, method, body) {
  /** @type {Response} */
  let answer;
  try {
    answer = await fetch(server + path, {
      method,
      headers: { ...bearer(token), "Content-Type": "application/json" },
      body,
      cache: "no-store",
      credentials: "omit",
      redirect: "error",
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
  } catch {
    throw new CheckError("server_unreachable", server);
  }
  if (answer.status === 401) throw new CheckError("server_rejected");
  return answer;
}
