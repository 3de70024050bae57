import { nowWords } from "../model/words.js";

const SILENCE_RATE_HZ = 8000;
/** Browsers show no card for what is shorter than 5 s. */
const SILENCE_SECONDS = 10;

/**
 * Play and pause from the keyboard's media keys, the headphones, the lock screen. Browsers give
 * these to media elements only, so a silent one plays along with Web Audio.
 *
 * @param {import("../model/session.js").Session} session
 * @returns {(now: import("../model/snapshot.js").Snapshot) => void}
 */
export function createMediaSession(session) {
  if (!("mediaSession" in navigator)) return () => {};
  const companion = createCompanion(() => void session.pause());
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
    companion(!idle && now.player !== "element");
    const state = idle ? "paused" : "playing";
    // Each time it is set, another process is told.
    if (navigator.mediaSession.playbackState !== state) navigator.mediaSession.playbackState = state;
    const artist = now.station?.title ?? "Auralis";
    if (shown === artist + title) return;
    shown = artist + title;
    navigator.mediaSession.metadata = new MediaMetadata({ title, artist, album: "Auralis", artwork });
    navigator.mediaSession.setPositionState?.({ duration: Infinity }); // Not the ten seconds of the silent one.
  };
}

/**
 * @param {() => void} takenAway the system has paused it: a call, another app
 * @returns {(plays: boolean) => void} to be called within the gesture
 */
function createCompanion(takenAway) {
  const audio = new Audio();
  audio.loop = true;
  let playing = false;
  audio.addEventListener("pause", () => {
    if (playing) takenAway();
  });
  return (plays) => {
    if (plays === playing) return;
    playing = plays;
    if (!plays) return audio.pause();
    if (audio.src === "") audio.src = URL.createObjectURL(silence());
    audio.play().catch(() => undefined); // Not allowed to sound by itself: then without keys.
  };
}

/** A WAV file of 8-bit mono. */
function silence() {
  const frames = SILENCE_RATE_HZ * SILENCE_SECONDS;
  const [riff, wave, fmt, data] = [0x46464952, 0x45564157, 0x20746d66, 0x61746164];
  const head = [riff, 36 + frames, wave, fmt, 16, 0x10001, SILENCE_RATE_HZ, SILENCE_RATE_HZ, 0x80001, data, frames];
  return new Blob([Uint32Array.from(head), new Uint8Array(frames).fill(128)], { type: "audio/wav" });
}
