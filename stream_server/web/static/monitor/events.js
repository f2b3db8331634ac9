// Follows /v1/monitors/events, and comes back by itself when the line breaks.

const FIRST_WAIT_MS = 1000;
const LONGEST_WAIT_MS = 30_000;

export class Events {
  /**
   * @param {Record<string, (data: any) => void>} tell what to do with each kind of event
   * @param {(open: boolean) => void} lineChanged on every opening, the first included, and every break
   */
  constructor(tell, lineChanged) {
    this.tell = tell;
    this.lineChanged = lineChanged;
    this.wait = FIRST_WAIT_MS;
    this.open();
  }

  open() {
    const source = new EventSource("v1/monitors/events");
    source.addEventListener("open", () => {
      this.wait = FIRST_WAIT_MS;
      this.lineChanged(true);
    });
    source.addEventListener("error", () => {
      this.lineChanged(false);
      // The browser comes back by itself after a broken line, not after an answer such as 503.
      if (source.readyState !== EventSource.CLOSED) return;
      setTimeout(() => this.open(), this.wait);
      this.wait = Math.min(LONGEST_WAIT_MS, 2 * this.wait);
    });
    for (const [kind, tell] of Object.entries(this.tell)) {
      source.addEventListener(kind, (event) => tell(JSON.parse(event.data)));
    }
  }
}
