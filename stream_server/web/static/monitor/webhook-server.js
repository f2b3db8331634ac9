// What the page /monitor asks the server of webhooks and their deliveries.

import { ask } from "./request.js";

/** @typedef {"standard"|"slack"|"mattermost"|"discord"|"email"} Kind */
/**
 * @typedef {object} Webhook as GET /v1/webhooks gives it; times in Unix seconds
 * @property {string} id
 * @property {Kind} kind
 * @property {string} url without what must stay secret
 * @property {boolean} enabled
 * @property {string} reason why it is switched off, where the server did that
 * @property {number|null} delivered_at
 * @property {number|null} failing_since
 * @property {string} last_error
 * @property {number} pending how many messages wait
 * @property {number} dead how many were given up
 */
/**
 * @typedef {object} Delivery
 * @property {number} id
 * @property {string} webhook
 * @property {string} type
 * @property {number} attempts
 * @property {number} created
 * @property {string} last_error
 */

/** @param {string} id */
const path = (id) => `v1/webhooks/${encodeURIComponent(id)}`;

/** @returns {Promise<Webhook[]>} */
export const webhooks = () => ask("GET", "v1/webhooks");

/** @param {{url: string, kind: string}} wanted @returns {Promise<Webhook & {secret?: string}>} */
export const addWebhook = (wanted) => ask("POST", "v1/webhooks", wanted);

/** @param {string} id @param {{enabled: boolean}} change */
export const changeWebhook = (id, change) => ask("PATCH", path(id), change);

/** @param {string} id */
export const removeWebhook = (id) => ask("DELETE", path(id));

/** @param {string} id @returns {Promise<{secret: string}>} */
export const renewSecret = (id) => ask("POST", `${path(id)}/rotate`, {});

/** @param {string} id @returns {Promise<{delivered: boolean, status: number|null, error: string}>} */
export const testWebhook = (id) => ask("POST", `${path(id)}/test`);

/** @returns {Promise<Delivery[]>} those that were given up, the newest first */
export const deadLetters = () => ask("GET", "v1/webhooks/deliveries?state=dead");

/** @param {number} id */
export const replay = (id) => ask("POST", `v1/webhooks/deliveries/${id}/replay`);

export const replayAll = () => ask("POST", "v1/webhooks/deliveries/replay", {});
