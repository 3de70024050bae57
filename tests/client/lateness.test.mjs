import assert from "node:assert/strict";
import { test } from "node:test";

import { Lateness } from "../../client/player/lateness.js";

/** Packets of 100 ms, each so late as `lateSeconds` says. */
function heard(lateness, packets, lateSeconds, from = 0) {
  for (let i = 0; i < packets; i += 1) {
    const placeSeconds = (from + i) / 10;
    lateness.note(placeSeconds + lateSeconds(i), placeSeconds);
  }
  return from + packets;
}

/** Noise that is the same each time, -1 to 1. */
function noise() {
  let state = 1;
  return () => {
    state = (state * 48271) % 2147483647;
    return (2 * state) / 2147483647 - 1;
  };
}

test("packets that come evenly need nothing in hand", () => {
  const lateness = new Lateness();
  heard(lateness, 600, () => 0.04);
  assert.ok(lateness.neededSeconds < 1e-9);
  assert.ok(Math.abs(lateness.meanSeconds - 0.04) < 1e-9);
});

test("packets that come unevenly need three standard deviations or what the latest needed", () => {
  const lateness = new Lateness();
  const random = noise();
  heard(lateness, 2000, () => 0.02 * random());
  const sigma = 0.02 / Math.sqrt(3);
  assert.ok(lateness.neededSeconds > 2.6 * sigma && lateness.neededSeconds < 3.4 * sigma);
});

test("one late packet is learned from at once, kept for a minute and forgotten in minutes", () => {
  const lateness = new Lateness();
  let at = heard(lateness, 100, () => 0);
  at = heard(lateness, 1, () => 0.3, at);
  at = heard(lateness, 500, () => 0, at);
  assert.ok(lateness.neededSeconds > 0.29);
  at = heard(lateness, 1200, () => 0, at);
  assert.ok(lateness.neededSeconds < 0.2);
  heard(lateness, 6000, () => 0, at);
  assert.ok(lateness.neededSeconds < 0.01);
});

test("a packet in five chunks is one packet, and its latest chunk counts", () => {
  const lateness = new Lateness();
  for (let i = 0; i < 300; i += 1) {
    for (let chunk = 0; chunk < 5; chunk += 1) lateness.note(i / 10, i / 10 + chunk / 50);
  }
  assert.ok(lateness.neededSeconds < 1e-9);
});

test("an outage teaches nothing, neither while it lasts nor while what was kept back comes in", () => {
  const lateness = new Lateness();
  const at = heard(lateness, 100, () => 0);
  const end = heard(lateness, 30, (i) => 3 - i / 10, at);
  heard(lateness, 100, () => 0, end);
  assert.ok(lateness.neededSeconds < 0.11);
});

test("a server whose clock was held back for good sets a new pace within seconds", () => {
  const lateness = new Lateness();
  const at = heard(lateness, 100, () => 0);
  heard(lateness, 70, () => 4, at);
  assert.ok(Math.abs(lateness.meanSeconds - 4) < 1e-6);
  assert.ok(lateness.neededSeconds < 0.01);
});

test("clocks that drift apart by 300 ppm are no lateness", () => {
  const lateness = new Lateness();
  heard(lateness, 36_000, (i) => i * 3e-5);
  assert.ok(lateness.neededSeconds < 0.02);
});
