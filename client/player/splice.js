// Where and how to cut a piece out of sound (or repeat one) so that nobody hears the seam.

const DECIMATION = 6;
const LAG_STEP_FRAMES = 4;

/**
 * @typedef {object} Splice
 * @property {number} skipFrames  how far the reader jumps; negative repeats sound already heard
 * @property {number} overlapFrames
 * @property {number} correlation of the two sides over the overlap, 0 to 1
 */

/**
 * Find the jump near `skipFrames` whose two sides fit best (waveform similarity, as in WSOLA:
 * Verhelst and Roelands, 1993). Both sides must lie within the ring: the caller sees to that.
 *
 * @param {import("./ring.js").Ring} ring
 * @param {number} skipFrames
 * @param {number} searchFrames how far to look to either side
 * @param {number} overlapFrames
 * @returns {Splice}
 */
export function findSplice(ring, skipFrames, searchFrames, overlapFrames) {
  let best = { skipFrames, overlapFrames, correlation: -1 };
  const here = decimated(ring, ring.read, overlapFrames);
  for (let lag = skipFrames - searchFrames; lag <= skipFrames + searchFrames; lag += LAG_STEP_FRAMES) {
    const correlation = similarity(here, decimated(ring, ring.read + lag, overlapFrames));
    if (correlation > best.correlation) best = { skipFrames: lag, overlapFrames, correlation };
  }
  return { ...best, correlation: Math.max(0, best.correlation) };
}

/**
 * Gains of the outgoing and incoming side that keep the power constant for signals correlated so.
 *
 * @param {number} turn 0 at the start of the overlap, 1 at its end
 * @param {number} correlation
 * @param {{old: number, fresh: number}} gains filled in, so that the audio thread allocates nothing
 */
export function crossfadeGains(turn, correlation, gains) {
  const old = Math.cos((turn * Math.PI) / 2);
  const fresh = Math.sin((turn * Math.PI) / 2);
  const power = Math.sqrt(1 + 2 * old * fresh * correlation);
  gains.old = old / power;
  gains.fresh = fresh / power;
}

/**
 * @param {import("./ring.js").Ring} ring
 * @param {number} from absolute frame
 * @param {number} frames
 */
function decimated(ring, from, frames) {
  const values = new Float32Array(Math.floor(frames / DECIMATION));
  for (let i = 0; i < values.length; i += 1) {
    const at = (from + i * DECIMATION) % ring.capacity;
    values[i] = ring.left[at] + ring.right[at];
  }
  return values;
}

/**
 * @param {Float32Array} a
 * @param {Float32Array} b
 */
function similarity(a, b) {
  let product = 0;
  let powerA = 1e-12;
  let powerB = 1e-12;
  for (let i = 0; i < a.length; i += 1) {
    product += a[i] * b[i];
    powerA += a[i] * a[i];
    powerB += b[i] * b[i];
  }
  return product / Math.sqrt(powerA * powerB);
}
