import { Backdrop } from "./backdrop.js";
import { byId } from "./dom.js";
import { createFoot } from "./foot.js";
import { listenForKeys } from "./keys.js";
import { createMixSheet } from "./mix-sheet.js";
import { createMoreSheet } from "./more-sheet.js";
import { createMusicSheet } from "./music-sheet.js";
import { createPresetSheet } from "./presets.js";
import { Sheets } from "./sheets.js";
import { createTimerSheet, createTokenSheet } from "./small-sheets.js";
import { createStage } from "./stage.js";

/**
 * The whole page over one session.
 *
 * @param {import("../model/session.js").Session} session
 * @param {import("./toast.js").Toast} toast
 * @param {boolean} kiosk a picture on a wall: the disc and what sounds, nothing else
 * @returns {(now: import("../model/snapshot.js").Snapshot) => void} draws what changed
 */
export function createPage(session, toast, kiosk) {
  const root = document.documentElement;
  const backdrop = new Backdrop(() => session.bands());
  const sheets = new Sheets();
  const changeLook = () => {
    root.dataset.theme = session.settings.theme;
    root.dataset.motion = session.settings.motion;
    backdrop.still = session.settings.motion === "off";
    backdrop.wake();
  };
  sheets.add(createPresetSheet(session));
  sheets.add(createTimerSheet(session));
  sheets.add(createMusicSheet(session));
  sheets.add(createMixSheet(session));
  sheets.add(createMoreSheet(session, changeLook, () => void toggleSheet("help")));
  sheets.add(createTokenSheet(session, sheets, toast));
  sheets.opener("token", byId("take-control"));
  const stage = createStage(session, toast.announcer);
  const foot = createFoot(session, sheets, toast);
  sheets.onOpen = () => sheets.render(session.snapshot());
  changeLook();
  listenForKeys(session, { toggleSheet, tell: (text) => toast.announcer.say(text), few: kiosk });
  root.toggleAttribute("data-kiosk", kiosk);

  /** @param {string} name */
  async function toggleSheet(name) {
    if (name === "help" && !sheets.has("help")) {
      const { createHelpSheet } = await import("./help-sheet.js");
      if (!sheets.has("help")) sheets.add(createHelpSheet(session));
      sheets.opener("help", byId("open-more"));
    }
    sheets.toggle(name);
  }

  return (now) => {
    root.dataset.state = now.state;
    if (now.player !== null) root.dataset.player = now.player;
    if (document.visibilityState === "hidden") return;
    stage.render(now);
    foot.render(now);
    sheets.render(now);
    backdrop.render(now);
  };
}
