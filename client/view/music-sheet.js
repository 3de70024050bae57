import { KEYS, MODES, NIGHT_SWITCH, SCORE_SLIDERS, SOUND_SLIDERS, pitchClass } from "../model/controls.js";
import { FOR_EVERYONE, ONLY_LISTENING, waitingWords, withSigns } from "../model/words.js";
import { createChoices, createFacts, createSlider, createSwitch } from "./controls.js";
import { h } from "./dom.js";

/**
 * Key, mode, and how the music moves.
 *
 * @param {import("../model/session.js").Session} session
 * @returns {import("./sheets.js").Sheet}
 */
export function createMusicSheet(session) {
  const keys = createChoices({
    legend: "Key",
    name: "key",
    form: "keys",
    choices: KEYS.map((value) => ({ value, label: withSigns(value) })),
    choose: (value) => session.setControl("key", value),
  });
  const modes = createChoices({
    legend: "Mode",
    name: "mode",
    form: "even",
    choices: MODES.map((value) => ({ value, label: value[0].toUpperCase() + value.slice(1) })),
    choose: (value) => session.setControl("mode", value),
  });
  const sliders = [...SOUND_SLIDERS, ...SCORE_SLIDERS].map((slider) => createSlider(session, slider));
  const [sound, score] = [sliders.slice(0, SOUND_SLIDERS.length), sliders.slice(SOUND_SLIDERS.length)];
  const night = createSwitch(session, NIGHT_SWITCH);
  const hands = h(
    "div",
    {},
    keys.element,
    modes.element,
    ...sound.map((slider) => slider.element),
    h("h3", {}, "Composition"),
    ...score.map((slider) => slider.element),
    h("h3", {}, "Evening"),
    night.element,
  );
  const facts = createFacts();
  const lead = h("p", {});
  const waiting = (/** @type {string} */ path) => waitingWords(session.desk.waiting(path, session.here()?.position ?? null));
  return {
    name: "music",
    title: "Music",
    lead,
    body: h("div", {}, hands, facts.element),
    render(now) {
      const open = now.rights === "open";
      lead.textContent = open ? FOR_EVERYONE : ONLY_LISTENING;
      hands.hidden = !open;
      facts.element.hidden = open;
      if (now.controls === null) return;
      if (!open) return facts.render(describe(now.controls));
      const key = session.desk.shown("key");
      keys.render(KEYS.find((name) => pitchClass(name) === pitchClass(key)), waiting("key"));
      modes.render(session.desk.shown("mode"), waiting("mode"));
      for (const slider of sliders) slider.render();
      night.render();
    },
  };
}

/**
 * @param {import("../protocol.js").Controls} controls
 * @returns {[string, string][]}
 */
function describe(controls) {
  /** @type {[string, string][]} */
  const facts = [["Key and mode", `${withSigns(controls.key)} ${controls.mode}`]];
  for (const { path, label, show } of [...SOUND_SLIDERS, ...SCORE_SLIDERS]) {
    const words = path === "tempo_bpm" ? `${show(controls[path])} beats a minute` : `${show(controls[path])} of 100`;
    facts.push([label, words]);
  }
  facts.push([NIGHT_SWITCH.label, controls.night === true ? "On" : "Off"]);
  return facts;
}
