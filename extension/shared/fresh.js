// Answers that are known to be of later than a moment: where something is that may be moving.

/** @template T */
export class Fresh {
  /**
   * @param {() => Promise<T|null>} ask
   * @param {number} apart the shortest time between two questions, milliseconds
   */
  constructor(ask, apart) {
    this.ask = ask;
    this.apart = apart;
    this.askedAt = -Infinity;
    /** @type {Promise<T|null>|null} under way */
    this.asking = null;
    /** @type {Promise<T|null>|null} not yet put */
    this.planned = null;
  }

  /** @returns {Promise<T|null>} the answer to a question that is put from now on; null where it failed */
  next() {
    this.planned ??= this.plan();
    return this.planned;
  }

  async plan() {
    await this.asking;
    const wait = this.askedAt + this.apart - performance.now();
    if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
    this.planned = null;
    this.askedAt = performance.now();
    const asking = this.ask().catch(() => null);
    this.asking = asking;
    return asking;
  }
}
