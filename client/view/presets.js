import { rowOf } from "../model/presets.js";
import { FOR_EVERYONE, ONLY_LISTENING } from "../model/words.js";
import { h, setAttribute, setText } from "./dom.js";

/**
 * The first few presets in one row, and the way to all of them.
 *
 * @param {import("../model/session.js").Session} session
 * @param {import("./sheets.js").Sheets} sheets
 * @param {HTMLElement} row
 */
export function createPresetRow(session, sheets, row) {
  const all = h("button", { class: "chip all", type: "button", "aria-label": "All presets", "aria-expanded": "false", "aria-controls": "sheet-presets", onclick: () => sheets.toggle("presets") }, "All");
  sheets.opener("presets", all);
  let shown = "";

  return {
    /** @param {import("../model/snapshot.js").Snapshot} now */
    render(now) {
      const names = rowOf(now.presets, now.station?.preset ?? null);
      if (shown !== names.join()) {
        shown = names.join();
        const chips = names.map((name) =>
          h("button", { class: "chip", type: "button", "aria-pressed": "false", onclick: () => void session.choosePreset(name) }, name),
        );
        row.replaceChildren(...chips, ...(names.length < now.presets.length ? [all] : []));
      }
      for (const chip of row.children) {
        if (chip !== all) setAttribute(chip, "aria-pressed", String(chip.textContent === now.station?.preset));
      }
      row.hidden = now.rights !== "open" || names.length === 0;
    },
  };
}

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
