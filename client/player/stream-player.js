import { PROGRAMME_RATE_HZ } from "../protocol.js";

/** A warming server is up to a second ahead of its own clock: so much further back it is asked. */
const REACH_BACK_SECONDS = 1.3;
/** History asked for beyond the least in hand: a packet, and the way from the server. What is too much is not played. */
const HEAD_START_MARGIN_SECONDS = 0.14;

/**
 * @typedef {import("../protocol.js").Place} Place
 * @typedef {import("./worklet-output.js").OutputStatus} OutputStatus
 *
 * @typedef {object} PlayerHandlers
 * @property {(status: import("../net/link.js").LinkStatus) => void} onLink
 * @property {(message: any) => void} onMessage JSON that came beside the audio
 * @property {(status: OutputStatus) => void} onOutput
 * @property {(reason: string) => void} onFailure this kind of player cannot go on here
 * @property {() => void} onInterruption the system took the sound away (a call, another app)
 */

/**
 * Plays a station through Web Audio: network worker -> port -> output (worklet or scheduled).
 */
export class StreamPlayer {
  carriesMessages = true;

  /**
   * @param {object} options
   * @param {Exclude<import("./choose.js").PlayerKind, "element" | "none">} options.kind
   * @param {import("../net/network-worker.js").Decoder} options.decoder
   * @param {import("./graph.js").AudioGraph} options.graph
   * @param {import("./worklet-output.js").WorkletOutput | import("./scheduled-output.js").ScheduledOutput} options.output
   * @param {Worker} options.worker
   * @param {PlayerHandlers} options.handlers
   */
  constructor({ kind, decoder, graph, output, worker, handlers }) {
    this.kind = kind;
    this.decoder = decoder;
    this.graph = graph;
    this.output = output;
    this.worker = worker;
    this.handlers = handlers;
    this.wanted = false;
    this.running = false;
    /** Which of the last starts and stops counts. */
    this.turn = 0;
    /** @type {Promise<void>} */
    this.stopped = Promise.resolve();
    /** @type {OutputStatus | null} */
    this.latest = null;
    /** Due time on the server's clock of one place in the stream. @type {{epoch: number, position: number, dueSeconds: number} | null} */
    this.clock = null;
    output.onStatus = (status) => {
      this.latest = status;
      handlers.onOutput(status);
    };
    graph.context.onstatechange = () => {
      if (graph.context.state === "running") this.running = true;
      else if (this.running && this.wanted) handlers.onInterruption();
    };
    worker.onmessage = (event) => this.#hear(event.data);
  }

  /**
   * Call it within the gesture.
   *
   * @param {string | null} stationId
   * @param {Place | null} live where the station is now: the buffer is filled from just before
   * @param {string | null} listen the link that lets us listen, where one is needed
   */
  async start(stationId, live, listen) {
    this.wanted = true;
    this.turn += 1;
    const turn = this.turn;
    await this.stopped;
    if (turn !== this.turn) return;
    const headStartSeconds = this.output.leastSeconds + HEAD_START_MARGIN_SECONDS;
    const channel = new MessageChannel();
    this.output.feed(channel.port2);
    const order = {
      type: "start",
      pageUrl: location.href,
      stationId,
      listen,
      decoder: this.decoder,
      outputRateHz: this.graph.context.sampleRate,
      headStartSeconds,
      resumeAt: live && { ...live, position: live.position - (headStartSeconds + REACH_BACK_SECONDS) * PROGRAMME_RATE_HZ },
      port: channel.port1,
    };
    this.worker.postMessage(order, [channel.port1]);
    this.graph.open().catch((/** @type {Error} */ error) => this.handlers.onFailure(error.message));
  }

  /** Fade out, then let go of the stream; a start meanwhile waits for the end of it. */
  stop() {
    this.wanted = false;
    this.turn += 1;
    this.stopped = this.stopped.then(() => this.#windDown());
    return this.stopped;
  }

  async #windDown() {
    this.output.hush();
    await this.graph.fadeOut();
    this.worker.postMessage({ type: "stop" });
    await this.output.empty();
    this.latest = null;
    this.running = false;
    await this.graph.context.suspend();
  }

  retryNow() {
    this.worker.postMessage({ type: "retry" });
  }

  /** @param {string} listen the link of connections to come */
  invite(listen) {
    this.worker.postMessage({ type: "invite", listen });
  }

  /** @param {object} message */
  send(message) {
    this.worker.postMessage({ type: "send", message });
  }

  /** @param {number} gain linear */
  setVolume(gain) {
    this.graph.setVolume(gain);
  }

  /** @param {{startsInSeconds: number, endsInSeconds: number} | null} fade */
  scheduleSleep(fade) {
    this.graph.scheduleSleep(fade);
  }

  bands() {
    return this.graph.bands();
  }

  /** What reaches the ear now. @returns {Place | null} */
  heard() {
    const status = this.latest;
    if (status === null || status.place === null || status.phase !== "playing") return null;
    const ageSeconds = this.graph.context.currentTime - status.contextSeconds - this.graph.outputLatencySeconds;
    return { epoch: status.place.epoch, position: status.place.position + ageSeconds * PROGRAMME_RATE_HZ };
  }

  /**
   * Seconds from due time to the ear.
   *
   * @param {number} serverNowSeconds the server's monotonic clock, as estimated
   * @returns {number | null}
   */
  latencySeconds(serverNowSeconds) {
    const heard = this.heard();
    if (heard === null || this.clock === null || this.clock.epoch !== heard.epoch) return null;
    const dueSeconds = this.clock.dueSeconds + (heard.position - this.clock.position) / PROGRAMME_RATE_HZ;
    return serverNowSeconds - dueSeconds;
  }

  /** @param {import("../net/network-worker.js").FromWorker} message */
  #hear(message) {
    if (message.type === "link") this.handlers.onLink(message.status);
    else if (message.type === "message") this.handlers.onMessage(message.message);
    else if (message.type === "clock") this.clock = message;
    else if (message.type === "decoder-failed") this.handlers.onFailure(message.reason);
  }
}
