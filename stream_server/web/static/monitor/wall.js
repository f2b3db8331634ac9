// The wall: a tile for each monitor.

import { byId } from "../../extension/shared/dom.js";
import { _ } from "../words.js";
import { confirmed } from "./confirm.js";
import { newName } from "./rename.js";
import { changeMonitor, monitor as ask, removeMonitor } from "./server.js";
import { Tile } from "./tile.js";
import { mostSuspicious } from "./words.js";

/** @typedef {import("./server.js").Monitor} Monitor */
/** @typedef {import("../../extension/protocol/messages.js").Verdict} Verdict */

const template = byId("tile", HTMLTemplateElement);
const list = byId("wall", HTMLUListElement);

export class Wall {
  /**
   * @param {object} events
   * @param {(monitor: Monitor) => void} events.incidents show those of this monitor
   * @param {(error: unknown) => void} events.trouble
   * @param {() => void} events.changed there are other monitors
   * @param {() => void} events.renamed one has another name
   */
  constructor({ incidents, trouble, changed, renamed }) {
    this.trouble = trouble;
    this.changed = changed;
    this.renamed = renamed;
    /** @type {Map<string, Tile>} by the monitor's id */
    this.tiles = new Map();
    /** From which probability on a face counts as likely fake. @type {number|null} */
    this.threshold = null;
    this.acts = {
      incidents,
      pause: (/** @type {Monitor} */ monitor) => this.pause(monitor),
      rename: (/** @type {Monitor} */ monitor) => this.rename(monitor),
      remove: (/** @type {Monitor} */ monitor) => this.remove(monitor),
    };
    setInterval(() => this.draw(), 1000);
  }

  /** @returns {Monitor[]} */
  get monitors() {
    return [...this.tiles.values()].map((tile) => tile.monitor);
  }

  /** @param {Monitor[]} monitors all there are */
  showAll(monitors) {
    const there = new Set(monitors.map(({ id }) => id));
    for (const id of this.tiles.keys()) if (!there.has(id)) this.takeAway(id);
    for (const monitor of monitors) this.show(monitor);
    this.changed();
    void this.recall();
  }

  /** Draw what happened before the page was opened, or while there was no line. */
  async recall() {
    for (const [id, tile] of this.tiles) {
      const found = await ask(id).catch(() => null);
      tile.recall((found?.timeline ?? []).map(([time, probability]) => this.point(time, probability)));
    }
  }

  /** @param {number} time @param {number} probability */
  point(time, probability) {
    const fake = this.threshold !== null && probability >= this.threshold;
    return { time, probability, verdict: /** @type {Verdict} */ (fake ? "likely_fake" : "unsure") };
  }

  /** @param {Monitor|{id: string, removed: true}} news */
  hear(news) {
    if (!("removed" in news)) return this.show(news);
    this.takeAway(news.id);
    this.changed();
  }

  /** @param {Monitor} monitor as it is now */
  show(monitor) {
    const now = Date.now() / 1000;
    let tile = this.tiles.get(monitor.id);
    if (!tile) {
      tile = new Tile(template, monitor, this.acts);
      this.tiles.set(monitor.id, tile);
      list.append(tile.element);
      this.changed();
    }
    const renamed = tile.monitor.name !== monitor.name;
    tile.show(monitor, now);
    if (renamed) this.renamed();
    const face = monitor.state === "watching" ? mostSuspicious(monitor.faces) : null;
    tile.remember({ time: now, probability: face?.probability ?? null, verdict: face?.verdict ?? "gathering" });
  }

  draw() {
    if (document.hidden) return;
    const now = Date.now() / 1000;
    for (const tile of this.tiles.values()) if (tile.picture.inView) tile.draw(now, this.threshold);
  }

  /** @param {Monitor} monitor */
  async pause(monitor) {
    try {
      this.show(await changeMonitor(monitor.id, { paused: monitor.state !== "paused" && monitor.state !== "failed" }));
    } catch (error) {
      this.trouble(error);
    }
  }

  /** @param {Monitor} monitor */
  async rename(monitor) {
    const name = await newName(monitor.name);
    if (name === null) return;
    try {
      this.show(await changeMonitor(monitor.id, { name }));
    } catch (error) {
      this.trouble(error);
    }
  }

  /** @param {Monitor} monitor */
  async remove(monitor) {
    const yes = await confirmed({
      title: _("Stop watching {stream}?", { stream: monitor.name }),
      text: _("It leaves the wall. Its incidents stay in the list below."),
      yes: _("Remove"),
    });
    if (!yes) return;
    try {
      await removeMonitor(monitor.id);
    } catch (error) {
      return this.trouble(error);
    }
    this.takeAway(monitor.id);
    this.changed();
    byId("wall-title", HTMLElement).focus();
  }

  /** @param {string} id */
  takeAway(id) {
    this.tiles.get(id)?.remove();
    this.tiles.delete(id);
  }
}
