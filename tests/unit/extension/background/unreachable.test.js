import assert from "node:assert/strict";
import { afterEach, test } from "node:test";

import { survey, unreached } from "#extension/background/unreachable.js";

const PAGE = "https://page.example";
const PLAYER = "https://player.example";
const BOX = { x: 20, y: 100, width: 640, height: 360 };
const WINDOW = { width: 1000, height: 700 };

/** @typedef {import("#extension/background/unreachable.js").Held} Held */
/** @typedef {import("#extension/background/unreachable.js").Answer} Answer */

/** @param {Partial<Held>} more @returns {Held} */
function element(more = {}) {
  return { place: 0, url: `${PLAYER}/embed/1`, sandboxed: false, box: BOX, ...more };
}

/**
 * @param {number[]} path
 * @param {string} url
 * @param {Held[]} held
 * @param {{frameId?: number, origin?: string, window?: {width: number, height: number}}} more
 * @returns {Answer}
 */
function frame(path, url, held = [], more = {}) {
  const { frameId = path.length === 0 ? 0 : 100 + path[0], origin = new URL(url).origin, window = WINDOW } = more;
  return { frameId, report: { path, origin, url, window, view: { x: 0, y: 0, ...window }, held } };
}

/** @param {Held[]} held @param {Answer[]} inside */
function page(held, inside = []) {
  return [frame([], `${PAGE}/`, held), ...inside];
}

test("a frame that answers is within reach", () => {
  assert.deepEqual(unreached(page([element()], [frame([0], `${PLAYER}/embed/1`)]), []), []);
});

test("one that does not is asked for by the site it shows", () => {
  const [found] = unreached(page([element()]), []);
  assert.deepEqual(found, { why: "ask", site: PLAYER, rect: BOX, visible: BOX, frameId: null });
});

test("nobody can be asked for a document without an origin", () => {
  for (const held of [element({ sandboxed: true }), element({ url: "about:srcdoc" }), element({ url: "data:text/html,x" })]) {
    const [{ why, site }] = unreached(page([held]), []);
    assert.deepEqual({ why, site }, { why: "closed", site: null }, held.url);
  }
  const inside = frame([0], `${PLAYER}/embed/1`, [element({ url: "https://third.example/" })], { origin: "null" });
  const found = unreached(page([element()], [inside]), []);
  assert.deepEqual(found.map(({ why, frameId }) => ({ why, frameId })), [{ why: "closed", frameId: 100 }]);
});

test("of an empty frame that has gone on somewhere it is not known where to", () => {
  const [{ why, site }] = unreached(page([element({ url: "" })]), []);
  assert.deepEqual({ why, site }, { why: "elsewhere", site: null });
});

test("a site that was turned off is told apart from one that was never asked for", () => {
  const [found] = unreached(page([element()], [frame([0], `${PLAYER}/embed/1`)]), [PLAYER]);
  assert.equal(found.why, "off");
  assert.equal(found.site, PLAYER);
});

test("banners, buttons and columns are no players", () => {
  for (const [width, height] of [[728, 90], [300, 50], [119, 90], [160, 600], [120, 67]]) {
    assert.deepEqual(unreached(page([element({ box: { ...BOX, width, height } })]), []), [], `${width} x ${height}`);
  }
  for (const [width, height] of [[120, 68], [300, 250], [360, 640], [1280, 536]]) {
    assert.equal(unreached(page([element({ box: { ...BOX, width, height } })]), []).length, 1, `${width} x ${height}`);
  }
});

test("a frame in a frame is placed in the tab's window, scaled as its frame is, and cut off by it", () => {
  const nested = element({ url: "https://third.example/", box: { x: 50, y: 300, width: 400, height: 240 } });
  // The frame around is shown at half its size: 1280 by 720 in 640 by 360.
  const around = frame([0], `${PLAYER}/embed/1`, [nested], { window: { width: 1280, height: 720 } });
  const [found] = unreached(page([element()], [around]), []);
  assert.equal(found.site, "https://third.example");
  assert.deepEqual(found.rect, { x: 45, y: 250, width: 200, height: 120 });
  const scrolled = element({ url: "https://third.example/", box: { x: 50, y: 600, width: 400, height: 240 } });
  const [cut] = unreached(page([element()], [frame([0], `${PLAYER}/`, [scrolled], { window: { width: 1280, height: 720 } })]), []);
  assert.deepEqual(cut.visible, { x: 45, y: 400, width: 200, height: 60 });
});

test("out of view it has a place and no visible part", () => {
  const [found] = unreached(page([element({ box: { ...BOX, y: 2000 } })]), []);
  assert.equal(found.rect.y, 2000);
  assert.equal(found.visible, null);
});

test("frames in shadow roots are told apart by their addresses", () => {
  const held = ["one", "two", "three"].map((name) => element({ place: -1, url: `https://${name}.example/p` }));
  const inside = [frame([-1], "https://three.example/gone-on"), frame([-1], "https://one.example/p")];
  assert.deepEqual(unreached(page(held, inside), []).map(({ site }) => site), ["https://two.example"]);
});

test("a page that cannot be entered has no survey", async () => {
  assert.equal(await surveyWith([], []), null);
});

test("largest in view first; asked for only what the browser has not granted", async () => {
  const held = [
    element({ place: 0, url: "https://below.example/", box: { ...BOX, y: 3000, width: 900, height: 600 } }),
    element({ place: 1, url: "https://small.example/", box: { ...BOX, width: 320, height: 180 } }),
    element({ place: 2, url: "https://large.example/" }),
    element({ place: 3, url: "https://moved.example/", box: { ...BOX, width: 200, height: 120 } }),
  ];
  const found = await surveyWith(page(held), ["https://moved.example/*"]);
  assert.deepEqual(
    found?.unreached.map(({ why, site }) => [why, site]),
    [
      ["ask", "https://large.example"],
      ["ask", "https://small.example"],
      ["elsewhere", null],
      ["ask", "https://below.example"],
    ],
  );
  assert.deepEqual(found?.frameIds, [0]);
  assert.deepEqual(found?.view, { x: 0, y: 0, ...WINDOW });
});

afterEach(() => void Reflect.deleteProperty(globalThis, "chrome"));

/** @param {Answer[]} answers @param {string[]} granted */
function surveyWith(answers, granted) {
  Reflect.set(globalThis, "chrome", {
    scripting: {
      executeScript: async () => {
        if (answers.length === 0) throw new Error("Cannot access contents of the page");
        return answers.map(({ frameId, report }) => ({ frameId, result: report }));
      },
    },
    permissions: {
      contains: async (/** @type {{origins: string[]}} */ { origins }) => origins.every((one) => granted.includes(one)),
    },
  });
  return survey(1, []);
}
