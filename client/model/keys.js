// Which key does what. A single key is a risk for who dictates or trembles: all of them can be switched off.

/** @typedef {"toggle" | "louder" | "quieter" | "mute" | "timer" | "help" | number} Act a number is a preset's, from 1 */

/** @type {Map<string, Act>} */
const EVERYWHERE = new Map([["m", "mute"], ["t", "timer"], ["?", "help"]]);
/** @type {Map<string, Act>} */
const WITHOUT_FOCUS = new Map([
  [" ", "toggle"],
  ["ArrowRight", "louder"],
  ["ArrowLeft", "quieter"],
  ["ArrowUp", "louder"],
  ["ArrowDown", "quieter"],
]);

/**
 * @param {Pick<KeyboardEvent, "key" | "code" | "shiftKey" | "ctrlKey" | "altKey" | "metaKey" | "repeat">} press
 * @param {object} where
 * @param {boolean} where.free    no control has the focus
 * @param {boolean} where.typing  a field for text has it
 * @param {boolean} where.scrolls the page is longer than the screen, so up and down are its own
 * @returns {Act | null}
 */
export function actOf(press, { free, typing, scrolls }) {
  if (typing || press.ctrlKey || press.altKey || press.metaKey) return null;
  const loose = WITHOUT_FOCUS.get(press.key);
  if (free && loose !== undefined) {
    if (press.key === " " && (press.repeat || press.shiftKey)) return null;
    if (scrolls && (press.key === "ArrowUp" || press.key === "ArrowDown")) return null;
    return loose;
  }
  if (press.repeat) return null;
  const digit = /^[1-9]$/.exec(press.key) ?? (press.shiftKey ? null : /(?<=^Digit)[1-9]$/.exec(press.code));
  return digit === null ? (EVERYWHERE.get(press.key.toLowerCase()) ?? null) : Number(digit[0]);
}
