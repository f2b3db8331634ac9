// Notices a stream of which no new picture comes: a camera that was switched off, a line that hangs. What
// stays on the screen is no evidence of what is going on now.

/** A camera gives ten pictures a second at the least; a shared screen may rest for long. */
export const STILL_AFTER_MS = 3000;

export class Stillness {
  /** @param {(still: boolean) => void} onChange */
  constructor(onChange) {
    this.onChange = onChange;
    this.still = false;
    /** @type {ReturnType<typeof setTimeout>|undefined} */
    this.timer = undefined;
  }

  /** A new picture is there, or the wait for one begins. */
  begin() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.tell(true), STILL_AFTER_MS);
  }

  came() {
    this.begin();
    this.tell(false);
  }

  end() {
    clearTimeout(this.timer);
  }

  /** @param {boolean} still */
  tell(still) {
    if (still === this.still) return;
    this.still = still;
    this.onChange(still);
  }
}
