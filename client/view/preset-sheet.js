import { FOR_EVERYONE, ONLY_LISTENING } from "../model/words.js";
import { h, setAttribute, setText } from "./dom.js";

/**
 * Every preset of the house, each with a sentence.
 *
 * @param {import("../model/session.js").Session} session
 * @returns {import("./sheets.js").Sheet}
 */
export function createPresetSheet(session) {
  const lead = h("p", {});
  const list = h("div", { class: "characters", role: "group", "aria-label": "Presets" });
  let shown = "";
  return {
    name: "presets",
    title: "Presets",
    lead,
    body: list,
    render(now) {
      const open = now.rights === "open";
      setText(lead, open ? FOR_EVERYONE : ONLY_LISTENING);
      if (shown !== now.presets.map((preset) => preset.name).join()) {
        shown = now.presets.map((preset) => preset.name).join();
        list.replaceChildren(...now.presets.map(({ name, description }) => characterOf(session, name, description ?? "")));
      }
      for (const button of /** @type {Iterable<HTMLButtonElement>} */ (/** @type {unknown} */ (list.children))) {
        button.disabled = !open;
        setAttribute(button, "aria-pressed", String(button.dataset.name === now.station?.preset));
      }
    },
  };
}

/**
 * @param {import("../model/session.js").Session} session
 * @param {string} name
 * @param {string} description
 */
function characterOf(session, name, description) {
  const choose = () => void session.choosePreset(name);
  return h(
    "button",
    { class: "character", type: "button", "aria-pressed": "false", "data-name": name, onclick: choose },
    h("span", { class: "character-name" }, name),
    h("span", { class: "character-words" }, description.replace(/\.$/, "")),
  );
}
