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
  const stop = () => void session.pause();
  try {
    navigator.mediaSession.setActionHandler("stop", stop);
  } catch {
    // Not every browser knows it.
  }
  const artwork = [192, 512].map((side) => ({ src: `/client/icons/${side}.png`, sizes: `${side}x${side}`, type: "image/png" }));
  let shown = "";
  return (now) => {
    const title = nowWords(now.chord, now.section, now.controls) || "Auralis";
    const idle = now.state === "idle" || now.state === "paused" || now.state === "unsupported";
    navigator.mediaSession.playbackState = idle ? "paused" : "playing";
    const artist = now.station?.title ?? "Auralis";
    if (shown === artist + title) return;
    shown = artist + title;
    navigator.mediaSession.metadata = new MediaMetadata({ title, artist, album: "Auralis", artwork });
  };
}
