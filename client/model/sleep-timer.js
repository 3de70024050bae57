const LONGEST_FADE_SECONDS = 180;
const FADE_SHARE = 0.1;

/**
 * When to fall asleep. Counts by the wall clock, so that a throttled or sleeping page is still right.
 */
export class SleepTimer {
  constructor() {
    /** @type {number | null} */
    this.endsAtMs = null;
    this.minutes = 0;
  }

  /**
   * @param {number} minutes 0 switches it off
   * @param {number} nowMs
   */
  set(minutes, nowMs) {
    this.minutes = minutes;
    this.endsAtMs = minutes > 0 ? nowMs + minutes * 60_000 : null;
  }

  /**
   * @param {number} nowMs
   * @returns {number | null} seconds; null when it is off
   */
  remainingSeconds(nowMs) {
    return this.endsAtMs === null ? null : Math.max(0, (this.endsAtMs - nowMs) / 1000);
  }

  /**
   * The fade over its last minutes, for the audio clock.
   *
   * @param {number} nowMs
   * @returns {{startsInSeconds: number, endsInSeconds: number} | null}
   */
  fade(nowMs) {
    const remaining = this.remainingSeconds(nowMs);
    if (remaining === null) return null;
    const length = Math.min(LONGEST_FADE_SECONDS, this.minutes * 60 * FADE_SHARE);
    return { startsInSeconds: Math.max(0, remaining - length), endsInSeconds: remaining };
  }
}
