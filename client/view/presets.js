import { rowOf } from "../model/presets.js";
import { h, setAttribute } from "./dom.js";

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
