import assert from "node:assert/strict";
import { mock, test } from "node:test";

import { actOf } from "../../client/model/keys.js";
import { Settings } from "../../client/model/settings.js";
import { Announcer } from "../../client/view/announcer.js";

const FREE = { free: true, typing: false, scrolls: false };
const press = (key, more = {}) => ({ key, code: "", shiftKey: false, ctrlKey: false, altKey: false, metaKey: false, repeat: false, ...more });

test("keys act by what has the focus", () => {
  assert.equal(actOf(press(" "), FREE), "toggle");
  assert.equal(actOf(press(" "), { ...FREE, free: false }), null);
  assert.equal(actOf(press("ArrowUp"), FREE), "louder");
  assert.equal(actOf(press("ArrowUp"), { ...FREE, scrolls: true }), null);
  assert.equal(actOf(press("ArrowLeft"), { ...FREE, scrolls: true }), "quieter");
  assert.equal(actOf(press("m"), { ...FREE, free: false }), "mute");
  assert.equal(actOf(press("M", { shiftKey: true }), FREE), "mute");
  assert.equal(actOf(press("?", { shiftKey: true }), FREE), "help");
  for (const key of ["m", "t", "?", "4", " "]) assert.equal(actOf(press(key), { free: false, typing: true, scrolls: false }), null);
});

test("a key that is held, or held with another, is none of ours", () => {
  for (const key of [" ", "m", "t", "1"]) assert.equal(actOf(press(key, { repeat: true }), FREE), null);
  assert.equal(actOf(press("ArrowRight", { repeat: true }), FREE), "louder");
  for (const with_ of ["ctrlKey", "altKey", "metaKey"]) assert.equal(actOf(press("m", { [with_]: true }), FREE), null);
  assert.equal(actOf(press("constructor"), FREE), null);
});

test("figures are presets, on keyboards that want the shift key for them too", () => {
  assert.equal(actOf(press("7"), FREE), 7);
  assert.equal(actOf(press("&", { code: "Digit1" }), FREE), 1);
  assert.equal(actOf(press("!", { code: "Digit1", shiftKey: true }), FREE), null);
  assert.equal(actOf(press("0", { code: "Digit0" }), FREE), null);
});

test("what was chosen once is remembered, and quiet is the default", () => {
  const kept = new Map();
  const storage = { getItem: (name) => kept.get(name) ?? null, setItem: (name, value) => kept.set(name, value) };
  assert.deepEqual([new Settings(storage).shortcuts, new Settings(storage).awake], ["on", "off"]);
  new Settings(storage).shortcuts = "off";
  new Settings(storage).awake = "on";
  assert.deepEqual([new Settings(storage).shortcuts, new Settings(storage).awake], ["off", "on"]);
});

function listen() {
  mock.timers.reset();
  mock.timers.enable({ apis: ["setTimeout"] });
  let nowMs = 0;
  const told = [];
  const announcer = new Announcer((text) => text !== "" && told.push(text), () => nowMs);
  const pass = (ms) => {
    for (let step = 0; step < ms; step += 100) {
      nowMs += 100;
      mock.timers.tick(100);
    }
  };
  return { announcer, told, pass };
}

test("a state is told once however often it is drawn", () => {
  const { announcer, told, pass } = listen();
  for (let i = 0; i < 40; i += 1) {
    announcer.follow("Playing", false);
    pass(100);
  }
  assert.deepEqual(told, ["Playing"]);
});

test("a trouble that passes by itself is not told, nor that it passed", () => {
  const { announcer, told, pass } = listen();
  announcer.follow("Playing", false);
  pass(1000);
  announcer.follow("Catching up with the stream", true);
  pass(1500);
  announcer.follow("Playing", false);
  pass(5000);
  assert.deepEqual(told, ["Playing"]);
});

test("a connection that flutters for ten minutes does not chatter", () => {
  const { announcer, told, pass } = listen();
  announcer.follow("Playing", false);
  pass(1000);
  for (let i = 0; i < 100; i += 1) {
    announcer.follow("Reconnecting, your place is kept", true);
    pass(3000);
    announcer.follow("Playing", false);
    pass(3000);
  }
  assert.ok(told.length <= 2 * 11, `${told.length} announcements`);
});

test("of words in a row the last is told, and the same words later are told again", () => {
  const { announcer, told, pass } = listen();
  for (const percent of [65, 60, 55]) {
    announcer.say(`Volume ${percent} percent`);
    pass(100);
  }
  pass(1000);
  announcer.say("Volume 55 percent");
  pass(1000);
  assert.deepEqual(told, ["Volume 55 percent", "Volume 55 percent"]);
});
