import { AudioGraph } from "./graph.js";
import { StreamPlayer } from "./stream-player.js";
import { WorkletOutput } from "./worklet-output.js";

const OPUS_RATE_HZ = 48000;
const PCM_RATE_HZ = 44100;

/**
 * @typedef {"automatic" | "opus" | "pcm16" | "element"} Quality
 * @typedef {"opus-worklet" | "pcm-worklet" | "scheduled" | "element" | "none"} PlayerKind
 * @typedef {StreamPlayer | import("./element-player.js").ElementPlayer} Player
 *
 * @typedef {object} Abilities
 * @property {boolean} webAudio
 * @property {boolean} worklet
 * @property {boolean} opusDecoder
 * @property {boolean} worker
 * @property {"opus" | "mp3" | null} element what the audio element can play
 */

/**
 * The best player for this browser at this address.
 *
 * @param {Abilities} can
 * @param {Quality} quality the listener's wish, followed where possible
 * @returns {PlayerKind}
 */
export function chooseKind(can, quality) {
  const streams = can.webAudio && can.worker;
  if (quality === "element" && can.element !== null) return "element";
  if (streams && can.worklet) return can.opusDecoder && quality !== "pcm16" ? "opus-worklet" : "pcm-worklet";
  if (streams) return "scheduled";
  return can.element === null ? "none" : "element";
}

/** What this browser can do at this address. @returns {Promise<Abilities>} */
export async function surveyAbilities(/** @type {Worker | null} */ worker) {
  const audio = document.createElement("audio");
  const webAudio = typeof AudioContext !== "undefined";
  const opus = audio.canPlayType('audio/ogg; codecs="opus"') !== "";
  const mp3 = audio.canPlayType("audio/mpeg") !== "";
  return {
    webAudio,
    worklet: webAudio && typeof AudioWorkletNode !== "undefined" && window.isSecureContext,
    opusDecoder: worker !== null && window.isSecureContext && (await workerDecodesOpus(worker)),
    worker: worker !== null && typeof WebSocket !== "undefined",
    element: opus ? "opus" : mp3 ? "mp3" : null,
  };
}

/** The worker does the decoding, so the worker is asked. */
function workerDecodesOpus(/** @type {Worker} */ worker) {
  return new Promise((resolve) => {
    worker.onmessage = ({ data }) => {
      if (data.type === "codecs") resolve(data.opus);
    };
    worker.onerror = () => resolve(false);
    worker.postMessage({ type: "probe" });
  });
}

/** @returns {Worker | null} null where module workers do not exist */
export function openWorker() {
  try {
    return new Worker(new URL("../net/network-worker.js", import.meta.url), { type: "module", name: "network" });
  } catch {
    return null;
  }
}

/**
 * Build the player, everything loaded, so that the tap has only the stream left to open.
 *
 * @param {PlayerKind} kind
 * @param {Abilities} can
 * @param {Worker | null} worker
 * @param {import("./stream-player.js").PlayerHandlers} handlers
 * @returns {Promise<Player | null>} null for "none"
 */
export async function buildPlayer(kind, can, worker, handlers) {
  if (kind === "element") {
    const { ElementPlayer } = await import("./element-player.js");
    return new ElementPlayer({ format: can.element ?? "mp3", handlers });
  }
  if (kind === "none" || worker === null) return null;
  const codec = kind === "opus-worklet" ? "opus" : "pcm16";
  const graph = new AudioGraph(codec === "opus" ? OPUS_RATE_HZ : PCM_RATE_HZ);
  const output = kind === "scheduled" ? await openScheduled(graph) : await WorkletOutput.open(graph);
  return new StreamPlayer({ kind, codec, graph, output, worker, handlers });
}

/** Loaded only where it is needed, like the audio element's player. @param {AudioGraph} graph */
async function openScheduled(graph) {
  const { ScheduledOutput } = await import("./scheduled-output.js");
  return new ScheduledOutput(graph);
}
