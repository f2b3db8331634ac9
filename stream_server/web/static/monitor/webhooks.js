// Who else is told of incidents: other programs, chats and mailboxes.

import { byId } from "../../extension/shared/dom.js";
import { _ } from "../words.js";
import { confirmed } from "./confirm.js";
import { showDeadLetters } from "./dead-letters.js";
import * as server from "./webhook-server.js";
import { moment, sentence, troubleWords } from "./words.js";

/** @typedef {import("./webhook-server.js").Webhook} Webhook */

/** @type {Record<import("./webhook-server.js").Kind, string>} */
const KINDS = { standard: "JSON", slack: "Slack", mattermost: "Mattermost", discord: "Discord", email: _("E-mail") };
const template = byId("hook", HTMLTemplateElement);
const list = byId("hooks", HTMLUListElement);
const form = byId("hook-add", HTMLFormElement);
const url = byId("hook-url", HTMLInputElement);
const kind = byId("hook-kind", HTMLSelectElement);
const note = byId("hook-note", HTMLElement);
const said = byId("hook-said", HTMLElement);
const secret = byId("hook-secret", HTMLElement);
const secretText = byId("hook-secret-text", HTMLElement);

export class Webhooks {
  constructor() {
    /** @type {Map<string, HTMLElement>} rows by the webhook's id */
    this.rows = new Map();
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      void this.add();
    });
    url.addEventListener("input", () => complain(""));
    byId("hook-copy", HTMLButtonElement).addEventListener("click", () => void copySecret());
    byId("hook-secret-close", HTMLButtonElement).addEventListener("click", () => {
      secret.hidden = true;
      secretText.textContent = "";
      url.focus();
    });
  }

  async refresh() {
    try {
      const found = await server.webhooks();
      const there = new Set(found.map(({ id }) => id));
      for (const [id, row] of this.rows) {
        if (there.has(id)) continue;
        row.remove();
        this.rows.delete(id);
      }
      for (const webhook of found) this.fill(this.rows.get(webhook.id) ?? this.row(webhook), webhook);
      byId("no-hooks", HTMLElement).hidden = found.length > 0;
      const names = new Map(found.map((webhook) => [webhook.id, nameOf(webhook)]));
      await showDeadLetters(names, () => void this.refresh());
    } catch (error) {
      note.textContent = troubleWords(error);
    }
  }

  async add() {
    const typed = url.value.trim();
    const address = kind.value === "email" && !typed.startsWith("mailto:") ? `mailto:${typed}` : typed;
    try {
      const made = await server.addWebhook({ url: address, kind: kind.value });
      form.reset();
      complain("");
      if (made.secret) showSecret(made.secret, nameOf(made));
      await this.refresh();
    } catch (error) {
      complain(troubleWords(error));
      url.focus();
    }
  }

  /** @param {Webhook} webhook @returns {HTMLElement} a new row for it */
  row(webhook) {
    const copy = /** @type {DocumentFragment} */ (template.content.cloneNode(true));
    const row = /** @type {HTMLElement} */ (copy.firstElementChild);
    const { id } = webhook;
    const name = nameOf(webhook);
    this.act(row, ".test", _("Send a test to {name}", { name }), async () => {
      const { delivered, status, error } = await server.testWebhook(id);
      if (!delivered) said.textContent = _("Not delivered: {why}", { why: sentence(error) });
      else if (status === null) said.textContent = _("The test was delivered to {name}.", { name });
      else said.textContent = _("The test was delivered to {name}, answered {status}.", { name, status });
    });
    this.act(row, ".renew", _("New secret for {name}", { name }), async () => {
      const text = _(
        "The old secret goes on signing beside the new one for a day, so that the receiver can be changed.",
      );
      if (!(await confirmed({ title: _("A new secret for {name}?", { name }), text, yes: _("New secret") }))) return;
      showSecret((await server.renewSecret(id)).secret, name);
    });
    this.act(row, ".switch", "", async () => {
      await server.changeWebhook(id, { enabled: row.dataset.enabled !== "true" });
    });
    this.act(row, ".remove", _("Remove {name}", { name }), async () => {
      const text = _("Nothing more is sent there. What still waits is not delivered.");
      if (!(await confirmed({ title: _("Remove {name}?", { name }), text, yes: _("Remove") }))) return;
      await server.removeWebhook(id);
      url.focus();
    });
    part(row, ".renew").hidden = webhook.kind === "email";
    this.rows.set(id, row);
    list.append(row);
    return row;
  }

  /** @param {HTMLElement} row @param {string} selector @param {string} label @param {() => Promise<void>} act */
  act(row, selector, label, act) {
    const button = part(row, selector);
    if (label) button.setAttribute("aria-label", label);
    button.addEventListener("click", async () => {
      said.textContent = "";
      note.textContent = "";
      await act().catch((error) => {
        note.textContent = troubleWords(error);
      });
      await this.refresh();
    });
  }

  /** @param {HTMLElement} row @param {Webhook} webhook */
  fill(row, webhook) {
    const { enabled } = webhook;
    row.dataset.enabled = String(enabled);
    row.toggleAttribute("data-trouble", !enabled || webhook.failing_since !== null);
    part(row, ".kind").textContent = KINDS[webhook.kind];
    part(row, ".address").textContent = webhook.url;
    part(row, ".health").textContent = health(webhook);
    const name = nameOf(webhook);
    part(row, ".switch").textContent = enabled ? _("Switch off") : _("Switch on");
    const spoken = enabled ? _("Switch off {name}", { name }) : _("Switch on {name}", { name });
    part(row, ".switch").setAttribute("aria-label", spoken);
  }
}

/** @param {Webhook} webhook */
function nameOf({ kind: which, url: shown }) {
  return `${KINDS[which]} ${shown}`;
}

/** @param {Webhook} webhook @returns {string} how its deliveries go */
function health({ enabled, reason, delivered_at, failing_since, last_error, pending, dead }) {
  const parts = [];
  if (!enabled) parts.push(reason ? _("Switched off: {why}", { why: reason }) : _("Switched off"));
  else if (failing_since !== null) parts.push(_("Failing since {time}: {why}", { time: moment(failing_since), why: last_error }));
  else if (delivered_at !== null) parts.push(_("Last delivered {time}", { time: moment(delivered_at) }));
  else parts.push(_("Nothing delivered yet"));
  if (pending) parts.push(_("{count} waiting", { count: pending }));
  if (dead) parts.push(_("{count} given up", { count: dead }));
  return sentence(parts.join("; "));
}

/** @param {string} text @param {string} name */
function showSecret(text, name) {
  secretText.textContent = text;
  byId("hook-secret-for", HTMLElement).textContent = name;
  secret.hidden = false;
  byId("hook-copy", HTMLButtonElement).focus();
}

async function copySecret() {
  try {
    await navigator.clipboard.writeText(secretText.textContent ?? "");
    said.textContent = _("Copied.");
  } catch {
    // Pages beyond localhost and https may not; then it is marked, to be copied by hand.
    getSelection()?.selectAllChildren(secretText);
    said.textContent = _("The browser does not let the page copy it; it is marked now.");
  }
}

/** @param {string} text */
function complain(text) {
  note.textContent = text;
  url.setAttribute("aria-invalid", String(text !== ""));
}

/** @param {HTMLElement} row @param {string} selector */
function part(row, selector) {
  return /** @type {HTMLElement} */ (row.querySelector(selector));
}
