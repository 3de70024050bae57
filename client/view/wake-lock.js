const AGAIN_MS = 30_000;

/**
 * Keeps the screen on while music plays, for who asked for it. The system takes the lock away when
 * the page is hidden, so it is asked for again whenever it is wanted and missing.
 *
 * @param {() => boolean} chosen
 * @returns {(now: import("../model/snapshot.js").Snapshot) => void}
 */
export function createWakeLock(chosen) {
  /** @type {WakeLockSentinel | null} */
  let lock = null;
  let asking = false;
  let askedAtMs = -Infinity;

  async function take() {
    asking = true;
    askedAtMs = performance.now();
    try {
      lock = await navigator.wakeLock.request("screen");
      askedAtMs = -Infinity;
    } catch {
      // Refused, as with an empty battery: later again.
    }
    asking = false;
  }

  return (now) => {
    if (!("wakeLock" in navigator) || asking) return;
    if (lock?.released) lock = null;
    const plays = now.state !== "idle" && now.state !== "paused" && now.state !== "unsupported";
    const wanted = plays && chosen() && document.visibilityState === "visible";
    if (wanted && lock === null && performance.now() - askedAtMs > AGAIN_MS) void take();
    if (!wanted && lock !== null) {
      void lock.release();
      lock = null;
    }
  };
}
