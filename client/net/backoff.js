const FIRST_MS = 250;
const LONGEST_MS = 15_000;

/**
 * How long to wait before trying again: doubling from a quarter of a second to fifteen seconds,
 * each with jitter between half and the whole, so that a room full of pages does not return as one.
 */
export class Backoff {
  /** @param {() => number} random uniform in [0, 1) */
  constructor(random = Math.random) {
    this.random = random;
    this.failures = 0;
  }

  /**
   * @param {number} atLeastMs what the server asked for
   * @returns {number} milliseconds
   */
  next(atLeastMs = 0) {
    const span = Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.min(this.failures, 20));
    this.failures += 1;
    return Math.round(atLeastMs + span * (0.5 + 0.5 * this.random()));
  }

  reset() {
    this.failures = 0;
  }
}
