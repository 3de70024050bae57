const HALF_TAPS = 16;
const TAPS = 2 * HALF_TAPS;
const PHASES = 256;

/**
 * Sound between the frames of a ring, by a windowed sinc (Smith, "Digital Audio Resampling") whose
 * taps are read from a table and between its rows in straight lines.
 *
 * At a whole frame it gives that very frame, so it can be taken up and let go without a seam.
 */
export class Interpolator {
  constructor() {
    this.table = tapTable();
    this.left = 0;
    this.right = 0;
  }

  /**
   * Leave what sounds between two frames in `left` and `right`.
   *
   * @param {import("./ring.js").Ring} ring
   * @param {number} frame absolute
   * @param {number} beyond how far after it, 0 to just below 1
   */
  read(ring, frame, beyond) {
    const phase = beyond * PHASES;
    const row = Math.floor(phase);
    const toNext = phase - row;
    let tap = row * TAPS;
    let at = (frame - HALF_TAPS + 1) % ring.capacity;
    if (at < 0) at += ring.capacity;
    let left = 0;
    let right = 0;
    for (const end = tap + TAPS; tap < end; tap += 1) {
      const weight = this.table[tap] + toNext * (this.table[tap + TAPS] - this.table[tap]);
      left += weight * ring.left[at];
      right += weight * ring.right[at];
      at += 1;
      if (at === ring.capacity) at = 0;
    }
    this.left = left;
    this.right = right;
  }
}

/** A row of taps per phase and one more, each of unit gain at 0 Hz. */
function tapTable() {
  const table = new Float64Array((PHASES + 1) * TAPS);
  for (let phase = 0; phase <= PHASES; phase += 1) {
    const row = table.subarray(phase * TAPS, (phase + 1) * TAPS);
    let sum = 0;
    for (let tap = 0; tap < TAPS; tap += 1) {
      const x = tap - HALF_TAPS + 1 - phase / PHASES;
      const window = Math.abs(x) >= HALF_TAPS ? 0 : 0.5 + 0.5 * Math.cos((Math.PI * x) / HALF_TAPS);
      row[tap] = x === 0 ? 1 : Number.isInteger(x) ? 0 : (window * Math.sin(Math.PI * x)) / (Math.PI * x);
      sum += row[tap];
    }
    for (let tap = 0; tap < TAPS; tap += 1) row[tap] /= sum;
  }
  return table;
}
