import { PROGRAMME_RATE_HZ } from "../protocol.js";
import { LEAST_SECONDS } from "./patience.js";
import { Playout } from "./playout.js";

/** Sound handed to the browser ahead of its time: what the page may be busy for unnoticed. */
const LOOKAHEAD_SECONDS = 0.24;
/** More than the audio thread needs: a page is late itself. */
const MAIN_THREAD_SECONDS = 0.1;
/** Of a buffer without a row this much would be in hand: what the row holds comes on top of it. */
const FLOOR_SECONDS = LOOKAHEAD_SECONDS + 0.05;
const BLOCK_SECONDS = 0.05;
/** The row is this long at least: while it is longer, a thin buffer waits for what is still to come. */
const URGENT_SECONDS = 0.18;
/** Sound is rendered this much ahead of the clock that the page reads: later than that nothing can be taken back. */
const RENDERED_AHEAD_SECONDS = 0.03;
const LEAD_SECONDS = 0.05;
const EDGE_SECONDS = 0.02;
const TICK_MS = 40;

/** @typedef {import("./worklet-output.js").OutputStatus} OutputStatus */

/**
 * Sound as a row of AudioBuffers, each started on the frame where the one before ends: for origins
 * without encryption, where browsers keep the AudioWorklet back. The same playout decides what is
 * heard; a fade is always scheduled at the end of the row and taken back when the row grows, so
 * that even a page that hangs goes quiet softly.
 */
export class ScheduledOutput {
  /**
   * @param {import("./graph.js").AudioGraph} graph
   * @param {import("./patience.js").Patience} patience
   */
  constructor(graph, patience) {
    this.graph = graph;
    this.context = graph.context;
    this.rateHz = graph.context.sampleRate;
    this.leastSeconds = LOOKAHEAD_SECONDS + MAIN_THREAD_SECONDS + LEAST_SECONDS[patience];
    this.blockFrames = Math.round(BLOCK_SECONDS * this.rateHz);
    this.edge = this.context.createGain();
    this.edge.gain.value = 0;
    this.edge.connect(graph.input);
    /** Frame of the context's clock where the row ends; null while there is none. @type {number | null} */
    this.endFrame = null;
    this.busyUntilFrame = 0;
    this.lateStarts = 0;
    /** @type {(status: OutputStatus) => void} */
    this.onStatus = () => {};
    /** @type {MessagePort | null} */
    this.port = null;
    /** @type {ReturnType<typeof setInterval> | undefined} */
    this.timer = undefined;
    this.playout = this.#emptyPlayout();
  }

  /** @param {MessagePort} port chunks come here from now on */
  feed(port) {
    this.hush();
    this.playout = this.#emptyPlayout();
    this.lateStarts = 0;
    this.port = port;
    port.onmessage = (event) => {
      this.playout.push(event.data, this.context.currentTime * this.rateHz);
      this.#advance();
    };
    this.timer = setInterval(() => this.#advance(), TICK_MS);
  }

  /** Before the fade to a pause: the row ends where it ends, and nothing new begins before that. */
  hush() {
    clearInterval(this.timer);
    this.port?.close();
    this.port = null;
    this.busyUntilFrame = this.endFrame ?? this.busyUntilFrame;
    this.endFrame = null;
  }

  /** After it: nothing is left, for the fade is longer than the row. */
  async empty() {}

  #advance() {
    if (this.context.state !== "running") return;
    const now = this.context.currentTime;
    if (this.endFrame !== null && this.endFrame / this.rateHz - EDGE_SECONDS < now + RENDERED_AHEAD_SECONDS) {
      // Too late: the fade at the row's end has begun. Let it end, and begin a new row.
      this.endFrame = null;
      if (this.playout.phase === "playing") this.lateStarts += 1;
    }
    const horizon = (now + LOOKAHEAD_SECONDS) * this.rateHz;
    const urgent = (now + URGENT_SECONDS) * this.rateHz;
    while ((this.endFrame ?? now * this.rateHz) < horizon) {
      if (this.endFrame !== null && this.endFrame > urgent && this.playout.isShortOf(this.blockFrames)) break;
      if (!this.#scheduleBlock(now)) break;
    }
    const status = this.playout.status();
    const endSeconds = this.endFrame === null ? now : this.endFrame / this.rateHz;
    this.onStatus({
      ...status,
      bufferedSeconds: status.bufferedSeconds + endSeconds - now,
      underruns: status.underruns + this.lateStarts,
      contextSeconds: endSeconds,
    });
  }

  /**
   * @param {number} now
   * @returns {boolean} false when there is nothing to play
   */
  #scheduleBlock(now) {
    const wasPlaying = this.playout.phase === "playing";
    const soonest = Math.max(Math.ceil((now + LEAD_SECONDS) * this.rateHz), this.busyUntilFrame);
    const startFrame = this.endFrame ?? soonest;
    const buffer = this.context.createBuffer(2, this.blockFrames, this.rateHz);
    this.playout.pull(buffer.getChannelData(0), buffer.getChannelData(1), startFrame);
    if (!wasPlaying && this.playout.phase === "filling") return false;
    const source = this.context.createBufferSource();
    source.buffer = buffer;
    source.connect(this.edge);
    source.start(startFrame / this.rateHz);
    this.#moveEdge(startFrame);
    return true;
  }

  /** Take back the fade at the row's old end and lay it at the new one. */
  #moveEdge(/** @type {number} */ startFrame) {
    const gain = this.edge.gain;
    const startSeconds = startFrame / this.rateHz;
    if (this.endFrame === null) {
      gain.setValueAtTime(0, startSeconds);
      gain.linearRampToValueAtTime(1, startSeconds + EDGE_SECONDS);
    } else {
      gain.cancelScheduledValues(startSeconds - EDGE_SECONDS - 1e-4);
    }
    this.endFrame = startFrame + this.blockFrames;
    const endSeconds = this.endFrame / this.rateHz;
    gain.setValueAtTime(1, endSeconds - EDGE_SECONDS);
    gain.linearRampToValueAtTime(0, endSeconds);
  }

  #emptyPlayout() {
    return new Playout({
      rateHz: this.rateHz,
      programmeRateHz: PROGRAMME_RATE_HZ,
      leastSeconds: this.leastSeconds,
      floorSeconds: FLOOR_SECONDS,
    });
  }
}
