// The way to the labels by keyboard. On somebody else's page they are no stops between its own links:
// a shortcut goes to them, Escape or the shortcut again goes back to where the focus was.

export class Reach {
  /** @param {ShadowRoot} root @param {boolean} inOrder whether the labels are stops on the page like any other */
  constructor(root, inOrder) {
    this.root = root;
    this.inOrder = inOrder;
    /** @type {Set<HTMLElement>} */
    this.labels = new Set();
    /** Where the focus was before it came here. @type {HTMLElement|null} */
    this.before = null;
    /** Whether it is here. */
    this.isHere = false;
    root.addEventListener("focusin", (event) => this.came(/** @type {FocusEvent} */ (event)));
    root.addEventListener("focusout", (event) => this.went(/** @type {FocusEvent} */ (event)));
  }

  /** @param {HTMLElement} label */
  add(label) {
    this.labels.add(label);
    label.tabIndex = this.inOrder || this.isHere ? 0 : -1;
    label.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || this.inOrder) return;
      event.stopPropagation();
      this.leave();
    });
  }

  /** @param {HTMLElement} label that goes: the focus does not go with it */
  remove(label) {
    this.labels.delete(label);
    if (this.root.activeElement !== label) return;
    const [next] = this.labels;
    if (next) next.focus({ preventScroll: true });
    else this.leave();
  }

  /** @param {HTMLElement} target a label, or what lies open */
  enter(target) {
    this.before = focused(target.ownerDocument);
    target.focus();
  }

  /** Back to where the focus was. */
  leave() {
    const { before } = this;
    if (before?.isConnected) before.focus({ preventScroll: true });
    else /** @type {HTMLElement|null} */ (this.root.activeElement)?.blur();
  }

  /** @param {FocusEvent} event */
  came({ relatedTarget }) {
    if (this.isHere) return;
    this.isHere = true;
    // By the mouse; the shortcut has noted it more exactly.
    if (relatedTarget instanceof HTMLElement) this.before ??= relatedTarget;
    this.order();
  }

  /** @param {FocusEvent} event */
  went({ relatedTarget }) {
    if (relatedTarget instanceof Node && this.root.contains(relatedTarget)) return;
    this.isHere = false;
    this.before = null;
    this.order();
  }

  order() {
    for (const label of this.labels) label.tabIndex = this.inOrder || this.isHere ? 0 : -1;
  }
}

/** @param {Document} page @returns {HTMLElement|null} null where nothing in particular has the focus */
function focused(page) {
  let element = page.activeElement;
  while (element?.shadowRoot?.activeElement) element = element.shadowRoot.activeElement;
  return element instanceof HTMLElement && element !== page.body ? element : null;
}
