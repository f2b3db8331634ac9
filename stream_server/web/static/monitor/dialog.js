// Dialogs that are done with as soon as they are closed.

/**
 * A dialog's own `close` event comes later than the focus is back on the page: a key that is pressed in between would meet
 * what still waits for the event, and be lost. The change of its attribute is told before any other key.
 * @param {HTMLDialogElement} dialog @param {() => void} tell called each time it was closed, however that was
 * @returns {() => void} ends it
 */
export function onClosed(dialog, tell) {
  const watch = new MutationObserver(() => {
    if (!dialog.open) tell();
  });
  watch.observe(dialog, { attributeFilter: ["open"] });
  return () => watch.disconnect();
}

/** @param {HTMLDialogElement} dialog @returns {Promise<boolean>} once it is closed, whether by its button of the value "yes" */
export function answered(dialog) {
  dialog.returnValue = "no";
  dialog.showModal();
  return new Promise((resolve) => {
    const end = onClosed(dialog, () => {
      end();
      resolve(dialog.returnValue === "yes");
    });
  });
}
