// One stream over WebRTC: WHIP (RFC 9725) opens it, a track carries the pictures, a data channel
// brings the verdicts. It has the shape of WebSocketClient; where that
// connects anew, this one moves to another path or gives up.

import { MOST_PER_SECOND } from "../../capture/frames.js";
import { ProtocolError, addressOf, control, explain, parseServerMessage } from "../../protocol/messages.js";
import { bearer } from "../../shared/request.js";
import { Stamps, StampWatch } from "./stamps.js";
import { gathered, restart } from "./ice.js";
import { BitmapTrack, TrackClock } from "./track.js";

/** @typedef {import("../link.js").ClientEvents} ClientEvents */
/** @typedef {import("../link.js").Control} Control */
/** @typedef {import("../link.js").Finding} Finding */
/** @typedef {import("../link.js").FrameHeader} FrameHeader */
/** @typedef {import("../link.js").Target} Target */

const CONNECT_MS = 8000;
/** Bits per second. Left alone browsers send so few that the traces of manipulation are gone. */
const MOST_BITS = 4_000_000;

/**
 * not_authorised: the token is wrong; no_webrtc: WebRTC does not work here, another
 * transport may
 * @typedef {"not_authorised"|"refused"|"no_webrtc"} Failure
 */
class ConnectError extends Error {
  /** @param {Failure} failure @param {string} message */
  constructor(failure, message) {
    super(message);
    this.failure = failure;
  }
}

export class WebRtcClient {
  /**
   * @param {Target} target
   * @param {ClientEvents & {onFailure: (failure: Failure, detail: string) => void}} events
   */
  constructor(target, events) {
    this.target = target;
    this.events = events;
    this.open = false;
    this.closed = false;
    /** @type {Control|null} what to say once the channel is open */
    this.unsaid = null;
    this.location = "";
    this.answer = "";
    this.restarting = false;
    this.source = new BitmapTrack();
    this.clock = new TrackClock();
    this.stamps = new Stamps();
    /** @type {StampWatch|null} */
    this.watch = null;
    this.peer = new RTCPeerConnection();
    this.channel = this.peer.createDataChannel("verdicts");
    this.channel.onmessage = ({ data }) => this.receive(String(data));
    this.peer.onconnectionstatechange = () => this.peerChanged();
    this.timer = setTimeout(() => this.fail("no_webrtc", "no connection in time"), CONNECT_MS);
    events.onState("connecting", "");
    this.connect().catch((error) => {
      if (error instanceof ConnectError) this.fail(error.failure, error.message);
      else this.fail("no_webrtc", String(error));
    });
  }

  async connect() {
    const { sender } = this.peer.addTransceiver(this.source.track, {
      direction: "sendonly",
      sendEncodings: [{ maxBitrate: MOST_BITS, maxFramerate: MOST_PER_SECOND }],
    });
    this.watch = new StampWatch(sender, this.stamps);
    const parameters = sender.getParameters();
    parameters.degradationPreference = "maintain-resolution";
    await sender.setParameters(parameters);
    await this.peer.setLocalDescription();
    await gathered(this.peer);
    const answer = await this.post(this.peer.localDescription?.sdp ?? "");
    if (this.closed) return;
    this.answer = answer;
    await this.peer.setRemoteDescription({ type: "answer", sdp: answer });
  }

  /** A lost path gets one try at another; then another transport has to do. */
  peerChanged() {
    const state = this.peer.connectionState;
    if (state === "connected") this.restarting = false;
    else if (state === "closed" || (state === "failed" && (this.restarting || !this.open))) {
      this.fail("no_webrtc", "the connection failed");
    } else if ((state === "disconnected" || state === "failed") && this.open && !this.restarting) {
      this.restarting = true;
      restart(this.peer, this.answer, (fragment) => this.patch(fragment)).then(
        (answer) => (this.answer = answer),
        (error) => this.fail("no_webrtc", String(error)),
      );
    }
  }

  /** @param {string} fragment */
  async patch(fragment) {
    const answer = await fetch(this.location, {
      method: "PATCH",
      headers: {
        "Content-Type": "application/trickle-ice-sdpfrag",
        "If-Match": "*",
        ...bearer(this.target.token),
      },
      body: fragment,
    });
    if (answer.status !== 200) throw new ConnectError("no_webrtc", `the server answered ${answer.status}`);
    return answer.text();
  }

  /** @param {string} sdp @returns {Promise<string>} */
  async post(sdp) {
    const { server, token, source } = this.target;
    const { kind } = source;
    const answer = await fetch(addressOf(server, `/whip?kind=${kind}`), {
      method: "POST",
      headers: { "Content-Type": "application/sdp", ...bearer(token) },
      body: sdp,
    });
    if (answer.status === 401) throw new ConnectError("not_authorised", "");
    if (answer.status !== 201) throw new ConnectError("no_webrtc", `the server answered ${answer.status}`);
    this.location = new URL(answer.headers.get("location") ?? "", server).href;
    return answer.text();
  }

  /** @param {string} text */
  receive(text) {
    let message;
    try {
      const raw = JSON.parse(text);
      if (raw.type === "closed") {
        this.fail("no_webrtc", String(raw.reason));
        return;
      }
      const named = raw.type === "verdict" ? this.stamps.own(raw) : raw;
      // A frame of which no stamp came in time: no box is better than one in the wrong place.
      if (named === null) return;
      if (raw.type === "error") named.frame_id = null;
      message = parseServerMessage(JSON.stringify(named));
    } catch (error) {
      if (!(error instanceof ProtocolError || error instanceof SyntaxError)) throw error;
      this.fail("refused", error.message);
      return;
    }
    if (message === null) return;
    if (message.type === "welcome") {
      this.open = true;
      clearTimeout(this.timer);
      if (this.unsaid) this.channel.send(control(this.unsaid));
      this.unsaid = null;
      this.events.onState("open", "");
    }
    this.events.onMessage(message);
  }

  /**
   * @param {FrameHeader} header
   * @param {ImageBitmap} bitmap is taken over
   * @returns {Promise<Finding|null>}
   */
  async sendBitmap(header, bitmap) {
    if (!this.open) {
      bitmap.close();
      return null;
    }
    return this.source.send(bitmap, () => {
      const now = performance.now();
      if (!this.stamps.admits(now)) return null;
      const time = this.clock.time(header.media_time, now);
      this.stamps.note(time / 1000, header);
      return time;
    });
  }

  /** @param {Control} type */
  sendControl(type) {
    if (this.open && this.channel.readyState === "open") this.channel.send(control(type));
    else if (type !== "seek") this.unsaid = type === "pause" ? "pause" : null;
  }

  /** @param {number} track */
  explain(track) {
    if (this.open && this.channel.readyState === "open") this.channel.send(explain(track));
  }

  /** @param {Failure} failure @param {string} detail */
  fail(failure, detail) {
    if (this.closed) return;
    this.close();
    this.events.onFailure(failure, detail);
  }

  close() {
    if (this.closed) return;
    this.closed = true;
    this.open = false;
    clearTimeout(this.timer);
    this.source.close();
    this.watch?.close();
    this.peer.close();
    if (this.location) {
      const headers = bearer(this.target.token);
      fetch(this.location, { method: "DELETE", headers, keepalive: true }).catch(() => {});
    }
  }
}
