// The wire messages of `fakelight.v1`, mirrored from docs/protocol.md. This is the only module that
// knows the bytes; everything else passes the typed objects around.

const PROTOCOL = 1;
export const SUBPROTOCOL = "fakelight.v1";
const STREAM_PATH = "/v1/stream";
/** Samples per second of media time, unless the welcome says otherwise. */
export const SAMPLE_HZ = 10;

/** @typedef {"gathering"|"not_enough_evidence"|"likely_real"|"unsure"|"likely_fake"} Verdict */
/**
 * @typedef {object} Face
 * @property {number} track
 * @property {[number, number, number, number]} box left, top, width, height as fractions of the frame
 * @property {number|null} probability calibrated probability that the face is fake, 0 to 1
 * @property {Verdict} verdict
 * @property {number} samples
 * @property {string[]} reasons
 * @property {Record<string, number>} members
 * @property {Ground[]} grounds what the verdict rests on, what counted most first
 */
/**
 * @typedef {object} Ground one member's part in a verdict
 * @property {string} member
 * @property {string} looks_at one of the senses that there are words for, or words
 * @property {number} share of all that counted, above 0 for manipulation and below 0 against
 */
/**
 * @typedef {object} Accuracy how often the models were right where they were tried, in videos
 * @property {number} real
 * @property {number} real_flagged
 * @property {number} fake
 * @property {number} fake_flagged
 */
/**
 * @typedef {object} VerdictMessage
 * @property {"verdict"} type
 * @property {number} frame_id
 * @property {number} media_time seconds
 * @property {number} captured_at milliseconds, as the client sent it
 * @property {Face[]} faces
 */
/**
 * @typedef {object} Welcome
 * @property {"welcome"} type
 * @property {number} protocol
 * @property {string} stream
 * @property {string} engine
 * @property {number} sample_hz
 * @property {number} window
 * @property {{message_bytes?: number, pixels?: number, fps?: number, faces?: number, parts?: number}} limits
 * @property {Accuracy|null} accuracy
 */
/**
 * @typedef {object} StatusMessage
 * @property {"status"} type
 * @property {string} engine
 * @property {boolean} fallback
 * @property {number} received
 * @property {number} analysed
 * @property {number} dropped
 * @property {boolean} degraded fewer frames are analysed than should be
 * @property {number|null} rate how many a second these are; null while it is not degraded
 */
/**
 * @typedef {object} ErrorMessage
 * @property {"error"} type
 * @property {string} code
 * @property {string} message
 * @property {number|null} frame_id
 * @property {number|null} track where it answers an explain
 */
/**
 * @typedef {object} Explanation where in a face the evidence lies
 * @property {"explanation"} type
 * @property {number} track
 * @property {number} media_time seconds
 * @property {Face["box"]} box the face at that time
 * @property {[number, number][]} corners of the crop, from its top left clockwise, in fractions of
 *   the frame
 * @property {number[][]} heat over the crop, rows from the top, 0 to 1
 * @property {string[]} members
 */
/** @typedef {Welcome|VerdictMessage|StatusMessage|ErrorMessage|Explanation} ServerMessage */
/** @typedef {{kind: "tab"|"camera"|"file", title?: string, url?: string}} Source */
/** @typedef {[number, number, number, number]} Place left, top, width and height in pixels */
/**
 * @typedef {object} Part of a video
 * @property {Place} of where it lies in the video, in the video's pixels
 * @property {Place} [at] where it lies in the picture, in the picture's; all of it where left out
 */
/** @typedef {{video: [number, number], parts: Part[]}} Rect the video's width and height, and what is shown of it */
/**
 * @typedef {object} FrameHeader
 * @property {number} frame_id
 * @property {number} media_time seconds
 * @property {number} captured_at milliseconds since the epoch
 * @property {number} width
 * @property {number} height
 * @property {Rect} [rect] only for servers whose welcome names `limits.parts`
 */

/** @type {readonly Verdict[]} */
export const VERDICTS = ["gathering", "not_enough_evidence", "likely_real", "unsure", "likely_fake"];

/** Close codes after which trying again with the same settings cannot help. */
export const FINAL_CLOSE_CODES = Object.freeze([4001, 4003, 4004]);
export const CLOSE_NOT_AUTHORISED = 4003;
export const CLOSE_OVER_LIMIT = 4008;

export class ProtocolError extends Error {}

/**
 * @param {string} token empty on the server's own pages, which get in by their cookie
 * @param {Source} source
 * @returns {string}
 */
export function hello(token, source) {
  return JSON.stringify({ type: "hello", protocol: PROTOCOL, token, source });
}

/** @param {"seek"|"pause"|"resume"|"bye"} type */
export function control(type) {
  return JSON.stringify({ type });
}

/** @param {number} track the face that is asked about */
export function explain(track) {
  return JSON.stringify({ type: "explain", track });
}

/**
 * uint32 little-endian header length, the header as JSON, the picture's bytes.
 * @param {FrameHeader} header
 * @param {ArrayBuffer} picture JPEG, WebP or PNG
 * @returns {ArrayBuffer}
 */
export function encodeFrame(header, picture) {
  const head = new TextEncoder().encode(JSON.stringify(header));
  const bytes = new Uint8Array(4 + head.length + picture.byteLength);
  new DataView(bytes.buffer).setUint32(0, head.length, true);
  bytes.set(head, 4);
  bytes.set(new Uint8Array(picture), 4 + head.length);
  return bytes.buffer;
}

/**
 * @param {string} server with the path that it lies under, if any: `https://example.org/fakelight`
 * @param {string} path such as `/v1/stream`
 */
export function addressOf(server, path) {
  return server.replace(/\/+$/, "") + path;
}

/**
 * Address of the stream socket for a server address such as `http://127.0.0.1:8765`.
 * @param {string} server
 */
export function streamAddress(server) {
  const url = new URL(addressOf(server, STREAM_PATH));
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  return url.href;
}

/**
 * @param {string} text
 * @returns {ServerMessage|null} null for a type that this version does not know
 * @throws {ProtocolError} naming the field that is wrong
 */
export function parseServerMessage(text) {
  let raw;
  try {
    raw = JSON.parse(text);
  } catch {
    throw new ProtocolError(`the server sent text that is not JSON: ${text.slice(0, 60)}`);
  }
  if (!isRecord(raw)) throw new ProtocolError("the server's message is not an object");
  switch (raw.type) {
    case "welcome":
      return parseWelcome(raw);
    case "verdict":
      return parseVerdict(raw);
    case "status":
      return {
        type: "status",
        engine: String(raw.engine),
        fallback: raw.fallback === true,
        received: number(raw, "received"),
        analysed: number(raw, "analysed"),
        dropped: number(raw, "dropped"),
        degraded: raw.degraded === true,
        rate: typeof raw.rate === "number" ? raw.rate : null,
      };
    case "error":
      return {
        type: "error",
        code: String(raw.code),
        message: String(raw.message),
        frame_id: typeof raw.frame_id === "number" ? raw.frame_id : null,
        track: typeof raw.track === "number" ? raw.track : null,
      };
    case "explanation":
      return parseExplanation(raw);
    default:
      return null;
  }
}

/** @param {Record<string, unknown>} raw @returns {Welcome} */
function parseWelcome(raw) {
  const protocol = number(raw, "protocol");
  if (protocol !== PROTOCOL) {
    throw new ProtocolError(`the server speaks protocol ${protocol}, this version speaks ${PROTOCOL}`);
  }
  const hz = number(raw, "sample_hz");
  if (!(hz > 0 && hz <= 120)) throw new ProtocolError(`sample_hz is ${hz}, not within 0 to 120`);
  return {
    type: "welcome",
    protocol,
    stream: String(raw.stream),
    engine: String(raw.engine),
    sample_hz: hz,
    window: number(raw, "window"),
    limits: isRecord(raw.limits) ? raw.limits : {},
    accuracy: parseAccuracy(raw.accuracy),
  };
}

/** @param {unknown} raw @returns {Accuracy|null} null from a server that does not tell */
export function parseAccuracy(raw) {
  if (!isRecord(raw)) return null;
  const { real, real_flagged, fake, fake_flagged } = raw;
  const figures = [real, real_flagged, fake, fake_flagged];
  return figures.every(Number.isInteger) ? { real, real_flagged, fake, fake_flagged } : null;
}

/** @param {Record<string, unknown>} raw @returns {VerdictMessage} */
function parseVerdict(raw) {
  if (!Array.isArray(raw.faces)) throw new ProtocolError("verdict.faces is not a list");
  return {
    type: "verdict",
    frame_id: number(raw, "frame_id"),
    media_time: number(raw, "media_time"),
    captured_at: number(raw, "captured_at"),
    faces: raw.faces.map(parseFace),
  };
}

/** @param {Record<string, unknown>} raw @returns {Explanation} */
function parseExplanation(raw) {
  const { box, corners, heat } = raw;
  if (!isNumbers(box, 4)) throw new ProtocolError("explanation.box is not four numbers");
  if (!Array.isArray(corners) || corners.length !== 4 || !corners.every((one) => isNumbers(one, 2))) {
    throw new ProtocolError("explanation.corners are not four points");
  }
  const columns = Array.isArray(heat) && Array.isArray(heat[0]) ? heat[0].length : 0;
  if (!columns || columns > 64 || !Array.isArray(heat) || heat.length > 64) {
    throw new ProtocolError("explanation.heat is not a small grid");
  }
  if (!heat.every((row) => isNumbers(row, columns))) {
    throw new ProtocolError("explanation.heat is not a grid of numbers");
  }
  return {
    type: "explanation",
    track: number(raw, "track"),
    media_time: number(raw, "media_time"),
    box: [box[0], box[1], box[2], box[3]],
    corners: corners.map(([x, y]) => [x, y]),
    heat,
    members: Array.isArray(raw.members) ? raw.members.map(String) : [],
  };
}

/** @param {unknown} value @param {number} length @returns {value is number[]} */
function isNumbers(value, length) {
  return Array.isArray(value) && value.length === length && value.every(Number.isFinite);
}

/** @param {unknown} raw @returns {Face} */
function parseFace(raw) {
  if (!isRecord(raw)) throw new ProtocolError("a face is not an object");
  const { box, verdict, probability, members, reasons, grounds } = raw;
  if (!Array.isArray(box) || box.length !== 4 || !box.every(Number.isFinite)) {
    throw new ProtocolError(`a face's box is ${JSON.stringify(box)}, not four numbers`);
  }
  const known = VERDICTS.find((name) => name === verdict);
  if (!known) throw new ProtocolError(`unknown verdict ${JSON.stringify(verdict)}`);
  if (probability !== null && !(typeof probability === "number" && probability >= 0 && probability <= 1)) {
    throw new ProtocolError(`a face's probability is ${JSON.stringify(probability)}, not null or 0 to 1`);
  }
  /** @type {Record<string, number>} */
  const votes = {};
  for (const [name, value] of Object.entries(isRecord(members) ? members : {})) {
    if (typeof value === "number" && Number.isFinite(value)) votes[name] = value;
  }
  return {
    track: number(raw, "track"),
    box: [box[0], box[1], box[2], box[3]],
    probability,
    verdict: known,
    samples: number(raw, "samples"),
    reasons: Array.isArray(reasons) ? reasons.map(String) : [],
    members: votes,
    grounds: (Array.isArray(grounds) ? grounds : []).filter(isGround),
  };
}

/** @param {unknown} value @returns {value is Ground} */
function isGround(value) {
  return (
    isRecord(value) &&
    typeof value.member === "string" &&
    typeof value.looks_at === "string" &&
    typeof value.share === "number" &&
    Math.abs(value.share) <= 1
  );
}

/** @param {unknown} value @returns {value is Record<string, any>} */
function isRecord(value) {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** @param {Record<string, unknown>} raw @param {string} key */
function number(raw, key) {
  const value = raw[key];
  if (typeof value !== "number" || !Number.isFinite(value)) {
    throw new ProtocolError(`${String(raw.type ?? "face")}.${key} is ${JSON.stringify(value)}, not a number`);
  }
  return value;
}
