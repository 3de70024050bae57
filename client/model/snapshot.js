import { PROGRAMME_RATE_HZ } from "../protocol.js";
import { stateName } from "./state.js";

/**
 * @typedef {object} Snapshot
 * @property {import("./state.js").StateName} state
 * @property {number | null} retryInSeconds
 * @property {import("../player/choose.js").PlayerKind | null} player null until it is chosen
 * @property {import("../protocol.js").Station | null} station
 * @property {import("../protocol.js").Controls | null} controls as served
 * @property {import("../protocol.js").Chord | null} chord
 * @property {import("../protocol.js").Chord | null} nextChord
 * @property {import("../protocol.js").Section | null} section
 * @property {number | null} nextChordInSeconds to the ear
 * @property {number} listeners
 * @property {"unknown" | "open" | "locked"} rights
 * @property {boolean} hasLink whether there is a link to listen, good or not
 * @property {import("../protocol.js").Preset[]} presets those of the house
 * @property {number} volumePercent
 * @property {boolean} muted
 * @property {number} bufferShare 0 to 1 of what the buffer should hold
 * @property {number | null} listenedSeconds since music began; null while none does
 * @property {number | null} sleepInSeconds
 * @property {number} sleepMinutes as chosen, 0 for off
 * @property {{latencySeconds: number | null, bufferedSeconds: number, underruns: number, splices: number,
 *   driftPpm: number | null, outputRateHz: number | null, serverVersion: string | null}} details
 */

/**
 * Everything the page shows, at this moment.
 *
 * @param {import("./session.js").Session} session
 * @returns {Snapshot}
 */
export function takeSnapshot(session) {
  const { facts, sounds, output, sleepTimer } = session;
  const nowMs = performance.now();
  const here = session.here();
  const next = sounds?.next_chord ?? null;
  const listened = facts.heardOnce && facts.wanted;
  return {
    state: stateName({ ...facts, station: session.station?.state ?? null }),
    retryInSeconds: facts.link === "waiting" ? Math.max(0, (session.retryAtMs - nowMs) / 1000) : null,
    player: session.kind,
    station: session.station,
    controls: session.desk.served,
    chord: sounds?.chord ?? null,
    nextChord: next,
    section: sounds?.section ?? null,
    nextChordInSeconds: next && here ? Math.max(0, (next.position - here.position) / PROGRAMME_RATE_HZ) : null,
    listeners: session.listeners,
    rights: session.rights.state,
    hasLink: session.invitation.token !== null,
    presets: session.presets,
    volumePercent: session.settings.volumePercent,
    muted: session.muted,
    bufferShare: session.bufferShare,
    listenedSeconds: listened ? (nowMs - session.playingSinceMs) / 1000 : null,
    sleepInSeconds: sleepTimer.remainingSeconds(Date.now()),
    sleepMinutes: sleepTimer.minutes,
    details: {
      latencySeconds: session.latencySeconds(),
      bufferedSeconds: output?.bufferedSeconds ?? 0,
      underruns: output?.underruns ?? 0,
      splices: output?.splices ?? 0,
      driftPpm: output?.driftPpm ?? null,
      outputRateHz: session.outputRateHz(),
      serverVersion: session.serverVersion,
    },
  };
}
