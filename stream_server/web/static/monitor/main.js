// The page `/monitor`: a wall of live streams, their incidents, and who is told of them.

import { byId } from "../../extension/shared/dom.js";
import { askForToken, askServer, enterByLink, fetchWords } from "../entry.js";
import { _ } from "../words.js";
import * as add from "./add.js";
import { Detail } from "./detail.js";
import { Events } from "./events.js";
import { Incidents } from "./incidents.js";
import { Refused } from "./request.js";
import { monitors } from "./server.js";
import { Wall } from "./wall.js";
import { Webhooks } from "./webhooks.js";
import { troubleWords, verdictWords } from "./words.js";

/** @typedef {import("./server.js").Incident} Incident */
/** @typedef {import("./server.js").Monitor} Monitor */

const TITLE = document.title;
const note = byId("note", HTMLElement);
const spoken = byId("spoken", HTMLElement);
/** Incidents that opened while nobody looked at the page. */
let unseen = 0;

/** @param {Incident} incident @returns {string} what its stream is called now, or was when there still was one */
function streamOf({ monitor, monitor_name }) {
  return wall.tiles.get(monitor)?.monitor.name ?? (monitor_name || _("A stream that was removed"));
}

/** @param {unknown} error */
function trouble(error) {
  if (error instanceof Refused && error.status === 401) return void enter();
  note.textContent = troubleWords(error);
}

const wall = new Wall({
  incidents: ({ id }) => incidents.choose(id),
  trouble,
  changed: monitorsChanged,
  renamed: () => {
    monitorsChanged();
    incidents.refresh();
  },
});
const incidents = new Incidents({ streamOf, trouble });
const detail = new Detail({ streamOf, threshold: () => wall.threshold, changed: () => incidents.refresh() });
const webhooks = new Webhooks();

function monitorsChanged() {
  incidents.offer(wall.monitors);
  add.offerFirst(wall.monitors.length === 0);
  byId("wall-help", HTMLElement).hidden = wall.monitors.length === 0;
}

/** @param {Monitor} monitor */
function added(monitor) {
  wall.show(monitor);
  spoken.textContent = _("{stream} is being watched", { stream: monitor.name });
}

/** @param {Incident} incident */
function opened(incident) {
  incidents.refresh();
  void detail.news(incident);
  spoken.textContent = _("New incident in {stream}: {verdict}", {
    stream: streamOf(incident),
    verdict: verdictWords(incident.verdict, incident.peak),
  });
  if (!document.hidden) return;
  unseen += 1;
  document.title = `(${unseen}) ${TITLE}`;
}

/** @param {Incident} incident */
function closed(incident) {
  incidents.refresh();
  void detail.news(incident);
}

/** @param {"asking"|"ready"|"trouble"} state @param {string} text */
function showLine(state, text) {
  const line = byId("server", HTMLElement);
  line.dataset.state = state;
  /** @type {HTMLElement} */ (line.querySelector(".text")).textContent = text;
}

/** What was missed while there was no line. */
async function catchUp() {
  try {
    wall.showAll(await monitors());
    await incidents.fetch();
    note.textContent = "";
  } catch (error) {
    trouble(error);
  }
}

/** @type {Events|null} */
let events = null;

function follow() {
  events ??= new Events(
    { monitor: (news) => wall.hear(news), "incident.opened": opened, "incident.closed": closed },
    (open) => {
      showLine(open ? "ready" : "trouble", open ? _("Connected, live") : _("No line to the server; trying again"));
      if (open) void catchUp();
    },
  );
}

async function enter() {
  const refused = await enterByLink().catch(() => _("The server does not answer."));
  const entryNote = byId("entry-note", HTMLElement);
  if (refused) entryNote.textContent = refused;
  const answer = await askServer();
  byId("entry", HTMLElement).hidden = answer !== "unauthorised";
  byId("inside", HTMLElement).hidden = answer === "unauthorised";
  if (answer === "unauthorised") return showLine("trouble", _("The server is running; this page is not let in yet"));
  if (answer === "unreachable") showLine("trouble", _("The server does not answer"));
  else wall.threshold = answer.thresholds.fake;
  follow();
  await detail.follow();
}

// The printed link may also be pasted into a tab that shows this page already.
addEventListener("hashchange", () => void (location.hash.startsWith("#token=") ? enter() : detail.follow()));

await fetchWords();
add.listen(added);
askForToken(byId("entry", HTMLFormElement), byId("entry-note", HTMLElement), () => void enter());
byId("hooks-part", HTMLDetailsElement).addEventListener("toggle", () => void webhooks.refresh());
document.addEventListener("visibilitychange", () => {
  unseen = 0;
  document.title = TITLE;
});
await enter();
