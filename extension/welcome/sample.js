// The third step: a sample in which the face is faked for a while, watched as any video is.

import { Overlay } from "../overlay/overlay.js";
import { timeWords } from "../overlay/times.js";
import { byId } from "../shared/dom.js";
import { load } from "../shared/settings.js";
import { say } from "../shared/words.js";
import { openDirect } from "../transport/direct.js";
import { VideoSession } from "../watch/session.js";

/** The server's own clip; its middle third is faked (training/augment/sample_clip.py). */
const SAMPLE = "/static/sample.mp4";

/** In a row, while no warning comes. */
const MOST_PLAYS = 3;

export class Sample {
  /** @param {() => void} onSeen the warning was seen, or the clip has come to its end */
  constructor(onSeen) {
    this.onSeen = onSeen;
    this.video = byId("video", HTMLVideoElement);
    this.play = byId("play", HTMLButtonElement);
    /** @type {VideoSession|null} */
    this.session = null;
    this.warnedAt = -1;
    this.plays = 0;
    this.video.setAttribute("aria-label", say("sample_video"));
    this.play.addEventListener("click", () => void this.begin());
    byId("again", HTMLButtonElement).addEventListener("click", () => void this.begin());
    this.video.addEventListener("timeupdate", () => this.follow());
    this.video.addEventListener("ended", () => this.end());
    document.addEventListener("visibilitychange", () => this.session?.setHidden(document.hidden));
  }

  get stretch() {
    const third = this.video.duration / 3;
    return { from: third, to: 2 * third };
  }

  /** Fetch the clip and say what is coming. @returns {Promise<boolean>} false where the server has gone */
  async prepare() {
    const { server } = await load();
    try {
      const answer = await fetch(`${server}${SAMPLE}`, { credentials: "omit" });
      this.video.src = URL.createObjectURL(await answer.blob());
    } catch {
      return false;
    }
    const known = await new Promise((resolve) => {
      this.video.addEventListener("loadeddata", () => resolve(true), { once: true });
      this.video.addEventListener("error", () => resolve(false), { once: true });
    });
    if (!known) {
      this.note(say("sample_none"));
      this.onSeen();
      return true;
    }
    const { from, to } = this.stretch;
    const times = [from, to].map((time) => timeWords(time, "media"));
    byId("sample-words", HTMLElement).textContent = say("sample_words", ...times);
    const mark = byId("faked", HTMLElement).style;
    mark.left = `${(100 * from) / this.video.duration}%`;
    mark.width = `${(100 * (to - from)) / this.video.duration}%`;
    this.play.disabled = false;
    return true;
  }

  async begin() {
    this.warnedAt = -1;
    this.plays = 1;
    this.play.hidden = true;
    this.video.controls = true;
    this.video.currentTime = 0;
    this.note(say("sample_begins", timeWords(this.stretch.from, "media")));
    const { server, token, sensitivity } = await load();
    await this.video.play();
    this.session ??= new VideoSession(this.video, {
      overlay: new Overlay(this.video, { sensitivity, inTabOrder: true }),
      openLink: (events) => openDirect({ server, token, source: { kind: "file" } }, events),
      onSummary: ({ fake }) => fake && this.warned(),
    });
  }

  warned() {
    if (this.warnedAt >= 0) return;
    this.warnedAt = this.video.currentTime;
    this.note(say("sample_warned", timeWords(this.warnedAt, "media")));
    this.onSeen();
  }

  follow() {
    const { currentTime, duration } = this.video;
    byId("at", HTMLElement).style.left = `${(100 * currentTime) / duration}%`;
  }

  /** A server that has much else to do may have looked too seldom: once more, by itself. */
  end() {
    if (this.warnedAt >= 0) return;
    this.note(say("sample_missed"));
    if (++this.plays <= MOST_PLAYS) void this.video.play();
    else this.onSeen();
  }

  /** @param {string} text */
  note(text) {
    byId("sample-note", HTMLElement).textContent = text;
  }

  stop() {
    this.session?.end();
    this.session = null;
    this.video.pause();
  }
}
