import assert from "node:assert/strict";
import { test } from "node:test";

import { ControlDesk } from "../../client/model/desk.js";

const SERVED = { key: "A", intensity: 0.5, layers: { bells: 0, pad: 0 } };
const RATE = 44100;

function desk() {
  const fresh = new ControlDesk();
  fresh.follow(SERVED);
  return fresh;
}

test("a wish shows at once and goes out once, layers nested", () => {
  const it = desk();
  it.wish("intensity", 0.8, 0);
  it.wish("layers.bells", "off", 0);
  assert.equal(it.shown("intensity"), 0.8);
  assert.deepEqual(it.takeUnsent().controls, { intensity: 0.8, layers: { bells: "off" } });
  assert.equal(it.takeUnsent(), null);
  assert.equal(it.waiting("intensity", 0), "sent");
});

test("an answer says when it is heard, and it is forgotten when it is", () => {
  const it = desk();
  it.wish("intensity", 0.8, 0);
  const { id } = it.takeUnsent();
  it.applied(id, { intensity: 10 * RATE }, { ...SERVED, intensity: 0.8 });
  assert.equal(it.waiting("intensity", 7 * RATE), 3);
  it.settle(9.9 * RATE, 100);
  assert.notEqual(it.waiting("intensity", 9.9 * RATE), null);
  it.settle(10 * RATE, 200);
  assert.equal(it.waiting("intensity", 10 * RATE), null);
  assert.equal(it.shown("intensity"), 0.8);
});

test("while the hand still moves, an older answer does not pull the slider back", () => {
  const it = desk();
  it.wish("intensity", 0.6, 0);
  const { id } = it.takeUnsent();
  it.wish("intensity", 0.9, 10);
  it.applied(id, { intensity: 0 }, { ...SERVED, intensity: 0.6 });
  assert.equal(it.shown("intensity"), 0.9);
  assert.deepEqual(it.takeUnsent().controls, { intensity: 0.9 });
});

test("changes made elsewhere are followed", () => {
  const it = desk();
  it.wish("intensity", 0.6, 0);
  const { id } = it.takeUnsent();
  it.applied(id, { intensity: 100 }, { ...SERVED, intensity: 0.6 });
  it.follow({ ...SERVED, intensity: 0.2 });
  assert.equal(it.shown("intensity"), 0.2);
});

test("a refused wish is taken back, an unanswered one is given up", () => {
  const it = desk();
  it.wish("intensity", 0.6, 0);
  it.refused(it.takeUnsent().id);
  assert.equal(it.shown("intensity"), 0.5);
  it.wish("key", "D", 0);
  it.takeUnsent();
  it.settle(0, 10_000);
  assert.equal(it.shown("key"), "A");
});

test("a preset shows only what it changes as on its way", () => {
  const it = desk();
  it.adopt({ key: RATE, intensity: RATE }, { ...SERVED, intensity: 0.2 }, 0);
  assert.equal(it.waiting("intensity", 0), 1);
  assert.equal(it.waiting("key", 0), null);
});
