import assert from "node:assert/strict";
import { test } from "node:test";

import { Resampler } from "../../client/player/resampler.js";

const DELAY_FRAMES = 16;

function tone(hz, rateHz, seconds) {
  return Float32Array.from({ length: rateHz * seconds }, (_, i) => 0.5 * Math.sin((2 * Math.PI * hz * i) / rateHz));
}

for (const [from, to] of [[44100, 48000], [48000, 44100], [44100, 96000]]) {
  test(`a tone keeps its pitch, level and phase from ${from} to ${to} Hz`, () => {
    const input = tone(1000, from, 1);
    const [left] = new Resampler(from, to).process(input, input);
    let worst = 0;
    for (let i = 2000; i < left.length - 2000; i += 1) {
      const expected = 0.5 * Math.sin(2 * Math.PI * 1000 * (i / to - DELAY_FRAMES / from));
      worst = Math.max(worst, Math.abs(left[i] - expected));
    }
    assert.ok(worst < 5e-4, `off by ${worst}`);
  });
}

test("blocks of any size give the same samples", () => {
  const input = tone(440, 44100, 1);
  const [whole] = new Resampler(44100, 48000).process(input, input);
  const pieces = new Resampler(44100, 48000);
  const joined = [];
  for (let at = 0, size = 1; at < input.length; at += size, size = (size * 7) % 1009) {
    const piece = input.subarray(at, at + size);
    joined.push(...pieces.process(piece, piece)[0]);
  }
  assert.deepEqual(Float32Array.from(joined), whole);
});
