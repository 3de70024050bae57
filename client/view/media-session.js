import { nowWords } from "../model/words.js";

/**
 * Play and pause from the keyboard's media keys, the headphones, the lock screen.
 *
 * @param {import("../model/session.js").Session} session
 * @returns {(now: import("../model/snapshot.js").Snapshot) => void}
 */
export function createMediaSession(session) {
  if (!("mediaSession" in navigator)) return () => {};
  navigator.mediaSession.setActionHandler("play", () => void session.listen());
  navigator.mediaSession.setActionHandler("pause", () => void session.pause());
  let shown = "";
  return (now) => {
    const title = nowWords(now.chord, now.section, now.controls) || "Auralis";
    const idle = now.state === "idle" || now.state === "paused" || now.state === "unsupported";
    navigator.mediaSession.playbackState = idle ? "paused" : "playing";
    if (title === shown) return;
    shown = title;
    navigator.mediaSession.metadata = new MediaMetadata({ title, artist: now.station?.title ?? "Auralis" });
  };
}
