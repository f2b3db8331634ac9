// Videos that float over all windows: in the browser's picture-in-picture window, where nothing can be
// drawn, or in a document of the page's own in such a window.

/**
 * @param {HTMLVideoElement} video
 * @returns {boolean} whether a placeholder stands where it was, and its picture is elsewhere
 */
export function isFloating(video) {
  const root = /** @type {Partial<DocumentOrShadowRoot>|undefined} */ (video.getRootNode?.());
  return root?.pictureInPictureElement === video;
}

/**
 * @param {HTMLVideoElement} video
 * @returns {boolean} whether it is seen while its tab is hidden
 */
export function isInFront(video) {
  return isFloating(video) || video.ownerDocument !== document;
}

/** @returns {Document[]} the page, and what it shows in a window that stays in front */
export function documents() {
  const api = /** @type {{documentPictureInPicture?: {window: Window|null}}} */ (globalThis);
  const floating = api.documentPictureInPicture?.window?.document;
  return floating ? [document, floating] : [document];
}
