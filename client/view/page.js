import { Backdrop } from "./backdrop.js";
import { byId } from "./dom.js";
import { createFoot } from "./foot.js";
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
 * @returns {(now: import("../model/snapshot.js").Snapshot) => void} draws what changed
 */
export function createPage(session, toast) {
  const root = document.documentElement;
  const backdrop = new Backdrop(() => session.bands());
  const sheets = new Sheets();
  const changeLook = () => {
    root.dataset.theme = session.settings.theme;
    backdrop.still = session.settings.motion === "off";
    backdrop.wake();
  };
  sheets.add(createPresetSheet(session));
  sheets.add(createTimerSheet(session));
  sheets.add(createMusicSheet(session));
  sheets.add(createMixSheet(session));
  sheets.add(createMoreSheet(session, changeLook));
  sheets.add(createTokenSheet(session, sheets, toast));
  sheets.opener("token", byId("take-control"));
  const stage = createStage(session);
  const foot = createFoot(session, sheets, toast);
  sheets.onOpen = () => sheets.render(session.snapshot());
  changeLook();
  listenForKeys(session);

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

/** Space plays and pauses while no control has the focus. @param {import("../model/session.js").Session} session */
function listenForKeys(session) {
  document.addEventListener("keydown", (event) => {
    const free = event.target === document.body || event.target === document.documentElement;
    if (!free || event.key !== " " || event.ctrlKey || event.altKey || event.metaKey) return;
    event.preventDefault();
    void session.toggle();
  });
}
