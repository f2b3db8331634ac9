// The overlay's own elements: a host in the browser's top layer and a closed shadow root in it.

import { Badge } from "./badge.js";
import { Card } from "./card.js";
import { applyStyle } from "./style.js";
import { say } from "./words.js";

/** Everything important, so that no rule of the page reaches the host. */
const HOST_STYLE =
  "all:initial!important;position:absolute!important;display:block!important;" +
  "overflow:visible!important;pointer-events:none!important;z-index:2147483647!important;";

export class Stage {
  constructor() {
    this.host = document.createElement("div");
    this.host.popover = "manual";
    this.host.style.cssText = HOST_STYLE;
    const root = this.host.attachShadow({ mode: "closed" });
    applyStyle(root);
    this.element = document.createElement("div");
    this.element.className = "stage";
    this.element.setAttribute("role", "group");
    this.element.setAttribute("aria-label", say("name"));
    this.canvas = document.createElement("canvas");
    this.canvas.setAttribute("aria-hidden", "true");
    this.spoken = document.createElement("div");
    this.spoken.className = "spoken";
    this.spoken.setAttribute("role", "status");
    this.element.append(this.canvas, this.spoken);
    root.append(this.element);
    this.badge = new Badge(this.element);
    this.card = new Card(root);
    this.placed = "";
    this.raise();
  }

  /** To the top of the top layer, above an element that has just gone fullscreen. */
  raise() {
    if (!this.host.isConnected) document.documentElement.append(this.host);
    if (this.host.matches(":popover-open")) this.host.hidePopover();
    this.host.showPopover();
  }

  /**
   * Page coordinates rather than the window's: the stage then scrolls with the page by itself.
   * @param {import("./layout.js").Rect} visible in the window
   * @returns {boolean} whether anything has changed
   */
  moveTo(visible) {
    if (!this.host.isConnected) this.raise();
    const style =
      `${HOST_STYLE}left:${(visible.x + scrollX).toFixed(1)}px!important;` +
      `top:${(visible.y + scrollY).toFixed(1)}px!important;` +
      `width:${visible.width.toFixed(1)}px!important;height:${visible.height.toFixed(1)}px!important`;
    if (style === this.placed) return false;
    this.placed = style;
    this.host.style.cssText = style;
    this.element.dataset.size =
      visible.width >= 420 ? "large" : visible.width >= 250 ? "medium" : "small";
    return true;
  }

  remove() {
    this.badge.remove();
    this.host.remove();
  }
}
