// What all transports have in common.

/** @typedef {import("../capture/planes.js").Picture} Picture */
/** @typedef {import("../protocol/messages.js").FrameHeader} FrameHeader */
/** @typedef {import("../protocol/messages.js").ServerMessage} ServerMessage */
/** @typedef {import("../protocol/messages.js").Source} Source */
/** @typedef {import("../shared/states.js").Finding} Finding */
/** @typedef {import("../shared/states.js").LinkState} LinkState */
/** @typedef {import("../shared/tab_picture.js").Rect} Rect */
/** @typedef {import("../shared/tab_picture.js").TabPlace} TabPlace */
/** @typedef {"seek"|"pause"|"resume"} Control */

/**
 * What a watched video needs to reach the server: direct from the server's own page, or through the
 * extension's relay.
 * @typedef {object} Link
 * @property {(header: FrameHeader, pictures: Picture[]) => void} sendFrame takes the pictures over, one for
 *     each part that the header names
 * @property {(header: FrameHeader, place: TabPlace) => void} [sendPlace] has a frame cut out of the
 *     tab's picture, where that is the way
 * @property {(type: Control) => void} sendControl
 * @property {(track: number) => void} explain asks where in a face the evidence lies
 * @property {() => void} close
 * @property {() => boolean} [isAlive] false once its other end is gone
 */
/**
 * @typedef {object} ClientEvents
 * @property {(message: ServerMessage) => void} onMessage
 * @property {(state: LinkState, detail: string) => void} onState
 */
/**
 * @typedef {object} PictureEvents
 * @property {(finding: Finding) => void} onFinding
 * @property {(frameId: number) => void} [onMissed] a frame was not to be had: no answer will come
 * @property {(frameId: number) => Promise<Rect[]|null>} [onTaken] the tab's picture has come for a frame:
 *     what Fakelight itself has drawn since it was asked for, in the window; null where the video has
 *     moved meanwhile
 */
/** @typedef {ClientEvents & PictureEvents} LinkEvents */
/** @typedef {{server: string, token: string, source: Source}} Target where a client connects to, and as what */

export {};
