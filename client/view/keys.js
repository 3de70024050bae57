import { actOf } from "../model/keys.js";

const VOLUME_STEP_PERCENT = 5;
const CONTROLS = "a, button, input, select, textarea, summary, [contenteditable], .sheet";
const TEXT_FIELDS = "input:not([type=range], [type=radio], [type=checkbox]), textarea, [contenteditable]";

/**
 * The keyboard, where no control takes the key for itself.
 *
 * @param {import("../model/session.js").Session} session
 * @param {object} hands
 * @param {(name: string) => void} hands.toggleSheet
 * @param {(text: string) => void} hands.tell
 * @param {boolean} hands.few a picture on a wall: nothing opens, and nothing changes for others
 */
export function listenForKeys(session, { toggleSheet, tell, few }) {
  document.addEventListener("keydown", (event) => {
    if (session.settings.shortcuts === "off" || event.defaultPrevented) return;
    const target = /** @type {Element} */ (event.target);
    const act = actOf(event, {
      free: target.closest(CONTROLS) === null,
      typing: target.closest(TEXT_FIELDS) !== null,
      scrolls: document.documentElement.scrollHeight > innerHeight,
    });
    if (act === null || (few && (typeof act === "number" || act === "timer" || act === "help"))) return;
    event.preventDefault();
    if (act === "toggle") void session.toggle();
    else if (act === "mute") {
      session.toggleMute();
      tell(session.muted ? "Muted" : "Sound on");
    } else if (act === "louder" || act === "quieter") {
      session.setVolume(session.settings.volumePercent + (act === "louder" ? VOLUME_STEP_PERCENT : -VOLUME_STEP_PERCENT));
      tell(`Volume ${session.settings.volumePercent} percent`);
    } else if (typeof act === "number") choosePreset(session, act);
    else toggleSheet(act);
  });
}

/** @param {import("../model/session.js").Session} session @param {number} number from 1 */
function choosePreset(session, number) {
  const preset = session.presets[number - 1];
  if (preset === undefined) return;
  if (session.rights.state !== "open") return session.say("Without the token this page can only listen");
  session.say(preset.name);
  void session.choosePreset(preset.name);
}
