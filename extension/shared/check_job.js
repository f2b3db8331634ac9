// What is to be checked, on its way from the menu, or from a page's file picker, to the page that sends it.

/**
 * @typedef {object} CheckJob
 * @property {"image"|"video"} kind
 * @property {string} address of the file; empty for a stream
 * @property {string|null} data as a data URL: the bytes of the file, or a video's present picture
 * @property {boolean} whole whether they are the file's
 * @property {string|null} shot what is seen of it on the screen, as a data URL
 * @property {Upload|null} upload a file that was chosen on a page, in the tab that has it
 */
/** @typedef {{id: string, tabId: number, frameId: number, name: string, type: string, size: number}} Upload size in bytes */
/**
 * @typedef {object} CheckFile
 * @property {Blob} blob
 * @property {string} name
 * @property {"whole"|"still"|"screen"} part the file itself; one picture of a video; what was on the
 *     screen
 */

/** The name, before its id, of the port on which an upload is fetched from its tab. */
export const UPLOAD_PORT = "upload-";
