import { waitingWords } from "../model/words.js";
import { h, setAttribute, setRange, setText } from "./dom.js";

/** @typedef {import("../model/session.js").Session} Session */
/** @typedef {import("../model/controls.js").Slider} Slider */

/**
 * One choice of several, dressed as chips.
 *
 * @param {object} options
 * @param {string} options.legend
 * @param {string} options.name
 * @param {{value: string, label: string}[]} options.choices
 * @param {"keys" | "even" | "flow"} options.form
 * @param {(value: string) => void} options.choose
 */
export function createChoices({ legend, name, choices, form, choose }) {
  const waiting = h("span", { class: "value", "aria-hidden": "true" });
  const inputs = choices.map(({ value }) => h("input", { type: "radio", name, value, onchange: () => choose(value) }));
  const row = h(
    "div",
    { class: "choices-row" },
    ...choices.map(({ label }, i) => h("label", { class: "choice" }, inputs[i], h("span", {}, label))),
  );
  const element = h("fieldset", { class: "choices", "data-form": form }, h("legend", {}, legend, waiting), row);
  return {
    element,
    /**
     * @param {string | undefined} value
     * @param {string} [words] shown beside the legend
     */
    render(value, words = "") {
      for (const input of inputs) input.checked = input.value === value;
      setText(waiting, words);
    },
  };
}

/**
 * A slider with its label and its value, which says when a change will be heard.
 *
 * @param {Session} session
 * @param {Slider} slider
 */
export function createSlider(session, slider) {
  const id = `control-${slider.path.replace(".", "-")}`;
  const range = h("input", { id, type: "range", min: slider.min, max: slider.max, step: slider.step });
  const value = h("span", { class: "value" });
  range.addEventListener("input", () => session.setControl(slider.path, Number(range.value)));
  const element = h("div", { class: "control", "data-path": slider.path }, h("label", { for: id }, slider.label), range, value);
  return { element, render: () => renderSlider(session, slider, range, value) };
}

/**
 * A layer: a switch, and a slider for its gain.
 *
 * @param {Session} session
 * @param {Slider} slider
 */
export function createLayer(session, slider) {
  const id = `control-${slider.path.replace(".", "-")}`;
  const range = h("input", { id, type: "range", min: slider.min, max: slider.max, step: slider.step, "aria-label": `${slider.label} gain` });
  const value = h("span", { class: "value" });
  const onOff = h("input", { id: `${id}-on`, type: "checkbox", role: "switch" });
  let lastGainDb = 0;
  range.addEventListener("input", () => session.setControl(slider.path, Number(range.value)));
  onOff.addEventListener("change", () => session.setControl(slider.path, onOff.checked ? lastGainDb : "off"));
  const element = h(
    "div",
    { class: "control", "data-switch": true, "data-path": slider.path },
    h("span", { class: "switch" }, onOff, h("span", {})),
    h("label", { for: `${id}-on` }, slider.label),
    range,
    value,
  );
  return {
    element,
    render() {
      const gain = session.desk.shown(slider.path);
      onOff.checked = gain !== "off" && gain !== undefined;
      range.disabled = !onOff.checked;
      if (typeof gain === "number") lastGainDb = gain;
      renderSlider(session, slider, range, value);
      if (range.disabled) setRange(range, lastGainDb);
    },
  };
}

/**
 * A switch with its label, and what it does just now in words.
 *
 * @param {Session} session
 * @param {import("../model/controls.js").Switch} control
 */
export function createSwitch(session, control) {
  const id = `control-${control.path}`;
  const onOff = h("input", { id, type: "checkbox", role: "switch" });
  const value = h("span", { class: "value" });
  onOff.addEventListener("change", () => session.setControl(control.path, onOff.checked));
  const element = h(
    "div",
    { class: "control", "data-switch": "words", "data-path": control.path },
    h("span", { class: "switch" }, onOff, h("span", {})),
    h("label", { for: id }, control.label),
    value,
  );
  return {
    element,
    render() {
      const on = session.desk.shown(control.path) === true;
      onOff.checked = on;
      const waiting = waitingWords(session.desk.waiting(control.path, session.here()?.position ?? null));
      setAttribute(value, "data-waiting", waiting === "" ? null : "");
      setText(value, waiting || control.show(on));
    },
  };
}

/**
 * @param {Session} session
 * @param {Slider} slider
 * @param {HTMLInputElement} range
 * @param {HTMLElement} output
 */
function renderSlider(session, slider, range, output) {
  const value = session.desk.shown(slider.path);
  if (typeof value === "number") {
    setRange(range, value);
    setAttribute(range, "aria-valuetext", slider.show(value));
  }
  const waiting = waitingWords(session.desk.waiting(slider.path, session.here()?.position ?? null));
  setAttribute(output, "data-waiting", waiting === "" ? null : "");
  setText(output, waiting || (typeof value === "number" ? slider.show(value) : (value ?? "")));
}

/** What is set, in words: for those who may only listen. */
export function createFacts() {
  const element = h("dl", { class: "facts" });
  let shown = "";
  return {
    element,
    /** @param {[string, string][]} facts */
    render(facts) {
      const text = JSON.stringify(facts);
      if (text === shown) return;
      shown = text;
      element.replaceChildren(...facts.map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value))));
    },
  };
}
