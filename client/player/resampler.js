const HALF_TAPS = 16;
const TAPS = 2 * HALF_TAPS;

/**
 * Streaming stereo sample-rate conversion by a polyphase windowed sinc (Smith, "Digital Audio
 * Resampling"), for a sound card that cannot be opened at the stream's own rate.
 *
 * The rates' exact ratio decides the phases, so it never drifts. Its output lags by 16 input
 * frames; blocks of any size give the same output.
 */
export class Resampler {
  /**
   * @param {number} fromHz whole number
   * @param {number} toHz   whole number
   */
  constructor(fromHz, toHz) {
    const divisor = greatestCommonDivisor(fromHz, toHz);
    this.up = toHz / divisor;
    this.down = fromHz / divisor;
    this.table = kernelTable(this.up, Math.min(1, toHz / fromHz));
    /** Where the next output frame lies in the coming block, in 1/up of an input frame. */
    this.next = 0;
    this.left = new Float32Array(TAPS);
    this.right = new Float32Array(TAPS);
  }

  /**
   * @param {Float32Array} left
   * @param {Float32Array} right same length
   * @returns {[Float32Array, Float32Array]} about `left.length * toHz / fromHz` frames
   */
  process(left, right) {
    const inLeft = joined(this.left, left);
    const inRight = joined(this.right, right);
    const frames = Math.max(0, Math.ceil((left.length * this.up - this.next) / this.down));
    const outLeft = new Float32Array(frames);
    const outRight = new Float32Array(frames);
    for (let i = 0; i < frames; i += 1) {
      const at = this.next + i * this.down;
      const whole = Math.floor(at / this.up);
      const row = (at % this.up) * TAPS;
      let sumLeft = 0;
      let sumRight = 0;
      for (let tap = 0; tap < TAPS; tap += 1) {
        sumLeft += inLeft[whole + tap] * this.table[row + tap];
        sumRight += inRight[whole + tap] * this.table[row + tap];
      }
      outLeft[i] = sumLeft;
      outRight[i] = sumRight;
    }
    this.next += frames * this.down - left.length * this.up;
    this.left = inLeft.slice(inLeft.length - TAPS);
    this.right = inRight.slice(inRight.length - TAPS);
    return [outLeft, outRight];
  }
}

/**
 * One row of taps per phase, each row normalised to unit gain at 0 Hz.
 *
 * @param {number} phases
 * @param {number} cutoff of the lower of the two Nyquist frequencies, relative to the input's
 */
function kernelTable(phases, cutoff) {
  const table = new Float32Array(phases * TAPS);
  for (let phase = 0; phase < phases; phase += 1) {
    const row = table.subarray(phase * TAPS, (phase + 1) * TAPS);
    let sum = 0;
    for (let tap = 0; tap < TAPS; tap += 1) {
      const x = tap - HALF_TAPS - phase / phases;
      const window = Math.abs(x) >= HALF_TAPS ? 0 : 0.5 + 0.5 * Math.cos((Math.PI * x) / HALF_TAPS);
      const angle = Math.PI * x * cutoff;
      row[tap] = window * (angle === 0 ? 1 : Math.sin(angle) / angle);
      sum += row[tap];
    }
    for (let tap = 0; tap < TAPS; tap += 1) row[tap] /= sum;
  }
  return table;
}

/**
 * @param {number} a
 * @param {number} b
 * @returns {number}
 */
function greatestCommonDivisor(a, b) {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}

/**
 * @param {Float32Array} a
 * @param {Float32Array} b
 */
function joined(a, b) {
  const both = new Float32Array(a.length + b.length);
  both.set(a);
  both.set(b, a.length);
  return both;
}
