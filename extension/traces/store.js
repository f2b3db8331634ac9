// The list of what was flagged, in the extension's own database on this computer: the service worker
// may be stopped at any time, and stills are too large for the storage areas. It is the list of one
// session of the browser; only what the person has said something of stays for the next.

import { overLimit } from "./bounds.js";
import { isSameStretch, joined } from "../shared/flag.js";

/** @typedef {import("../shared/flag.js").Flag} Flag */
/** @typedef {import("../shared/flag.js").Stretch} Stretch */
/**
 * @typedef {object} Entry
 * @property {string} id
 * @property {string} key what stands for the page and its video
 * @property {string} document
 * @property {number} video
 * @property {string} title of the page
 * @property {string} site
 * @property {import("../shared/flag.js").Clock} clock
 * @property {number} from seconds
 * @property {number} to
 * @property {number} seenAt milliseconds since the epoch
 * @property {number|null} probability the highest that was told
 * @property {string} extension its version
 * @property {{version: string, models: string[]}|null} server that judged
 * @property {Blob|null} still
 * @property {string|null} note of a person who says that it is wrong; null where nobody does
 * @property {{server: string, id: string}|null} sent where it is on a server's list of mistakes
 */

const NAME = "traces";
const STORE = "entries";
/** In the session's storage area, which is empty when the browser starts. */
const BEGUN = "traces-begun";

/** @type {Promise<unknown>} */
let queue = Promise.resolve();

/**
 * One after the other: flags of several videos come at the same time.
 * @template T
 * @param {(store: (mode: IDBTransactionMode) => IDBObjectStore) => Promise<T>} work
 * @returns {Promise<T>}
 */
function withStore(work) {
  const done = queue.then(async () => {
    const database = await opened();
    try {
      return await work((mode) => database.transaction(STORE, mode).objectStore(STORE));
    } finally {
      database.close();
    }
  });
  queue = done.catch(() => {});
  return done;
}

/** @returns {Promise<IDBDatabase>} */
async function opened() {
  const asked = indexedDB.open(NAME, 1);
  asked.onupgradeneeded = () => asked.result.createObjectStore(STORE, { keyPath: "id" });
  return answer(asked);
}

/** @template T @param {IDBRequest<T>} request @returns {Promise<T>} */
function answer(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

/** @param {(mode: IDBTransactionMode) => IDBObjectStore} store @returns {Promise<Entry[]>} the newest first */
async function newestFirst(store) {
  const found = /** @type {Entry[]} */ (await answer(store("readonly").getAll()));
  if (!(await chrome.storage.session.get(BEGUN))[BEGUN]) {
    // Another session of the browser.
    for (const { id, note } of found) if (note === null) await answer(store("readwrite").delete(id));
    await chrome.storage.session.set({ [BEGUN]: true });
    return found.filter(({ note }) => note !== null).sort((a, b) => b.seenAt - a.seenAt);
  }
  return found.sort((a, b) => b.seenAt - a.seenAt);
}

/** @returns {Promise<Entry[]>} the newest first */
export function entries() {
  return withStore(newestFirst);
}

/**
 * Keep a stretch, or what is new of one that is known.
 * @param {Flag & {key: string}} flag
 * @param {() => Promise<Omit<Entry, keyof Flag|"key"|"still"|"note"|"sent">>} describe for one that is not
 * @returns {Promise<Entry>}
 */
export function keep(flag, describe) {
  return withStore(async (store) => {
    const known = (await newestFirst(store)).find((one) => isSameStretch(one, flag));
    if (known) {
      const probability = highest(known.probability, flag.probability);
      return (await changed(store, known.id, (entry) => ({ ...joined(entry, flag), probability }))) ?? known;
    }
    const { length: _, ...own } = flag;
    const entry = { ...own, ...(await describe()), still: null, note: null, sent: null };
    await answer(store("readwrite").put(entry));
    await drop(store);
    return entry;
  });
}

/** @param {string} id @param {Partial<Pick<Entry, "still"|"note"|"sent">>} values of one that is there */
export function change(id, values) {
  return withStore(async (store) => {
    await changed(store, id, (entry) => ({ ...entry, ...values }));
    await drop(store);
  });
}

/**
 * In one transaction: the service worker and the page of the list may both be at it.
 * @param {(mode: IDBTransactionMode) => IDBObjectStore} store
 * @param {string} id
 * @param {(entry: Entry) => Entry} change
 * @returns {Promise<Entry|null>} null where it is no longer there
 */
async function changed(store, id, change) {
  const place = store("readwrite");
  const known = /** @type {Entry|undefined} */ (await answer(place.get(id)));
  if (!known) return null;
  const entry = change(known);
  await answer(place.put(entry));
  return entry;
}

/** @param {string} id */
export function forget(id) {
  return withStore((store) => answer(store("readwrite").delete(id)));
}

/** The whole list. */
export function clear() {
  return withStore((store) => answer(store("readwrite").clear()));
}

/** What is too much. @param {(mode: IDBTransactionMode) => IDBObjectStore} store */
async function drop(store) {
  for (const id of overLimit(await newestFirst(store))) await answer(store("readwrite").delete(id));
}

/** @param {number|null} a @param {number|null} b */
function highest(a, b) {
  return a === null || b === null ? (a ?? b) : Math.max(a, b);
}
