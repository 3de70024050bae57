// Sounds and chunks for the tests, and a judge of their smoothness.

export const RATE_HZ = 44100;
const TONE_HZ = 220;

/** A quiet tone by its place in the programme, so that any frame can be checked on its own. */
export function toneAt(position) {
  return 0.4 * Math.sin((2 * Math.PI * TONE_HZ * position) / RATE_HZ);
}

/** A chunk of that tone. */
export function chunk(position, frames, options = {}) {
  const left = Float32Array.from({ length: frames }, (_, i) => toneAt(position + i));
  return { left, right: left.slice(), place: { epoch: 1, position }, joins: false, last: false, live: true, leadSeconds: 0, ...options };
}

/** The largest bend of a wave: a click bends it far more than any tone here does. */
export function sharpestBend(samples) {
  let sharpest = 0;
  for (let i = 1; i < samples.length - 1; i += 1) {
    sharpest = Math.max(sharpest, Math.abs(samples[i + 1] - 2 * samples[i] + samples[i - 1]));
  }
  return sharpest;
}

/** What the tone itself bends at most, with room for slow fades over it. */
export const SMOOTH = 2.5 * 0.4 * ((2 * Math.PI * TONE_HZ) / RATE_HZ) ** 2;

/** The lowest level (RMS) of any 20 ms: a gap, however short, shows as a fall. */
export function quietestLevel(samples) {
  const window = RATE_HZ / 50;
  let quietest = Infinity;
  for (let from = 0; from + window <= samples.length; from += window / 2) {
    const power = samples.subarray(from, from + window).reduce((sum, sample) => sum + sample * sample, 0);
    quietest = Math.min(quietest, Math.sqrt(power / window));
  }
  return quietest;
}
