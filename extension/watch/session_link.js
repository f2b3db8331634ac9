// A session's link to the server: opened while the video has a place there, and opened anew when its
// pictures come another way. What an earlier link still says is past.

/** @typedef {import("../capture/frames.js").Way} Way */
/** @typedef {import("../shared/states.js").LinkState} LinkState */
/** @typedef {import("../capture/planes.js").Picture} Picture */
/** @typedef {import("../protocol/messages.js").FrameHeader} FrameHeader */
/** @typedef {import("../shared/tab_picture.js").TabPlace} TabPlace */
/** @typedef {import("../transport/link.js").Control} Control */
/** @typedef {import("../transport/link.js").Link} Link */
/** @typedef {import("../transport/link.js").LinkEvents} LinkEvents */

export class SessionLink {
  /** @param {(events: LinkEvents, way: Way) => Link} open @param {LinkEvents} events of the link that is open */
  constructor(open, events) {
    this.openLink = open;
    this.events = events;
    /** @type {Link|null} */
    this.link = null;
    /** @type {LinkState} */
    this.state = "connecting";
    /** Why, in words. */
    this.detail = "";
    this.byTab = false;
  }

  get isOpen() {
    return this.link !== null;
  }

  /** @returns {boolean} whether its other end has gone */
  get isDead() {
    return this.link?.isAlive?.() === false;
  }

  /** @param {Way} way how the pictures come */
  open(way) {
    this.byTab = way === "tab";
    this.link?.close();
    const { events } = this;
    /** @type {Link|null} */
    let ours = null;
    // A link may speak while it is being opened.
    const heard = () => ours === null || this.link === ours;
    this.link = null;
    ours = this.link = this.openLink(
      {
        onMessage: (message) => heard() && events.onMessage(message),
        onState: (state, detail) => {
          if (!heard()) return;
          this.state = state;
          this.detail = detail;
          events.onState(state, detail);
        },
        onFinding: (finding) => heard() && events.onFinding(finding),
        onMissed: (frameId) => heard() && events.onMissed?.(frameId),
        onTaken: async (frameId) => (heard() ? ((await events.onTaken?.(frameId)) ?? null) : null),
      },
      way,
    );
  }

  close() {
    this.link?.close();
    this.link = null;
  }

  /** @param {Control} type */
  control(type) {
    this.link?.sendControl(type);
  }

  /** @param {FrameHeader} header @param {Picture[]} pictures are taken over */
  sendFrame(header, pictures) {
    this.link?.sendFrame(header, pictures);
  }

  /** @param {FrameHeader} header @param {TabPlace} place */
  sendPlace(header, place) {
    this.link?.sendPlace?.(header, place);
  }

  /** @param {number} track */
  explain(track) {
    this.link?.explain(track);
  }
}
