// The overlay's own elements: a host in the browser's top layer and a closed shadow root in it.

import { Card } from "./card.js";
import { BESIDE, OUTSIDE } from "./clear.js";
import { Corner } from "./corner.js";
import { Reach } from "./reach.js";
import { applyStyle } from "./style.js";
import { say } from "../shared/words.js";

/** Everything important, so that no rule of the page reaches the host. */
const HOST_STYLE =
  "all:initial!important;position:absolute!important;display:block!important;left:0!important;top:0!important;" +
  "overflow:visible!important;pointer-events:none!important;z-index:2147483647!important;";

export class Stage {
  /** @param {Document} page where it is drawn @param {boolean} inTabOrder whether the Tab key stops at labels */
  constructor(page, inTabOrder) {
    this.page = page;
    this.host = page.createElement("div");
    this.host.popover = "manual";
    this.host.lang = say("language");
    this.host.style.cssText = HOST_STYLE;
    const root = this.host.attachShadow({ mode: "closed" });
    applyStyle(root, page);
    this.reach = new Reach(root, inTabOrder);
    this.element = document.createElement("div");
    this.element.className = "stage";
    this.element.setAttribute("role", "group");
    this.element.setAttribute("aria-label", say("name"));
    this.spoken = document.createElement("div");
    this.spoken.className = "spoken";
    this.spoken.setAttribute("role", "status");
    this.element.append(this.spoken);
    root.append(this.element);
    this.corner = new Corner(this.element);
    this.card = new Card(root);
    this.placed = "";
    /** Its corner in the page, CSS pixels. */
    this.at = { x: 0, y: 0 };
    this.outside = false;
    /** @type {import("./clear.js").Room} */
    this.room = { above: false, below: false, left: false, right: false };
    this.raise();
  }

  /**
   * To the top of the top layer, above an element that has just gone fullscreen. Whatever lies
   * outside of such an element takes no clicks, so the stage moves into it where it can have
   * children; over a bare fullscreen video the labels can be seen but not clicked.
   */
  raise() {
    const parent = innermostFullscreen(this.page);
    if (this.host.parentNode !== parent) parent.append(this.host);
    if (this.host.matches(":popover-open")) this.host.hidePopover();
    this.host.showPopover();
  }

  /**
   * Page coordinates rather than the window's: the stage then scrolls with the page by itself. By
   * transform: following a video that the page moves is then no shift of the page's layout.
   * @param {import("./layout.js").Rect} visible in the window
   * @returns {boolean} whether anything has changed
   */
  moveTo(visible) {
    if (!this.host.isConnected) this.raise();
    const place = {
      left: visible.x + (this.page.defaultView ?? globalThis).scrollX,
      top: visible.y + (this.page.defaultView ?? globalThis).scrollY,
      width: visible.width,
      height: visible.height,
    };
    const placed = JSON.stringify(place);
    if (placed === this.placed) return false;
    this.placed = placed;
    this.at = { x: place.left, y: place.top };
    const [left, top, width, height] = Object.values(place).map((length) => `${length.toFixed(1)}px`);
    this.host.style.setProperty("transform", `translate(${left}, ${top})`, "important");
    this.host.style.setProperty("width", width, "important");
    this.host.style.setProperty("height", height, "important");
    this.element.dataset.size = sizeName(visible.width);
    const { innerWidth, innerHeight } = this.page.defaultView ?? globalThis;
    this.room = {
      above: visible.y >= OUTSIDE,
      below: innerHeight - visible.y - visible.height >= OUTSIDE,
      left: visible.x >= BESIDE,
      right: innerWidth - visible.x - visible.width >= BESIDE,
    };
    this.showOutside();
    return true;
  }

  /** @param {boolean} outside whether labels may lie out of the picture */
  setOutside(outside) {
    this.outside = outside;
    this.showOutside();
  }

  showOutside() {
    const { above, below, left, right } = this.room;
    const side = below ? "below" : above ? "above" : right ? "right" : left ? "left" : "";
    if (this.outside) this.element.dataset.outside = side;
    else delete this.element.dataset.outside;
  }

  /** @param {boolean} away hidden, and measured all the same */
  setAway(away) {
    this.host.style.setProperty("visibility", away ? "hidden" : "visible", "important");
  }

  remove() {
    this.corner.badge.remove();
    this.host.remove();
  }
}

/** @param {Document} page @returns {Element|ShadowRoot} where elements can be put that are to be seen and clicked */
function innermostFullscreen(page) {
  let element = page.fullscreenElement;
  while (element?.shadowRoot?.fullscreenElement) element = element.shadowRoot.fullscreenElement;
  if (!element || element.localName === "video") return page.documentElement;
  return element.shadowRoot ?? element;
}

/** @param {number} width of the picture in CSS pixels */
function sizeName(width) {
  if (width >= 420) return "large";
  if (width >= 280) return "medium";
  return width >= 190 ? "small" : "tiny";
}
