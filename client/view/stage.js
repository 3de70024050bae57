import { UNINVITED, announcement, clockWords, listenersWords, nextWords, nowWords, stateWords } from "../model/words.js";
import { byId, setAttribute, setText } from "./dom.js";
import { icon } from "./icons.js";

/** @typedef {import("../model/snapshot.js").Snapshot} Snapshot */

/** In steps, so that the ring stands still while the buffer breathes with every packet. */
const RING_STEPS = 10;

/** Where it matters more than what sounds. @type {Partial<Record<Snapshot["state"], string>>} */
const HEADINGS = { unsupported: "This browser cannot play here", uninvited: UNINVITED };

/**
 * The disc, its ring, and the words under it.
 *
 * @param {import("../model/session.js").Session} session
 * @param {import("./announcer.js").Announcer} announcer
 */
export function createStage(session, announcer) {
  const disc = byId("disc");
  const face = byId("disc-face");
  const ring = byId("ring-fill");
  let faceShows = "Listen";
  disc.addEventListener("click", () => void session.toggle());

  /** @param {Snapshot} now */
  function renderDisc(now) {
    const barred = now.state === "unsupported" || now.state === "uninvited";
    const wanted = now.state !== "idle" && now.state !== "paused" && !barred;
    const shows = wanted ? "pause" : now.state === "paused" ? "play" : "Listen";
    if (shows !== faceShows) {
      faceShows = shows;
      face.replaceChildren(shows === "Listen" ? shows : icon(shows));
      setAttribute(disc, "aria-label", wanted ? "Pause" : "Listen");
    }
    /** @type {HTMLButtonElement} */ (disc).disabled = barred;
    const filled = wanted ? Math.ceil(now.bufferShare * RING_STEPS) / RING_STEPS : 0;
    setAttribute(ring, "data-filled", filled > 0 ? "" : null);
    ring.style.strokeDasharray = `${filled * 100} 100`;
  }

  /** @param {Snapshot} now */
  function renderWords(now) {
    const sounds = nowWords(now.chord, now.section, now.controls);
    const idle = now.state === "idle" || now.state === "paused";
    const heading = HEADINGS[now.state] ?? (sounds || "Auralis");
    const next = idle ? idleWords(now) : stateWords(now) || nextWords(now.nextChord, now.nextChordInSeconds);
    setText(byId("now"), heading);
    setText(byId("next"), next);
    const simple = now.player?.endsWith("scheduled") && !window.isSecureContext;
    const note =
      now.state === "unsupported"
        ? "And any music player can open the playlist that More offers"
        : simple && now.state !== "uninvited"
          ? "This address has no encryption, so the simple player is on"
          : "";
    setText(byId("note"), note);
    byId("note").hidden = note === "";
  }

  return {
    /** @param {Snapshot} now */
    render(now) {
      renderDisc(now);
      renderWords(now);
      setText(byId("brand"), now.station?.title ?? "Auralis");
      setText(byId("presence"), presenceWords(now));
      announcer.follow(announcement(now), now.state !== "playing" && now.state !== "paused");
    },
  };
}

/** @param {Snapshot} now */
function idleWords(now) {
  if (now.state === "paused") return "Paused";
  return now.station?.state === "warming_up" ? "The server is warming up" : "Music that is composed as you listen";
}

/** @param {Snapshot} now */
function presenceWords(now) {
  if (now.station === null) return "";
  const time = now.listenedSeconds === null ? "" : clockWords(now.listenedSeconds);
  return [now.listeners > 0 ? listenersWords(now.listeners) : "", time].filter((word) => word !== "").join(" · ");
}
