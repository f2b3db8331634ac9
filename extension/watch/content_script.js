// The content script: the only part that runs on a page without a playing video. It waits for one
// and then loads the modules that do the work. A classic script, as the browsers ask.

(() => {
  // Injected twice (the site's own rule and a click on the icon): the first one stays.
  const scope = /** @type {{fakelight?: boolean}} */ (globalThis);
  if (scope.fakelight) return;
  // A window of the page's own that floats: the page's content script draws in it.
  if (matchMedia("(display-mode: picture-in-picture)").matches) return;
  scope.fakelight = true;

  /** @typedef {import("./watcher.js").Watcher} Watcher */
  /** @type {Watcher|null} */
  let watcher = null;
  let on = true;
  let starting = false;
  /** @type {boolean|null} whether the tab came to the front of its window, or left it, meanwhile */
  let front = null;
  /** @type {ReturnType<typeof setInterval>|undefined} */
  let timer;
  const listening = new AbortController();
  /** @type {ReturnType<typeof setTimeout>|undefined} */
  let frameTimer;

  const url = chrome.runtime.getURL;

  /** Media events do not leave shadow roots, hence a look now and then besides the listener. */
  function somethingPlays() {
    /** @param {Document|ShadowRoot} root @returns {boolean} */
    const inside = (root) => {
      for (const video of root.querySelectorAll("video")) if (!video.paused) return true;
      for (const element of root.querySelectorAll("*")) {
        // Closed roots: Chromium's way, and Firefox's.
        const closed = () =>
          chrome.dom?.openOrClosedShadowRoot?.(/** @type {HTMLElement} */ (element)) ??
          Reflect.get(element, "openOrClosedShadowRoot");
        const shadow = element.shadowRoot ?? (element.localName.includes("-") ? closed() : null);
        if (shadow && inside(/** @type {ShadowRoot} */ (shadow))) return true;
      }
      return false;
    };
    return inside(document);
  }

  async function start() {
    if (!on || watcher || starting) return;
    starting = true;
    front = null;
    try {
      const settings = await chrome.runtime.sendMessage({ type: "content-settings" });
      if (settings?.on !== true) return;
      const module = await import(url("watch/watcher.js"));
      if (on) watcher = new module.Watcher({ ...settings, inFront: front ?? settings.inFront });
      clearInterval(timer);
    } finally {
      starting = false;
    }
  }

  function stop() {
    if (!watcher) return;
    watcher.stop();
    watcher = null;
    // Nobody else tells of a frame that goes.
    chrome.runtime?.sendMessage?.({ type: "tab-state", summaries: [] }).catch(() => {});
  }

  /** What was allowed may be so no longer. */
  async function check() {
    if (!watcher) return;
    const settings = await chrome.runtime.sendMessage({ type: "content-settings" });
    if (settings?.on === true) return;
    stop();
    wait();
  }

  /** A frame that came to the page: the service worker knows whether it may be entered. */
  function frameLoaded() {
    clearTimeout(frameTimer);
    frameTimer = setTimeout(() => {
      if (on) chrome.runtime?.sendMessage?.({ type: "frame-loaded" }).catch(() => {});
    }, 300);
  }

  /** @type {Promise<typeof import("../offer/offer.js")>|null} loaded once a file was chosen */
  let offers = null;

  /** Files for the page: where there is a video among them, a check is offered. @param {FileList|null|undefined} files */
  function received(files) {
    if (!files?.length || !on || !chrome.runtime?.id) return;
    // As they are now: a page may empty its field at once.
    const list = [...files];
    offers ??= import(url("offer/offer.js"));
    offers.then((module) => module.offerFor(list)).catch(() => {});
  }

  function look() {
    // Left behind by an update of the extension.
    if (!chrome.runtime?.id) clearInterval(timer);
    else if (document.visibilityState === "visible" && somethingPlays()) void start();
  }

  function wait() {
    clearInterval(timer);
    timer = setInterval(look, 3000);
    look();
  }

  /** Turned off, the page is as it was before: no listener and no timer. A later turn injects anew. */
  function leave() {
    on = false;
    clearInterval(timer);
    clearTimeout(frameTimer);
    stop();
    void offers?.then((module) => module.withdraw()).catch(() => {});
    listening.abort();
    chrome.runtime.onMessage.removeListener(receive);
    scope.fakelight = false;
  }

  /** @param {any} message */
  function receive(message) {
    if (message?.type === "off") leave();
    else if (message?.type === "check") void check();
    else if (message?.type === "front") {
      front = message.front;
      watcher?.setFront(message.front);
    } else if (message?.type === "sensitivity") watcher?.setSensitivity(message.sensitivity);
    else if (message?.type === "go-to-label") watcher?.goToLabel();
    else if (message?.type === "report") watcher?.report(true);
    else if (message?.type === "tab-picture") {
      if (watcher) watcher.setPicture(message.picture);
      else if (window === window.top && message.picture !== "off") void start();
    } else if (message?.type === "own-picture") {
      watcher?.setOwnPicture(message.judged);
    }
  }

  const { signal } = listening;
  document.addEventListener("playing", () => void start(), { capture: true, signal });
  document.addEventListener("load", ({ target }) => target instanceof HTMLIFrameElement && frameLoaded(), {
    capture: true,
    signal,
  });
  // Composed, unlike "change": it leaves the page's shadow roots.
  document.addEventListener("input", (event) => {
    const [field] = event.composedPath();
    if (field instanceof HTMLInputElement && field.type === "file") received(field.files);
  }, { capture: true, signal });
  document.addEventListener("drop", (event) => received(event.dataTransfer?.files), { capture: true, signal });
  document.addEventListener("visibilitychange", () => watcher?.review(), { signal });
  // Back/forward cache: leave with nothing open, come back as if new.
  addEventListener("pagehide", stop, { signal });
  addEventListener("pageshow", (event) => event.persisted && wait(), { signal });
  chrome.runtime.onMessage.addListener(receive);
  wait();
  if (document.querySelector("iframe, frame, object")) frameLoaded();
})();
