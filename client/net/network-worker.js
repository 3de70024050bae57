// The network's own thread: socket, decoder, and a port straight to whatever plays.
// A page busy with something else cannot make the music stumble.
import { PROGRAMME_RATE_HZ, SUBPROTOCOL, streamUrl } from "../protocol.js";
import { Feed } from "./feed.js";
import { Link } from "./link.js";
import { OpusDecoder, canDecodeOpus } from "./opus.js";

const CLOCK_EVERY_PROGRAMME_FRAMES = PROGRAMME_RATE_HZ;

/**
 * @typedef {"webcodecs" | "wasm" | "pcm16"} Decoder
 * @typedef {{type: "start", pageUrl: string, stationId: string | null, listen: string | null, decoder: Decoder,
 *   outputRateHz: number, headStartSeconds: number,
 *   resumeAt: import("../protocol.js").Place | null, port: MessagePort}} Start
 * @typedef {Start | {type: "stop"} | {type: "retry"} | {type: "probe"} | {type: "load-wasm"}
 *   | {type: "invite", listen: string}
 *   | {type: "send", message: object}} ToWorker
 * @typedef {{type: "link", status: import("./link.js").LinkStatus}
 *   | {type: "message", message: any}
 *   | {type: "clock", epoch: number, position: number, dueSeconds: number}
 *   | {type: "decoder-failed", reason: string}
 *   | {type: "codecs", opus: boolean}
 *   | {type: "wasm", loaded: boolean}} FromWorker
 */

/** @type {Link | null} */
let link = null;
/** @type {Feed | null} */
let feed = null;

/** The link that lets us listen, where one is needed. @type {string | null} */
let listen = null;

/** Set where the page has asked for it. @type {((options: import("./opus.js").DecoderOptions) => import("./feed.js").Decoder) | null} */
let openWasm = null;

/** @param {FromWorker} message */
const report = (message) => self.postMessage(message);

self.onmessage = async (/** @type {MessageEvent<ToWorker>} */ { data }) => {
  if (data.type === "start") start(data);
  else if (data.type === "stop") stop();
  else if (data.type === "retry") link?.retryNow();
  else if (data.type === "invite") listen = data.listen;
  else if (data.type === "send") link?.send(data.message);
  else if (data.type === "probe") report({ type: "codecs", opus: await canDecodeOpus() });
  else if (data.type === "load-wasm") report({ type: "wasm", loaded: await loadWasm() });
};

/** Loaded only where WebCodecs is missing. */
async function loadWasm() {
  try {
    const { WasmOpusDecoder, loadLibopus } = await import("./wasm-opus.js");
    const libopus = await loadLibopus();
    openWasm = (options) => new WasmOpusDecoder(libopus, options);
    return true;
  } catch {
    return false;
  }
}

/** @param {Start} order */
function start(order) {
  stop();
  const port = order.port;
  listen = order.listen;
  const source = new Feed({
    outputRateHz: order.outputRateHz,
    headStartSeconds: order.headStartSeconds,
    emit: (chunk) => port.postMessage(chunk, transferables(chunk)),
    fail: (error) => report({ type: "decoder-failed", reason: error.message }),
    openDecoder: (order.decoder === "wasm" ? openWasm : null) ?? ((options) => new OpusDecoder(options)),
  });
  let clockDue = -Infinity;
  let clockEpoch = -1;
  feed = source;
  link = new Link({
    address: () => streamUrl(order.pageUrl, order.stationId, source.next ?? order.resumeAt, listen),
    subprotocols: [SUBPROTOCOL[order.decoder === "pcm16" ? "pcm16" : "opus"]],
    handlers: {
      onStatus: (status) => {
        if (status.phase === "connecting") source.reconnected();
        report({ type: "link", status });
      },
      onMessage: (message) => {
        if (message.type === "hello") source.greet(message);
        report({ type: "message", message });
      },
      onPong: (serverSeconds, roundTripSeconds) => source.tellTime(serverSeconds, roundTripSeconds),
      onPacket: (buffer) => {
        const { epoch, position, dueSeconds } = source.take(buffer);
        if (epoch === clockEpoch && position < clockDue) return;
        clockEpoch = epoch;
        clockDue = position + CLOCK_EVERY_PROGRAMME_FRAMES;
        report({ type: "clock", epoch, position, dueSeconds });
      },
    },
  });
  link.open();
}

function stop() {
  link?.close();
  feed?.close();
  link = null;
  feed = null;
}

/** @param {import("../player/playout.js").Chunk} chunk */
function transferables(chunk) {
  return [.../** @type {Set<ArrayBuffer>} */ (new Set([chunk.left.buffer, chunk.right.buffer]))];
}
