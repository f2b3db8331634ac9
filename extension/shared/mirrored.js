// Whether an element is seen as in a mirror. Calls show people themselves that way, and turn the video
// or a box around it.

/**
 * @param {Element} element
 * @returns {boolean}
 */
export function isMirrored(element) {
  let [a, b, c, d] = [1, 0, 0, 1];
  for (let one = /** @type {Element|null} */ (element); one; one = parentOf(one)) {
    const style = getComputedStyle(one);
    for (const [e, f, g, h] of [transformOf(style.transform), scaleOf(style.scale), rotateOf(style.rotate)]) {
      [a, b, c, d] = [e * a + g * b, f * a + h * b, e * c + g * d, f * c + h * d];
    }
  }
  // Upside down as well is a turn by half, which leaves left and right exchanged.
  return a !== 0 ? a < 0 : b * c > 0;
}

/** @param {Element} element @returns {Element|null} the one around it, as it is laid out */
function parentOf(element) {
  if (element.assignedSlot) return element.assignedSlot;
  const parent = element.parentNode;
  if (parent instanceof ShadowRoot) return parent.host;
  return element.parentElement;
}

/** @typedef {[number, number, number, number]} Linear where x goes (across, down), where y goes */

/** @type {Linear} */
const AS_IT_IS = [1, 0, 0, 1];

/** @param {string} transform as computed: none, matrix(...) or matrix3d(...) @returns {Linear} */
function transformOf(transform) {
  const parts = transform.match(/-?[\d.]+(?:e[+-]?\d+)?/g)?.map(Number) ?? [];
  if (transform.startsWith("matrix3d")) return [parts[1], parts[2], parts[5], parts[6]]; // after the 3 of 3d
  return transform.startsWith("matrix") ? [parts[0], parts[1], parts[2], parts[3]] : AS_IT_IS;
}

/** @param {string|undefined} scale as computed: none, or one to three numbers @returns {Linear} */
function scaleOf(scale) {
  if (!scale || scale === "none") return AS_IT_IS;
  const [across, down = across] = scale.split(" ").map(Number);
  return [across, 0, 0, down];
}

/** @param {string|undefined} rotate as computed: `y 180deg` turns a picture into its mirror image @returns {Linear} */
function rotateOf(rotate) {
  const found = /^(?:0 1 0|y) (-?[\d.]+)deg$/.exec(rotate ?? "");
  return found ? [Math.cos((Number(found[1]) * Math.PI) / 180), 0, 0, 1] : AS_IT_IS;
}
