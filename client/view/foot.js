import { byId, h, setAttribute, setRange, setText } from "./dom.js";
import { icon } from "./icons.js";
import { createPresetRow } from "./presets.js";

/**
 * Presets, volume, and the row of actions.
 *
 * @param {import("../model/session.js").Session} session
 * @param {import("./sheets.js").Sheets} sheets
 * @param {import("./toast.js").Toast} toast
 */
export function createFoot(session, sheets, toast) {
  const presets = byId("presets");
  const volume = /** @type {HTMLInputElement} */ (byId("volume"));
  const actions = byId("actions");
  const takeControl = byId("take-control");
  const rowOfPresets = createPresetRow(session, sheets, presets);

  /** @param {number} percent @param {boolean} muted */
  const showVolume = (percent, muted) => {
    setRange(volume, percent);
    setText(byId("volume-value"), muted ? "Muted" : `${percent} %`);
    setAttribute(volume, "aria-valuetext", muted ? `Muted, ${percent} percent` : `${percent} percent`);
  };
  showVolume(session.settings.volumePercent, false);
  volume.addEventListener("input", () => session.setVolume(Number(volume.value)));

  const timerWord = h("span", {}, "Timer");
  const timer = action("timer", timerWord, () => sheets.toggle("timer"), "timer");
  const fresh = action("fresh", h("span", {}, "New"), () => askForNewPiece(), null);
  fresh.setAttribute("aria-label", "New piece");
  actions.append(timer, fresh);
  for (const name of /** @type {const} */ (["music", "mix", "more"])) {
    const word = h("span", {}, name[0].toUpperCase() + name.slice(1));
    actions.append(action(name, word, () => sheets.toggle(name), name));
  }
  takeControl.addEventListener("click", () => sheets.toggle("token"));

  function askForNewPiece() {
    const others = session.snapshot().listeners - 1;
    if (others < 1) return void session.newPiece();
    toast.ask(
      others === 1 ? "Somebody else is listening. A new piece for both?" : `${others} others are listening. A new piece for all?`,
      "Begin",
      () => void session.newPiece(),
    );
  }

  /**
   * @param {Parameters<typeof icon>[0]} name
   * @param {HTMLElement} word
   * @param {() => void} act
   * @param {string | null} sheet it opens
   */
  function action(name, word, act, sheet) {
    const button = h("button", { class: "action", id: `open-${name}`, type: "button", onclick: act }, icon(name), word);
    if (sheet !== null) {
      button.setAttribute("aria-expanded", "false");
      button.setAttribute("aria-controls", `sheet-${sheet}`);
      sheets.opener(sheet, button);
    }
    return button;
  }

  return {
    /** @param {import("../model/snapshot.js").Snapshot} now */
    render(now) {
      rowOfPresets.render(now);
      showVolume(now.volumePercent, now.muted);
      takeControl.hidden = now.rights !== "locked";
      fresh.hidden = now.rights !== "open";
      const left = now.sleepInSeconds;
      setText(timerWord, left === null ? "Timer" : `${Math.max(1, Math.ceil(left / 60))} min`);
      setAttribute(timer, "data-active", left === null ? null : "");
      setAttribute(timer, "aria-label", left === null ? "Sleep timer" : `Sleep timer, ${Math.ceil(left / 60)} minutes left`);
    },
  };
}
