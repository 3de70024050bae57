/** The buffer may be so much too full or too thin before its sound is touched at all. */
const TOO_FULL_SECONDS = 0.06;
const TOO_THIN_SECONDS = 0.1;
/** A second-order loop, critically damped: it has settled after some five minutes. */
const NATURAL_PER_SECOND = 0.02;
const PROPORTIONAL = 2 * NATURAL_PER_SECOND;
const INTEGRAL = NATURAL_PER_SECOND ** 2;
/** 7 cents at the most while it corrects; clocks are off by less than a tenth of a per cent. */
const MOST = 0.004;
const MOST_DRIFT = 0.001;
/** The pitch glides: from nothing to the most in ten seconds. */
const TURN_PER_SECOND = 0.0004;
/** Further off than this is no drift, and tells nothing of it. */
const NEAR_SECONDS = 0.1;

/**
 * Follows the server's clock with the sound card's: how much faster than it came sound is played.
 *
 * It lets a buffer alone that is about as full as it should be, so that on a good network with good
 * clocks every sample passes as it came; once it had to help, it stays at work.
 * Pure: how far the buffer is off goes in, a speed comes out.
 */
export class Servo {
  constructor() {
    this.engaged = false;
    /** More (or, below 0, fewer) frames are taken from the buffer than are played, as a share. */
    this.excess = 0;
    /** What of it is the clocks' own difference. */
    this.drift = 0;
  }

  /** Go to work, however little it is about. */
  engage() {
    this.engaged = true;
  }

  /**
   * @param {number} surplusSeconds in the buffer; negative is a lack
   * @param {number} elapsedSeconds since the last time
   */
  turn(surplusSeconds, elapsedSeconds) {
    if (surplusSeconds > TOO_FULL_SECONDS || surplusSeconds < -TOO_THIN_SECONDS) this.engage();
    if (!this.engaged) return;
    if (Math.abs(surplusSeconds) < NEAR_SECONDS) {
      this.drift = within(this.drift + INTEGRAL * surplusSeconds * elapsedSeconds, MOST_DRIFT);
    }
    const wanted = within(this.drift + PROPORTIONAL * surplusSeconds, MOST);
    this.excess += within(wanted - this.excess, TURN_PER_SECOND * elapsedSeconds);
  }
}

/**
 * @param {number} value
 * @param {number} most either way
 */
function within(value, most) {
  return Math.min(most, Math.max(-most, value));
}
