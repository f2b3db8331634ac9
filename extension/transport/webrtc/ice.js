// ICE restart over WHIP (RFC 9725, 4.3.3): a new path through the network under the same session.

/**
 * The part of an offer that the server needs, as `application/trickle-ice-sdpfrag`.
 * @param {string} sdp
 */
export function fragmentOf(sdp) {
  const wanted = ["a=ice-ufrag:", "a=ice-pwd:", "a=candidate:"];
  const lines = sdp.split(/\r?\n/).filter((line) => wanted.some((start) => line.startsWith(start)));
  return `${[...new Set(lines)].join("\r\n")}\r\n`;
}

/**
 * The answer of the session with the credentials and candidates of the server's fragment.
 * @param {string} answer
 * @param {string} fragment
 */
export function answerWith(answer, fragment) {
  const lines = fragment.split(/\r?\n/);
  /** @param {string} start */
  const find = (start) => lines.find((line) => line.startsWith(start)) ?? "";
  const candidates = lines.filter((line) => line.startsWith("a=candidate:"));
  const out = [];
  for (const line of answer.split(/\r?\n/)) {
    if (line.startsWith("a=candidate:") || line === "a=end-of-candidates") continue;
    if (line.startsWith("a=ice-ufrag:")) out.push(...candidates, find("a=ice-ufrag:"));
    else if (line.startsWith("a=ice-pwd:")) out.push(find("a=ice-pwd:"));
    else out.push(line);
  }
  return out.join("\r\n");
}

/**
 * @param {RTCPeerConnection} peer
 * @param {string} answer of the session
 * @param {(fragment: string) => Promise<string>} patch sends the fragment and returns the server's
 * @returns {Promise<string>} the answer that holds from now on
 */
export async function restart(peer, answer, patch) {
  await peer.setLocalDescription(await peer.createOffer({ iceRestart: true }));
  await gathered(peer);
  const changed = answerWith(answer, await patch(fragmentOf(peer.localDescription?.sdp ?? "")));
  await peer.setRemoteDescription({ type: "answer", sdp: changed });
  return changed;
}

const GATHER_MS = 1000;

/**
 * Wait until the peer's own candidates are known, or those that come quickly.
 * @param {RTCPeerConnection} peer
 * @returns {Promise<void>}
 */
export function gathered(peer) {
  return new Promise((resolve) => {
    const done = () => peer.iceGatheringState === "complete" && resolve();
    peer.addEventListener("icegatheringstatechange", done);
    setTimeout(resolve, GATHER_MS);
    done();
  });
}
