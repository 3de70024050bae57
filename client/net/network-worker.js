// The network's own thread: socket, decoder, and a port straight to whatever plays.
// A page busy with something else cannot make the music stumble.
import { PROGRAMME_RATE_HZ, SUBPROTOCOL, streamUrl } from "../protocol.js";
import { Feed } from "./feed.js";
import { Link } from "./link.js";
import { canDecodeOpus } from "./opus.js";

const CLOCK_EVERY_PROGRAMME_FRAMES = PROGRAMME_RATE_HZ;

/**
 * @typedef {{type: "start", pageUrl: string, stationId: string | null, codec: "opus" | "pcm16",
 *   outputRateHz: number, headStartSeconds: number,
 *   resumeAt: import("../protocol.js").Place | null, port: MessagePort}} Start
 * @typedef {Start | {type: "stop"} | {type: "retry"} | {type: "probe"} | {type: "send", message: object}} ToWorker
 * @typedef {{type: "link", status: import("./link.js").LinkStatus}
 *   | {type: "message", message: any}
 *   | {type: "clock", epoch: number, position: number, dueSeconds: number}
 *   | {type: "decoder-failed", reason: string}
 *   | {type: "codecs", opus: boolean}} FromWorker
 */

/** @type {Link | null} */
let link = null;
/** @type {Feed | null} */
let feed = null;

/** @param {FromWorker} message */
const report = (message) => self.postMessage(message);

self.onmessage = async (/** @type {MessageEvent<ToWorker>} */ { data }) => {
  if (data.type === "start") start(data);
  else if (data.type === "stop") stop();
  else if (data.type === "retry") link?.retryNow();
  else if (data.type === "send") link?.send(data.message);
  else if (data.type === "probe") report({ type: "codecs", opus: await canDecodeOpus() });
};

/** @param {Start} order */
function start(order) {
  stop();
  const port = order.port;
  const source = new Feed({
    outputRateHz: order.outputRateHz,
    headStartSeconds: order.headStartSeconds,
    emit: (chunk) => port.postMessage(chunk, transferables(chunk)),
    fail: (error) => report({ type: "decoder-failed", reason: error.message }),
  });
  let clockDue = -Infinity;
  let clockEpoch = -1;
  feed = source;
  link = new Link({
    address: () => streamUrl(order.pageUrl, order.stationId, source.next ?? order.resumeAt),
    subprotocols: [SUBPROTOCOL[order.codec]],
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
