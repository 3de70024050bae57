/**
 * @typedef {"idle" | "connecting" | "warming-up" | "playing" | "rebuffering" | "reconnecting"
 *   | "paused" | "full" | "stopped" | "uninvited" | "unsupported"} StateName
 *
 * @typedef {object} Facts
 * @property {boolean} supported  some player works here
 * @property {boolean} invited    the server lets us listen
 * @property {boolean} wanted     the listener asked for music
 * @property {boolean} sounding   frames leave the buffer
 * @property {boolean} heardOnce  music was heard since it was asked for
 * @property {boolean} playedBefore music was heard at all on this visit
 * @property {import("../net/link.js").LinkPhase} link
 * @property {import("../net/link.js").LossCause | null} cause why the link was last lost
 * @property {string | null} station the station's own state
 */

/**
 * One name for how things stand.
 *
 * @param {Facts} facts
 * @returns {StateName}
 */
export function stateName(facts) {
  if (!facts.supported) return "unsupported";
  if (!facts.invited && !(facts.wanted && facts.link === "open")) return "uninvited"; // What has begun goes on.
  if (!facts.wanted) return facts.playedBefore ? "paused" : "idle";
  if (facts.link !== "open") {
    if (facts.cause === "full") return "full";
    if (facts.cause === "stopping") return "stopped";
    return facts.heardOnce || facts.cause !== null ? "reconnecting" : "connecting";
  }
  if (facts.sounding) return "playing";
  if (facts.station === "warming_up") return "warming-up";
  return facts.heardOnce ? "rebuffering" : "connecting";
}
