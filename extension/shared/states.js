// What can be the matter with a watched video, from the socket to the picture.

/**
 * The link to the server. full: it watches as many videos as it may
 * @typedef {"connecting"|"open"|"full"|"no_server"|"not_authorised"|"refused"} LinkState
 */
/**
 * What is wrong with a picture. altered: the browser changes canvas pixels; black: there is no
 * picture; unreadable: another site's video; sandboxed: the page keeps the extension's own frame out
 * @typedef {"altered"|"black"|"unreadable"|"sandboxed"} Fault
 */
/** @typedef {Fault|"picture"} Finding what a picture turned out to be */
/**
 * The whole video. protected: it is encrypted; watching: nothing is the matter; busy: it is looked at
 * less often than it should be; waiting: others have their turn; own: it shows the person at this
 * computer; still: a stream of which no new picture comes; offered: the site keeps its pixels, but a click
 * would let the tab's picture be looked at; offered_closed: so it would, and the extension is kept out of the
 * frame; tab_lost: the look has ended
 * @typedef {LinkState|Fault|"protected"|"own"|"still"|"watching"|"busy"|"waiting"|"paused"|"offered"|"offered_closed"|"tab_lost"} State
 */
/** @typedef {{rate: number, full: number}} Looks a second: as many as the server takes, and should take */
/** @typedef {"gathering"|"not_enough_evidence"|"likely_real"|"unsure"|"likely_fake"} Floating */
/**
 * What a content script tells the service worker, and the service worker the popup. floating: the
 * strongest word on a face of a video that is in a picture-in-picture window
 * @typedef {object} Summary
 * @property {State} state
 * @property {number} faces
 * @property {boolean} fake
 * @property {string} detail
 * @property {Floating|null} [floating]
 * @property {Looks|null} [looks] where the server is down to fewer looks than it should take
 */

export {};
