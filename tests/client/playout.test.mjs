import assert from "node:assert/strict";
import { test } from "node:test";

import { Playout } from "../../client/player/playout.js";
import { RATE_HZ, SMOOTH, chunk, quietestLevel, sharpestBend, toneAt } from "./sounds.mjs";

const QUANTUM = 128;
const PACKET = 4410;

/** A playout on a simulated sound card. */
class Bench {
  constructor() {
    this.playout = new Playout({ rateHz: RATE_HZ, programmeRateHz: RATE_HZ, leastSeconds: 0.2 });
    this.blocks = [];
    this.next = 0;
    this.owedFrames = 0;
    this.pulled = 0;
  }

  /** All that came out since it was last cleared. */
  get heard() {
    const all = new Float32Array(this.blocks.length * QUANTUM);
    this.blocks.forEach((block, i) => all.set(block, i * QUANTUM));
    return all;
  }

  send(packets, options) {
    for (let i = 0; i < packets; i += 1) {
      this.playout.push(chunk(this.next, PACKET, i === 0 ? options : {}), this.pulled);
      this.next += PACKET;
    }
  }

  /** The history a first start is filled from: four packets, the last of them due now. */
  begin() {
    for (let i = 0; i < 4; i += 1) this.send(1, { joins: i === 0, live: false, leadSeconds: (i - 3) / 10 });
  }

  /** Whole quanta only; what is left over is owed to the next pull. */
  pull(seconds) {
    this.owedFrames += seconds * RATE_HZ;
    for (; this.owedFrames >= QUANTUM; this.owedFrames -= QUANTUM) {
      const left = new Float32Array(QUANTUM);
      this.playout.pull(left, new Float32Array(QUANTUM), this.pulled);
      this.pulled += QUANTUM;
      this.blocks.push(left);
    }
  }

  /** A tenth of a second at a time, as packets come, on a sound card that is `drift` too fast. */
  run(seconds, drift = 0) {
    for (let i = 0; i < seconds * 10; i += 1) {
      this.send(1);
      this.pull(0.1 * (1 + drift));
    }
  }
}

test("sound waits for the target, then rises from silence and passes untouched", () => {
  const bench = new Bench();
  bench.send(2, { joins: true });
  bench.pull(0.05);
  assert.equal(bench.playout.phase, "filling");
  assert.ok(bench.heard.every((sample) => sample === 0));
  bench.pull(0.05);
  bench.blocks = [];
  bench.run(2);
  const heard = bench.heard;
  assert.ok(Math.abs(heard[1]) < 1e-6);
  const from = bench.playout.status().place.position - heard.length;
  for (let i = RATE_HZ; i < RATE_HZ + 1000; i += 1) assert.equal(heard[i], Math.fround(toneAt(from + i)));
  assert.ok(sharpestBend(heard) < SMOOTH);
});

test("a first start waits for all of the history, and begins with no more in hand than it need be", () => {
  const bench = new Bench();
  for (let i = 0; i < 6; i += 1) {
    bench.send(1, { joins: i === 0, live: false, leadSeconds: (i - 5.5) / 10 });
    bench.pull(0.01);
    assert.equal(bench.playout.phase, i < 5 ? "filling" : "playing");
  }
  bench.pull(0.04);
  for (let i = 0; i < 20; i += 1) {
    assert.ok(Math.abs(bench.playout.status().bufferedSeconds - 0.2) < 0.02);
    bench.send(1);
    bench.pull(0.1);
  }
});

for (const stall of [0.3, 0.5, 0.9]) {
  test(`a stall of ${stall} s is bridged by what was heard last, without a gap or a click`, () => {
    const bench = new Bench();
    bench.begin();
    bench.run(8);
    bench.pull(stall);
    bench.send(stall * 10);
    bench.run(2);
    assert.equal(bench.playout.underruns, 0);
    assert.ok(bench.playout.splices >= 1);
    assert.ok(quietestLevel(bench.heard.subarray(RATE_HZ)) > 0.7 * quietestLevel(chunk(0, RATE_HZ).left));
    assert.ok(sharpestBend(bench.heard) < SMOOTH);
    const { place, bufferedSeconds } = bench.playout.status();
    assert.ok(Math.abs(place.position + bufferedSeconds * RATE_HZ - bench.next) < 1);
  });
}

test("stalls that come again and again are bridged at first, then the buffer is long enough for them", () => {
  const bench = new Bench();
  bench.begin();
  bench.run(8);
  const stalls = (count) => {
    for (let i = 0; i < count; i += 1) {
      bench.run(3);
      bench.pull(0.3);
      bench.send(3);
    }
    return bench.playout.splices;
  };
  assert.equal(stalls(4), stalls(20));
  assert.equal(bench.playout.underruns, 0);
});

test("a stream at half its pace is buffered anew, not repeated on and on", () => {
  const bench = new Bench();
  bench.begin();
  bench.run(8);
  for (let i = 0; i < 20; i += 1) {
    bench.pull(0.2);
    bench.send(1);
  }
  assert.ok(bench.playout.underruns >= 1);
  assert.ok(sharpestBend(bench.heard) < SMOOTH);
});

test("a buffer that runs dry fades out, is counted once, and comes back with a fade", () => {
  const bench = new Bench();
  bench.begin();
  bench.run(2);
  bench.pull(2);
  assert.equal(bench.playout.underruns, 1);
  assert.equal(bench.heard.at(-1), 0);
  bench.send(5);
  bench.run(1);
  assert.equal(bench.playout.phase, "playing");
  assert.equal(bench.playout.underruns, 1);
  assert.ok(sharpestBend(bench.heard) < SMOOTH);
});

test("a packet that comes late raises the target at once, and calm minutes bring it down again", () => {
  const bench = new Bench();
  bench.begin();
  bench.run(5);
  const { targetSeconds } = bench.playout;
  bench.pull(0.6);
  bench.send(6);
  bench.run(1);
  const raised = bench.playout.targetSeconds;
  assert.ok(raised > 0.6);
  bench.run(50);
  assert.equal(bench.playout.targetSeconds, raised);
  bench.run(400);
  assert.equal(bench.playout.targetSeconds, targetSeconds);
  assert.ok(bench.playout.status().bufferedSeconds < 0.45);
  assert.ok(sharpestBend(bench.heard) < SMOOTH);
});

test("an outage longer than any buffer teaches nothing", () => {
  const bench = new Bench();
  bench.begin();
  bench.run(5);
  const { targetSeconds } = bench.playout;
  bench.pull(3);
  bench.send(30);
  bench.run(1);
  assert.equal(bench.playout.targetSeconds, targetSeconds);
});

test("surplus latency is spliced out without a click", () => {
  const bench = new Bench();
  bench.begin();
  bench.run(1);
  bench.send(15);
  bench.run(14);
  assert.ok(bench.playout.splices >= 1);
  assert.ok(bench.playout.status().bufferedSeconds < 0.5);
  assert.ok(sharpestBend(bench.heard) < SMOOTH);
});

test("a buffer that stays thin is stretched before it runs dry", () => {
  const bench = new Bench();
  bench.begin();
  bench.pull(0.36); // The sound card has drawn ahead: only 40 ms are left before each packet.
  bench.run(14);
  assert.equal(bench.playout.underruns, 0);
  assert.ok(bench.playout.splices >= 1);
  assert.ok(bench.playout.status().bufferedSeconds > 0.1);
  assert.ok(sharpestBend(bench.heard) < SMOOTH);
});

test("a server that is ahead of time and falls back to it, as one that warms up does, is not noticed", () => {
  const bench = new Bench();
  for (let tenth = 0; tenth < 300; tenth += 1) {
    const now = tenth / 10;
    const lead = Math.max(0, 1 - Math.max(0, tenth - 80) / 100);
    // Packets are sent `lead` ahead of time: nine in the time of ten while it shrinks.
    for (let due = bench.next / RATE_HZ - 0.2; due <= now + lead; due = bench.next / RATE_HZ - 0.2) {
      bench.send(1, { joins: bench.next === 0, live: due >= now, leadSeconds: due - now });
    }
    bench.pull(0.1);
  }
  assert.equal(bench.playout.underruns, 0);
  assert.equal(bench.playout.splices, 0);
  assert.ok(sharpestBend(bench.heard) < SMOOTH);
});

test("a jump in the stream is crossfaded, and places follow it", () => {
  const bench = new Bench();
  bench.begin();
  bench.run(1);
  bench.next += 33_333;
  bench.send(1, { joins: true });
  bench.run(1);
  assert.ok(sharpestBend(bench.heard) < SMOOTH);
  const { place, bufferedSeconds } = bench.playout.status();
  assert.ok(Math.abs(place.position + bufferedSeconds * RATE_HZ - bench.next) < 1);
});

test("a new epoch is another piece: crossfaded, and its places are its own", () => {
  const bench = new Bench();
  bench.begin();
  bench.run(1);
  for (let i = 0; i < 6; i += 1) {
    bench.playout.push(chunk(i * PACKET, PACKET, { joins: i === 0, place: { epoch: 2, position: i * PACKET } }), bench.pulled);
    bench.pull(0.1);
  }
  assert.equal(bench.playout.status().place.epoch, 2);
  assert.ok(sharpestBend(bench.heard) < SMOOTH);
});

test("a stream that ends is no underrun", () => {
  const bench = new Bench();
  bench.begin();
  bench.run(1);
  bench.playout.push(chunk(bench.next, PACKET, { last: true }), bench.pulled);
  bench.pull(2);
  assert.equal(bench.playout.underruns, 0);
  assert.equal(bench.heard.at(-1), 0);
  assert.ok(sharpestBend(bench.heard) < SMOOTH);
});

test("memory is bounded when nobody pulls: the oldest goes", () => {
  const bench = new Bench();
  bench.send(1000, { joins: true });
  const { bufferedSeconds, place } = bench.playout.status();
  assert.ok(bufferedSeconds <= 10);
  assert.ok(Math.abs(place.position + bufferedSeconds * RATE_HZ - bench.next) < 1);
  assert.ok(bench.playout.ring.left.length <= 11 * RATE_HZ);
});

test("packets of which one in twenty comes 150 ms late are bridged at first, then for ten minutes nothing is touched up", () => {
  const bench = new Bench();
  bench.begin();
  let touched = 0;
  for (let packet = 0; packet < 6000; packet += 1) {
    const late = packet % 20 === 7;
    if (late) bench.pull(0.15);
    bench.send(1);
    bench.pull(late ? -0.05 : 0.1);
    assert.ok(sharpestBend(bench.heard) < SMOOTH);
    bench.blocks = bench.blocks.slice(-2);
    if (packet === 100) touched = bench.playout.splices;
  }
  assert.equal(bench.playout.underruns, 0);
  assert.equal(bench.playout.splices, touched);
});

test("ten minutes on a good network and with good clocks leave every sample as it came", () => {
  const bench = new Bench();
  bench.begin();
  bench.run(2);
  bench.blocks = [];
  for (let second = 0; second < 600; second += 1) {
    const from = bench.playout.status().place.position;
    bench.run(1);
    const heard = bench.heard;
    for (let i = 0; i < heard.length; i += 997) assert.equal(heard[i], Math.fround(toneAt(from + i)));
    bench.blocks = [];
  }
});

for (const drift of [-3e-4, 3e-4]) {
  test(`ten minutes on a clock ${drift * 1e6} ppm off are followed without a splice, an underrun or a click`, () => {
    const bench = new Bench();
    bench.begin();
    for (let second = 0; second < 600; second += 1) {
      bench.run(1, drift);
      assert.ok(sharpestBend(bench.heard) < SMOOTH, `in second ${second}`);
      bench.blocks = bench.blocks.slice(-1);
    }
    assert.equal(bench.playout.underruns, 0);
    assert.equal(bench.playout.splices, 0);
    assert.ok(Math.abs(bench.playout.servo.excess + drift) < 2e-4);
  });
}
