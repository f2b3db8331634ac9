// What content scripts are told.

/**
 * @param {number} tabId
 * @param {unknown} message
 */
export async function tell(tabId, message) {
  // No receiver is no fault: most tabs have no content script.
  await chrome.tabs.sendMessage(tabId, message).catch(() => {});
}

/** @param {unknown} message to every tab */
export async function tellAll(message) {
  for (const { id } of await chrome.tabs.query({})) if (id !== undefined) await tell(id, message);
}
