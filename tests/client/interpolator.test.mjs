import assert from "node:assert/strict";
import { test } from "node:test";

import { Interpolator } from "../../client/player/interpolator.js";
import { Ring } from "../../client/player/ring.js";
import { RATE_HZ } from "./sounds.mjs";

/** A tone by its place, and a ring that holds it across its seam. */
function toneRing(hertz) {
  const tone = (frame) => 0.5 * Math.sin((2 * Math.PI * hertz * frame) / RATE_HZ);
  const ring = new Ring(4096);
  for (let from = 0; from < 8192; from += 1024) {
    const block = Float32Array.from({ length: 1024 }, (_, i) => tone(from + i));
    ring.read = Math.max(0, from - 2048);
    ring.write(block, block);
  }
  return { tone, ring };
}

for (const [hertz, belowDb] of [[220, -100], [5_000, -90], [15_000, -60]]) {
  test(`between the frames a tone of ${hertz} Hz goes on as it is, to ${belowDb} dB`, () => {
    const { tone, ring } = toneRing(hertz);
    const interpolator = new Interpolator();
    let worst = 0;
    for (let frame = 5000; frame < 7000; frame += 1) {
      const beyond = (frame * 0.6180339887) % 1;
      interpolator.read(ring, frame, beyond);
      worst = Math.max(worst, Math.abs(interpolator.left - tone(frame + beyond)));
      assert.equal(interpolator.left, interpolator.right);
    }
    assert.ok(20 * Math.log10(worst / 0.5) < belowDb, `${20 * Math.log10(worst / 0.5)} dB`);
  });
}

test("at a whole frame it is that frame to the last bit", () => {
  const { ring } = toneRing(997);
  const interpolator = new Interpolator();
  for (let frame = 5000; frame < 7000; frame += 1) {
    interpolator.read(ring, frame, 0);
    assert.equal(Math.fround(interpolator.left), ring.left[frame % ring.capacity]);
  }
});
