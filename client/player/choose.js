import { AudioGraph } from "./graph.js";
import { LATENCY_HINT } from "./patience.js";
import { StreamPlayer } from "./stream-player.js";
import { WorkletOutput } from "./worklet-output.js";

const OPUS_RATE_HZ = 48000;
const PCM_RATE_HZ = 44100;

/**
 * @typedef {"automatic" | "opus" | "pcm16" | "element"} Quality
 * @typedef {"opus" | "wasm" | "pcm"} Source Opus by WebCodecs, Opus by libopus in WebAssembly, or uncompressed
 * @typedef {`${Source}-worklet` | `${Source}-scheduled` | "element" | "none"} PlayerKind
 * @typedef {StreamPlayer | import("./element-player.js").ElementPlayer} Player
 *
 * @typedef {object} Abilities
 * @property {boolean} webAudio
 * @property {boolean} worklet
 * @property {boolean} webCodecs for Opus
 * @property {boolean} wasm
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
  if (!streams) return can.element === null ? "none" : "element";
  const opus = can.webCodecs ? "opus" : can.wasm ? "wasm" : "pcm";
  return `${quality === "pcm16" ? "pcm" : opus}-${can.worklet ? "worklet" : "scheduled"}`;
}

/**
 * The same with the decoder loaded; one that does not come is struck from the abilities.
 *
 * @param {Abilities} can
 * @param {Quality} quality
 * @param {Worker | null} worker
 * @returns {Promise<PlayerKind>}
 */
export async function choosePlayer(can, quality, worker) {
  const kind = chooseKind(can, quality);
  if (worker === null || !kind.startsWith("wasm") || (await workerLoadsWasm(worker))) return kind;
  can.wasm = false;
  return chooseKind(can, quality);
}

/**
 * A decoder has given up: do without it from now on.
 *
 * @param {Abilities} can
 * @param {PlayerKind} kind it gave up in
 * @returns {boolean} whether there was one to do without
 */
export function strikeDecoder(can, kind) {
  if (kind.startsWith("opus")) can.webCodecs = false;
  else if (kind.startsWith("wasm")) can.wasm = false;
  else return false;
  return true;
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
    webCodecs: worker !== null && typeof AudioDecoder !== "undefined" && (await workerDecodesOpus(worker)),
    wasm: typeof WebAssembly !== "undefined",
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

/** @returns {Promise<boolean>} */
function workerLoadsWasm(/** @type {Worker} */ worker) {
  return new Promise((resolve) => {
    worker.onmessage = ({ data }) => {
      if (data.type === "wasm") resolve(data.loaded);
    };
    worker.postMessage({ type: "load-wasm" });
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
 * @param {import("./patience.js").Patience} patience
 * @param {Worker | null} worker
 * @param {import("./stream-player.js").PlayerHandlers} handlers
 * @returns {Promise<Player | null>} null for "none"
 */
export async function buildPlayer(kind, can, patience, worker, handlers) {
  if (kind === "element") {
    const { ElementPlayer } = await import("./element-player.js");
    return new ElementPlayer({ format: can.element ?? "mp3", handlers });
  }
  if (kind === "none" || worker === null) return null;
  const decoder = kind.startsWith("opus") ? "webcodecs" : kind.startsWith("wasm") ? "wasm" : "pcm16";
  const graph = new AudioGraph(decoder === "pcm16" ? PCM_RATE_HZ : OPUS_RATE_HZ, LATENCY_HINT[patience]);
  const output = await (kind.endsWith("scheduled") ? openScheduled(graph, patience) : WorkletOutput.open(graph, patience));
  return new StreamPlayer({ kind, decoder, graph, output, worker, handlers });
}

/**
 * Loaded only where it is needed, like the audio element's player.
 *
 * @param {AudioGraph} graph
 * @param {import("./patience.js").Patience} patience
 */
async function openScheduled(graph, patience) {
  const { ScheduledOutput } = await import("./scheduled-output.js");
  return new ScheduledOutput(graph, patience);
}
