import { LAYER_SLIDERS, LEVEL_SLIDER, valueAt } from "../model/controls.js";
import { FOR_EVERYONE, ONLY_LISTENING } from "../model/words.js";
import { createFacts, createLayer, createSlider } from "./controls.js";
import { h } from "./dom.js";

/**
 * The layers and the level of the whole.
 *
 * @param {import("../model/session.js").Session} session
 * @returns {import("./sheets.js").Sheet}
 */
export function createMixSheet(session) {
  const layers = LAYER_SLIDERS.map((slider) => createLayer(session, slider));
  const level = createSlider(session, LEVEL_SLIDER);
  const hands = h("div", {}, ...layers.map((layer) => layer.element), h("h3", {}, "Level"), level.element);
  const facts = createFacts();
  const lead = h("p", {});
  return {
    name: "mix",
    title: "Mix",
    lead,
    body: h("div", {}, hands, facts.element),
    render(now) {
      const open = now.rights === "open";
      lead.textContent = open ? FOR_EVERYONE : ONLY_LISTENING;
      hands.hidden = !open;
      facts.element.hidden = open;
      if (now.controls === null) return;
      if (!open) return facts.render(describe(now.controls));
      for (const layer of layers) layer.render();
      level.render();
    },
  };
}

/**
 * @param {import("../protocol.js").Controls} controls
 * @returns {[string, string][]}
 */
function describe(controls) {
  return [...LAYER_SLIDERS, LEVEL_SLIDER].map(({ path, label, show }) => {
    const value = valueAt(controls, path);
    return [label, value === "off" ? "off" : show(value)];
  });
}
