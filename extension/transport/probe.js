// Asks a server how it is, for the extension's own pages.

import { TIMEOUT_MS, request } from "../shared/request.js";
import { WebSocketClient } from "./websocket.js";

/**
 * unpaired: no token here; rejected: the server does not know ours; strange: it answers, but not as
 * a Fakelight server
 * @typedef {"ready"|"unpaired"|"rejected"|"unreachable"|"strange"} ServerState
 */

/**
 * Asked the way the videos go: the socket is what a token opens.
 * @param {string} server
 * @param {string} token
 * @returns {Promise<ServerState>}
 */
export async function serverState(server, token) {
  if (!token) {
    try {
      return (await request(`${server}/healthz`)).ok ? "unpaired" : "strange";
    } catch {
      return "unreachable";
    }
  }
  return new Promise((resolve) => {
    /** @param {ServerState} state */
    const done = (state) => {
      clearTimeout(timer);
      // Not at once: the first state may come while the client is still being made.
      queueMicrotask(() => client.close());
      resolve(state);
    };
    const timer = setTimeout(() => done("unreachable"), TIMEOUT_MS);
    const client = new WebSocketClient(
      { server, token, source: { kind: "tab" } },
      {
        onMessage: (message) => {
          if (message.type === "welcome") done("ready");
        },
        onState: (state) => {
          if (state === "not_authorised") done("rejected");
          else if (state === "refused") done("strange");
          // It is there and lets this browser in; the videos say that it has no room for more.
          else if (state === "full") done("ready");
          else if (state === "no_server") done("unreachable");
        },
      },
    );
  });
}
