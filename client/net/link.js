import { CLOSE_FULL, CLOSE_STOPPING, CLOSE_UNINVITED } from "../protocol.js";
import { Backoff } from "./backoff.js";

const PING_EVERY_MS = 5_000;
/** Nothing heard for this long: the network is gone, whatever the socket says. */
const SILENCE_MS = 12_000;
/** A connection that lasted so long was a good one: the next wait starts small again. */
const STABLE_MS = 3_000;
const FULL_RETRY_MS = 20_000;
const STOPPING_RETRY_MS = 1_000;
const UNINVITED_RETRY_MS = 60_000;

/** @type {Record<number, LossCause>} */
const CAUSES = { [CLOSE_FULL]: "full", [CLOSE_STOPPING]: "stopping", [CLOSE_UNINVITED]: "uninvited" };

/**
 * @typedef {"connecting" | "open" | "waiting" | "closed"} LinkPhase
 * @typedef {"lost" | "full" | "stopping" | "uninvited"} LossCause
 * @typedef {{phase: LinkPhase, cause: LossCause | null, retryInMs: number}} LinkStatus
 *
 * @typedef {object} LinkHandlers
 * @property {(status: LinkStatus) => void} onStatus
 * @property {(message: any) => void} onMessage JSON, `hello` first
 * @property {(buffer: ArrayBuffer) => void} [onPacket]
 * @property {(serverSeconds: number, roundTripSeconds: number) => void} [onPong]
 */

/**
 * One WebSocket that comes back: backoff with jitter, the server's own wishes heeded, a silent
 * connection noticed. Runs in the page and in the network worker alike.
 */
export class Link {
  /**
   * @param {object} options
   * @param {() => string} options.address asked anew for each attempt, so that it can resume
   * @param {string[]} options.subprotocols
   * @param {LinkHandlers} options.handlers
   */
  constructor({ address, subprotocols, handlers }) {
    this.address = address;
    this.subprotocols = subprotocols;
    this.handlers = handlers;
    this.backoff = new Backoff();
    /** @type {WebSocket | null} */
    this.socket = null;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.retryTimer = undefined;
    /** @type {ReturnType<typeof setInterval> | undefined} */
    this.pingTimer = undefined;
    this.heardAt = 0;
    this.openedAt = 0;
    this.wanted = false;
    /** @type {{retry_ms?: number} | null} */
    this.farewell = null;
  }

  open() {
    if (this.wanted) return;
    this.wanted = true;
    this.backoff.reset();
    this.#connect();
  }

  close() {
    this.wanted = false;
    this.#forget();
    this.handlers.onStatus({ phase: "closed", cause: null, retryInMs: 0 });
  }

  /** Do not wait out the backoff: the network came back, or somebody asked. */
  retryNow() {
    if (!this.wanted || this.socket !== null) return;
    clearTimeout(this.retryTimer);
    this.#connect();
  }

  /**
   * @param {object} message
   * @returns {boolean} false when there is no connection to send it on
   */
  send(message) {
    if (this.socket === null || this.socket.readyState !== WebSocket.OPEN) return false;
    this.socket.send(JSON.stringify(message));
    return true;
  }

  #connect() {
    this.farewell = null;
    const socket = new WebSocket(this.address(), this.subprotocols);
    socket.binaryType = "arraybuffer";
    this.socket = socket;
    this.heardAt = performance.now();
    this.openedAt = Infinity;
    this.pingTimer = setInterval(() => this.#attend(), PING_EVERY_MS);
    this.handlers.onStatus({ phase: "connecting", cause: null, retryInMs: 0 });
    socket.onmessage = (event) => this.#receive(event.data);
    socket.onclose = (event) => this.#lost(event.code);
  }

  /** @param {ArrayBuffer | string} data */
  #receive(data) {
    this.heardAt = performance.now();
    if (typeof data !== "string") {
      this.handlers.onPacket?.(data);
      return;
    }
    const message = JSON.parse(data);
    if (message.type === "pong") {
      this.handlers.onPong?.(message.server_time, (performance.now() - message.client_time) / 1000);
      return;
    }
    if (message.type === "bye") this.farewell = message;
    if (message.type === "hello" && this.openedAt === Infinity) {
      this.openedAt = performance.now();
      this.handlers.onStatus({ phase: "open", cause: null, retryInMs: 0 });
    }
    this.handlers.onMessage(message);
    if (message.type === "hello") this.#ping();
  }

  #attend() {
    if (performance.now() - this.heardAt > SILENCE_MS) this.#lost(0);
    else this.#ping();
  }

  #ping() {
    this.send({ type: "ping", client_time: performance.now() });
  }

  /** @param {number} code */
  #lost(code) {
    if (performance.now() - this.openedAt > STABLE_MS) this.backoff.reset();
    const farewell = this.farewell;
    this.#forget();
    const cause = CAUSES[code] ?? "lost";
    const usual = { full: FULL_RETRY_MS, stopping: STOPPING_RETRY_MS, uninvited: UNINVITED_RETRY_MS, lost: 0 }[cause];
    const retryInMs = this.backoff.next(farewell?.retry_ms ?? usual);
    this.handlers.onStatus({ phase: "waiting", cause, retryInMs });
    this.retryTimer = setTimeout(() => this.#connect(), retryInMs);
  }

  #forget() {
    clearTimeout(this.retryTimer);
    clearInterval(this.pingTimer);
    if (this.socket === null) return;
    this.socket.onmessage = null;
    this.socket.onclose = null;
    this.socket.close();
    this.socket = null;
  }
}
