// The page `/scan`: uploads files, follows their scans and keeps the list of results.

import { byId } from "../extension/shared/dom.js";
import { askForToken, askServer, enterByLink, fetchWords, named, showAccuracy } from "./entry.js";
import { Row } from "./scan-row.js";
import { follow, forget, history, upload } from "./scan-server.js";
import { _, _n } from "./words.js";

/** @typedef {import("./scan-server.js").Scan} Scan */

const list = byId("list", HTMLUListElement);
const template = byId("row", HTMLTemplateElement);
const drop = byId("drop", HTMLElement);
const picker = byId("files", HTMLInputElement);
const note = byId("note", HTMLElement);
const spoken = byId("spoken", HTMLElement);

/** @type {File[]} */
const waiting = [];
let sending = false;

/** @type {Map<string, Row>} the row of each scan, by its id */
const shown = new Map();

/** @param {Row} row */
function place(row) {
  list.prepend(row.element);
  byId("none", HTMLElement).hidden = true;
}

/** @param {Row} row */
function takeAway(row) {
  // The keyboard must not fall off the page with the button it was on.
  const next = row.element.nextElementSibling ?? row.element.previousElementSibling;
  const target = next?.querySelector("button") ?? byId("choose", HTMLButtonElement);
  row.element.remove();
  byId("none", HTMLElement).hidden = list.children.length > 0;
  target.focus();
}

/** @param {Row} row @param {Scan} scan */
function watch(row, scan) {
  // The history may have come while this file was on its way, with this scan in it.
  shown.get(scan.id)?.element.remove();
  shown.set(scan.id, row);
  row.show(scan);
  row.onDrop = async () => {
    // The news that it is cancelled may come before the answer does.
    const { open } = row;
    const trouble = await forget(scan.id);
    note.textContent = trouble;
    if (trouble) return;
    if (open) row.cancelled();
    else takeAway(row);
    row.open = false;
  };
  if (!row.open) return;
  follow(scan.id, (news) => {
    if (news === null) return;
    row.show(news);
    if (!row.open) spoken.textContent = row.spoken();
  });
}

/** @param {Iterable<File>} files */
function add(files) {
  note.textContent = "";
  waiting.push(...files);
  if (!sending) void sendAll();
}

async function sendAll() {
  sending = true;
  // One upload at a time: the server analyses one at a time too, and the first is ready sooner.
  for (let file = waiting.shift(); file !== undefined; file = waiting.shift()) {
    const row = new Row(template, file.name);
    place(row);
    const sent = upload(file, byId("window", HTMLSelectElement).value, byId("keep", HTMLInputElement).checked,
      (share) => row.sending(share));
    row.onDrop = async () => sent.abort();
    const answer = await sent.done;
    if (typeof answer === "string") row.refused(answer, () => takeAway(row));
    else watch(row, answer);
    if (typeof answer === "string") spoken.textContent = row.spoken();
  }
  sending = false;
}

async function showHistory() {
  const answer = await askServer();
  byId("entry", HTMLElement).hidden = answer !== "unauthorised";
  drop.hidden = answer === "unauthorised";
  if (answer === "unreachable") note.textContent = _("The server does not answer.");
  showAccuracy(answer);
  if (typeof answer === "string") return;
  for (const option of byId("window", HTMLSelectElement).options) {
    const seconds = Number(option.value) / answer.sample_hz;
    if (seconds > 0) option.textContent = _n("{count} second", "{count} seconds", seconds);
  }
  for (const scan of await history()) {
    if (shown.has(scan.id)) continue;
    const row = new Row(template, scan.file);
    list.append(row.element);
    byId("none", HTMLElement).hidden = true;
    watch(row, scan);
  }
}

/** Go to the scan that the page's address names: the extension opens the page on what it has sent. */
function pointOut() {
  const row = shown.get(named().get("scan") ?? "");
  if (!row) return;
  row.element.classList.add("asked");
  row.element.tabIndex = -1;
  row.element.focus();
}

byId("choose", HTMLButtonElement).addEventListener("click", () => picker.click());
picker.addEventListener("change", () => {
  add(picker.files ?? []);
  picker.value = "";
});

let depth = 0; // dragenter and dragleave come for every child
for (const kind of ["dragenter", "dragover", "dragleave", "drop"]) {
  document.addEventListener(kind, (event) => {
    const moved = /** @type {DragEvent} */ (event);
    if (!moved.dataTransfer?.types.includes("Files")) return;
    event.preventDefault();
    if (kind === "dragenter") depth += 1;
    if (kind === "dragleave") depth -= 1;
    if (kind === "drop") {
      depth = 0;
      add(moved.dataTransfer.files);
    }
    drop.classList.toggle("over", depth > 0);
  });
}

window.addEventListener("beforeunload", (event) => {
  if (sending) event.preventDefault(); // an upload would break off
});

await fetchWords();
askForToken(byId("entry", HTMLFormElement), byId("entry-note", HTMLElement), () => void showHistory());
byId("entry-note", HTMLElement).textContent = await enterByLink().catch(() => _("The server does not answer."));
await showHistory();
pointOut();
