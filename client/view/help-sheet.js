import { createChoices } from "./controls.js";
import { h } from "./dom.js";

const KEYS = [
  ["Space", "Listen or pause"],
  ["Left and right", "Quieter, louder"],
  ["M", "Mute"],
  ["T", "Sleep timer"],
  ["?", "This list"],
  ["Escape", "Close what is open"],
];

/**
 * What the keys do, and the switch for those who want none of it.
 *
 * @param {import("../model/session.js").Session} session
 * @returns {import("./sheets.js").Sheet}
 */
export function createHelpSheet(session) {
  const { settings } = session;
  const shortcuts = createChoices({
    legend: "Single keys",
    name: "shortcuts",
    form: "even",
    choices: [
      { value: "on", label: "On" },
      { value: "off", label: "Off" },
    ],
    choose(value) {
      settings.shortcuts = /** @type {typeof settings.shortcuts} */ (value);
    },
  });
  const list = h("dl", { class: "facts keys" });
  let shown = "nothing yet";
  return {
    name: "help",
    title: "Keyboard",
    lead: h("p", {}, "Space and arrows act while no control has the focus"),
    body: h("div", {}, shortcuts.element, list),
    render(now) {
      shortcuts.render(settings.shortcuts);
      const presets = now.presets.slice(0, 9).map(({ name }, index) => [String(index + 1), name]);
      if (shown === presets.join()) return;
      shown = presets.join();
      list.replaceChildren(...[...KEYS, ...presets].map(([key, words]) => h("div", {}, h("dt", {}, h("kbd", {}, key)), h("dd", {}, words))));
    },
  };
}
