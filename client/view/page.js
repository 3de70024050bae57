import { Backdrop } from "./backdrop.js";
import { byId, setAttribute } from "./dom.js";
import { createFoot } from "./foot.js";
import { listenForKeys } from "./keys.js";
import { Sheets } from "./sheets.js";
import { createStage } from "./stage.js";

/** The page stands and plays by then: the sheets come before anybody looks for one. */
const SHEETS_AFTER_MS = 3000;

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
  sheets.addLater("presets", async () => (await import("./preset-sheet.js")).createPresetSheet(session));
  sheets.addLater("timer", async () => (await import("./small-sheets.js")).createTimerSheet(session));
  sheets.addLater("music", async () => (await import("./music-sheet.js")).createMusicSheet(session));
  sheets.addLater("mix", async () => (await import("./mix-sheet.js")).createMixSheet(session));
  sheets.addLater("more", async () => {
    const { createMoreSheet } = await import("./more-sheet.js");
    return createMoreSheet(session, changeLook, () => void sheets.toggle("help"));
  });
  sheets.addLater("token", async () => (await import("./small-sheets.js")).createTokenSheet(session, sheets, toast));
  sheets.addLater("help", async () => (await import("./help-sheet.js")).createHelpSheet(session));
  sheets.opener("token", byId("take-control"));
  const stage = createStage(session, toast.announcer);
  const foot = createFoot(session, sheets, toast);
  sheets.onOpen = () => sheets.render(session.snapshot());
  changeLook();
  sheets.opener("help", byId("open-more"));
  sheets.onMissing = () => toast.say("This part of the page does not come: the server does not answer");
  if (!kiosk) setTimeout(() => void sheets.fetchAll(), SHEETS_AFTER_MS);
  const toggleSheet = (/** @type {string} */ name) => void sheets.toggle(name);
  listenForKeys(session, { toggleSheet, tell: (text) => toast.announcer.say(text), few: kiosk });
  root.toggleAttribute("data-kiosk", kiosk);

  return (now) => {
    setAttribute(root, "data-state", now.state);
    if (now.player !== null) setAttribute(root, "data-player", now.player);
    if (document.visibilityState === "hidden") return;
    stage.render(now);
    foot.render(now);
    sheets.render(now);
    backdrop.render(now);
  };
}
