import assert from "node:assert/strict";
import { test } from "node:test";

import { KEYS, MODES, NIGHT_SWITCH, asChange, pitchClass, valueAt } from "../../client/model/controls.js";
import { IN_THE_ROW, rowOf } from "../../client/model/presets.js";
import { Invitation, withLink } from "../../client/model/invitation.js";
import { Settings } from "../../client/model/settings.js";
import { SleepTimer } from "../../client/model/sleep-timer.js";
import { stateName } from "../../client/model/state.js";
import { about, announcement, clockWords, nextWords, nowWords, stateWords, withSigns } from "../../client/model/words.js";
import { Backoff } from "../../client/net/backoff.js";
import { chooseKind } from "../../client/player/choose.js";
import { paintBands } from "../../client/view/bands.js";
import { bandColours, scaleHue } from "../../client/view/colours.js";

test("waits double up to fifteen seconds, never shorter than the server asks", () => {
  const backoff = new Backoff(() => 1);
  const waits = Array.from({ length: 10 }, () => backoff.next());
  assert.deepEqual(waits.slice(0, 4), [250, 500, 1000, 2000]);
  assert.equal(Math.max(...waits), 15_000);
  backoff.reset();
  assert.ok(backoff.next(20_000) >= 20_000);
  assert.equal(new Backoff(() => 0).next(), 125);
});

test("the night is one switch, sent as true or false and said in words", () => {
  assert.deepEqual(asChange([[NIGHT_SWITCH.path, true]]), { night: true });
  assert.equal(valueAt({ night: false, layers: {} }, NIGHT_SWITCH.path), false);
  const [on, off] = [NIGHT_SWITCH.show(true), NIGHT_SWITCH.show(false)];
  assert.notEqual(on, off);
  for (const words of [NIGHT_SWITCH.label, on, off]) assert.match(words, /^[A-Z][^A-Z!.]*$/);
});

test("what sounds and what comes is said in words", () => {
  const chord = { name: "Em add9", tonic: "D", mode: "dorian" };
  assert.equal(nowWords(chord, { words: "settling" }, null), "D dorian, settling");
  assert.equal(nowWords(null, null, { key: "Bb", mode: "lydian" }), "B♭ lydian");
  assert.equal(nextWords(chord, 9.2), "Em add9 next, in about nine seconds");
  assert.equal(nextWords({ ...chord, name: "Bbm7" }, null), "B♭m7 next");
  assert.equal(withSigns("F#m"), "F♯m");
  assert.equal(withSigns("Dadd9"), "D add9");
  assert.equal(withSigns("Bbmaj9"), "B♭ maj9");
  assert.equal(about(0.3), "any moment now");
  assert.equal(clockWords(761), "12:41");
  assert.equal(clockWords(4361), "1:12:41");
});

test("every state that is not well has its sentence", () => {
  const now = { retryInSeconds: 19.2, station: null };
  assert.equal(stateWords({ ...now, state: "full" }), "Too many listeners just now, trying again in 20 s");
  assert.equal(stateWords({ ...now, state: "reconnecting" }), "Reconnecting, your place is kept");
  for (const state of ["connecting", "warming-up", "rebuffering", "stopped", "unsupported"]) {
    assert.notEqual(stateWords({ ...now, state }), "");
  }
});

const FACTS = {
  supported: true,
  invited: true,
  wanted: true,
  sounding: false,
  heardOnce: false,
  playedBefore: false,
  link: "open",
  cause: null,
  station: "sounding",
};

for (const [name, change] of Object.entries({
  unsupported: { supported: false },
  idle: { wanted: false },
  paused: { wanted: false, playedBefore: true },
  connecting: { link: "connecting" },
  "warming-up": { station: "warming_up" },
  playing: { sounding: true, heardOnce: true },
  rebuffering: { heardOnce: true },
  reconnecting: { link: "waiting", heardOnce: true, cause: "lost" },
  full: { link: "waiting", cause: "full" },
  stopped: { link: "connecting", cause: "stopping", heardOnce: true },
  uninvited: { invited: false, wanted: false, playedBefore: true },
})) {
  test(`the state is called ${name}`, () => assert.equal(stateName({ ...FACTS, ...change }), name));
}

test("who is not invited is told so unless the stream has begun", () => {
  assert.equal(stateName({ ...FACTS, invited: false, link: "waiting", heardOnce: true }), "uninvited");
  assert.equal(stateName({ ...FACTS, invited: false, sounding: true, heardOnce: true }), "playing");
  assert.equal(stateName({ ...FACTS, invited: false, supported: false }), "unsupported");
});

test("whoever is not invited hears what to do, by whether there was a link", () => {
  const now = { state: "uninvited", retryInSeconds: null, station: null };
  const [without, withOne] = [false, true].map((hasLink) => stateWords({ ...now, hasLink }));
  assert.match(without, /Open the link/);
  assert.match(withOne, /run out/);
  assert.equal(announcement({ ...now, hasLink: false }), `This station is for invited listeners. ${without}`);
});

class Drawer {
  constructor() {
    this.kept = new Map();
  }

  getItem(name) {
    return this.kept.get(name) ?? null;
  }

  setItem(name, value) {
    this.kept.set(name, value);
  }
}

/** An invitation out of `address`, and what the address bar shows after it. */
function takenFrom(address, storage) {
  globalThis.sessionStorage = storage;
  let shown = address;
  const invitation = Invitation.take(new URL(address), (next) => (shown = next));
  delete globalThis.sessionStorage;
  return { token: invitation.token, shown };
}

test("a link is kept for the visit and leaves the address bar", () => {
  const drawer = new Drawer();
  const opened = takenFrom("http://box.lan:8000/?station=night&listen=l1.a.b&kiosk=1", drawer);
  assert.deepEqual(opened, { token: "l1.a.b", shown: "http://box.lan:8000/?station=night&kiosk=1" });
  const reloaded = takenFrom("http://box.lan:8000/?station=night&kiosk=1", drawer);
  assert.deepEqual(reloaded, { token: "l1.a.b", shown: "http://box.lan:8000/?station=night&kiosk=1" });
  assert.equal(takenFrom("http://box.lan:8000/?listen=newer", drawer).token, "newer");
  assert.equal(takenFrom("http://box.lan:8000/", drawer).token, "newer");
  assert.equal(takenFrom("http://box.lan:8000/", new Drawer()).token, null);
});

test("a link without a word in it is none, and leaves the address bar too", () => {
  assert.deepEqual(takenFrom("http://a/?listen=", new Drawer()), { token: null, shown: "http://a/" });
});

test("a link holds until the page is left where nothing can be kept", () => {
  const refusing = {
    getItem() {
      throw new Error("forbidden");
    },
    setItem() {
      throw new Error("forbidden");
    },
  };
  assert.equal(takenFrom("http://a/?listen=x", refusing).token, "x");
  assert.equal(takenFrom("http://a/?listen=x", undefined).token, "x");
});

test("an address carries the link on where there is one", () => {
  assert.equal(withLink("/stream.mp3", null), "/stream.mp3");
  assert.equal(withLink("/stream.mp3", "l1.a&b"), "/stream.mp3?listen=l1.a%26b");
  assert.equal(withLink("/listen.m3u?format=mp3", "x"), "/listen.m3u?format=mp3&listen=x");
});

test("the best player is chosen by itself", () => {
  const all = { webAudio: true, worklet: true, webCodecs: true, wasm: true, worker: true, element: "opus" };
  assert.equal(chooseKind(all, "automatic"), "opus-worklet");
  assert.equal(chooseKind({ ...all, webCodecs: false }, "automatic"), "wasm-worklet");
  assert.equal(chooseKind({ ...all, webCodecs: false, wasm: false }, "automatic"), "pcm-worklet");
  assert.equal(chooseKind(all, "pcm16"), "pcm-worklet");
  assert.equal(chooseKind({ ...all, worklet: false, webCodecs: false }, "automatic"), "wasm-scheduled");
  assert.equal(chooseKind({ ...all, worklet: false }, "automatic"), "opus-scheduled");
  assert.equal(chooseKind({ ...all, worklet: false }, "pcm16"), "pcm-scheduled");
  assert.equal(chooseKind({ ...all, webAudio: false }, "automatic"), "element");
  assert.equal(chooseKind({ ...all, webAudio: false, element: null }, "automatic"), "none");
  assert.equal(chooseKind(all, "element"), "element");
});

test("the sleep timer fades over its last minutes and knows when it is late", () => {
  const timer = new SleepTimer();
  assert.equal(timer.fade(0), null);
  timer.set(30, 0);
  assert.deepEqual(timer.fade(0), { startsInSeconds: 1620, endsInSeconds: 1800 });
  assert.deepEqual(timer.fade(1_750_000), { startsInSeconds: 0, endsInSeconds: 50 });
  assert.equal(timer.remainingSeconds(9_999_999), 0);
});

test("settings survive a storage that refuses, and values nobody offers", () => {
  const refusing = {
    getItem: () => null,
    setItem() {
      throw new Error("full");
    },
  };
  const settings = new Settings(refusing);
  settings.volumePercent = 35;
  assert.equal(settings.volumePercent, 35);
  assert.equal(new Settings({ getItem: () => "purple" }).theme, "auto");
  assert.equal(new Settings({ getItem: () => "NaN" }).volumePercent, 70);
});

test("keys have their pitch whatever they are called", () => {
  assert.equal(new Set(KEYS.map(pitchClass)).size, 12);
  assert.equal(pitchClass("Db"), pitchClass("C#"));
  assert.equal(pitchClass("Cb"), pitchClass("B"));
});

/** Relative luminance (WCAG 2.2) of 0 to 255 channels. */
function luminance(rgb) {
  const [r, g, b] = rgb.map((byte) => (byte / 255 <= 0.04045 ? byte / 255 / 12.92 : ((byte / 255 + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

test("secondary ink reads on every colour the bands can become, at 4.5 to 1", () => {
  const inks = { dark: [233, 237, 242], light: [29, 39, 48] };
  for (const theme of ["dark", "light"]) {
    for (const mode of MODES) {
      for (const key of KEYS) {
        for (const ground of bandColours(scaleHue(mode, key), theme)) {
          const soft = inks[theme].map((channel, i) => 0.78 * channel + 0.22 * ground[i]);
          const [bright, dim] = [luminance(soft), luminance(ground)].sort((a, b) => b - a);
          const contrast = (bright + 0.05) / (dim + 0.05);
          assert.ok(contrast >= 4.5, `${key} ${mode} ${theme}: ${contrast.toFixed(2)}`);
        }
      }
    }
  }
});

test("no pixel leaves the span between the ground and the brightest band", () => {
  const pixels = new Uint8ClampedArray(16 * 32 * 4);
  const colours = bandColours(200, "dark");
  const ground = [11, 14, 19];
  paintBands(pixels, 16, 32, { ground, colours, light: [1, 1, 1], phase: 3 });
  const brightest = [0, 1, 2].map((channel) => Math.max(...colours.map((colour) => colour[channel])));
  for (let at = 0; at < pixels.length; at += 4) {
    for (let channel = 0; channel < 3; channel += 1) {
      assert.ok(pixels[at + channel] <= Math.ceil(brightest[channel]));
      assert.ok(pixels[at + channel] >= ground[channel] - 1);
    }
  }
});

test("the first row of presets shows the chosen one, wherever it comes from", () => {
  const presets = ["Focus", "Meditation", "Sleep", "Bright", "Still", "Rain"].map((name) => ({ name, built_in: true, description: null }));
  const first = ["Focus", "Meditation", "Sleep", "Bright"];
  assert.equal(first.length, IN_THE_ROW);
  assert.deepEqual(rowOf(presets, null), first);
  assert.deepEqual(rowOf(presets, "Sleep"), first);
  assert.deepEqual(rowOf(presets, "Rain"), ["Focus", "Meditation", "Sleep", "Rain"]);
  assert.deepEqual(rowOf(presets, "one of my own"), first);
  assert.deepEqual(rowOf([], null), []);
});
