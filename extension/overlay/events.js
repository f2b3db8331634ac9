// What a person does with the overlay is no business of the page's player: a click on a label must
// not pause the video, nor a key that presses it.

const EVENTS = [
  "click", "dblclick", "auxclick", "contextmenu", "pointerdown", "pointerup", "mousedown", "mouseup",
  "touchstart", "touchend", "keydown", "keyup", "keypress",
];
/** Keys that have no meaning for a button, and that the page's own controls may be listening for. */
const PASSED = ["Tab", "Escape"];

/**
 * @param {HTMLElement} element whose events go no further
 * @param {readonly string[]} [passed] keys that do
 */
export function keepFrom(element, passed = PASSED) {
  for (const type of EVENTS) {
    element.addEventListener(type, (event) => {
      if (!(event instanceof KeyboardEvent && passed.includes(event.key))) event.stopPropagation();
    }, { passive: true });
  }
}
