import { Resampler } from "../player/resampler.js";
import { CODEC_OPUS, FLAG_LAST, PROGRAMME_RATE_HZ, programmeFrames, readPacket } from "../protocol.js";
import { OpusDecoder } from "./opus.js";
import { decodePcm16 } from "./pcm.js";

/** A server sends ahead of time by at most about a second, and its history is short; more is a clock that is wrong. */
const LONGEST_LEAD_SECONDS = 1.5;
const LONGEST_LAG_SECONDS = 30;
/** Before the first history that is played, this much is decoded and thrown away: Opus needs it to find its feet. */
const PREROLL_SECONDS = 0.08;

/**
 * @typedef {import("../player/playout.js").Chunk} Chunk
 * @typedef {{place: import("../protocol.js").Place, joins: boolean, last: boolean, live: boolean,
 *   leadSeconds: number, silent: boolean}} Tag
 * @typedef {OpusDecoder | import("./wasm-opus.js").WasmOpusDecoder} Decoder
 */

/**
 * From packets to chunks: drops what is too old or already had, notes where the stream jumped,
 * decodes, and resamples when the sound card has another rate.
 */
export class Feed {
  /**
   * @param {object} options
   * @param {number} options.outputRateHz
   * @param {number} options.headStartSeconds of the history, what is due no longer ago than this is
   *   played: it fills the buffer at once
   * @param {() => number} [options.nowSeconds]
   * @param {(chunk: Chunk) => void} options.emit
   * @param {(error: Error) => void} options.fail when the decoder gives up
   * @param {(options: import("./opus.js").DecoderOptions) => Decoder} [options.openDecoder]
   */
  constructor({
    outputRateHz,
    headStartSeconds,
    emit,
    fail,
    nowSeconds = () => performance.now() / 1000,
    openDecoder = (options) => new OpusDecoder(options),
  }) {
    this.openDecoder = openDecoder;
    this.nowSeconds = nowSeconds;
    this.outputRateHz = outputRateHz;
    this.headStartSeconds = headStartSeconds;
    this.emit = emit;
    this.fail = fail;
    /** Where the next packet should begin: what to resume at. @type {import("../protocol.js").Place | null} */
    this.next = null;
    this.payloadRateHz = PROGRAMME_RATE_HZ;
    this.preSkip = 0;
    this.livePosition = 0;
    /** What the server's clock is ahead of ours, and how far that may be wrong. */
    this.offsetSeconds = 0;
    this.doubtSeconds = Infinity;
    this.warmingUntil = 0;
    this.owesJoin = true;
    this.freshConnection = true;
    /** @type {Decoder | null} */
    this.opus = null;
    /** @type {Resampler | null} */
    this.resampler = null;
  }

  /** @param {import("../protocol.js").Hello} hello */
  greet(hello) {
    this.payloadRateHz = hello.sample_rate;
    this.preSkip = hello.pre_skip;
    this.livePosition = hello.live_position;
    this.doubtSeconds = Infinity;
    this.offsetSeconds = hello.server.monotonic_seconds - this.nowSeconds();
    if (this.resampler === null && this.payloadRateHz !== this.outputRateHz) {
      this.resampler = new Resampler(this.payloadRateHz, this.outputRateHz);
    }
  }

  /**
   * The server's clock, as a ping brought it back: the quickest one is trusted most.
   *
   * @param {number} serverSeconds
   * @param {number} roundTripSeconds
   */
  tellTime(serverSeconds, roundTripSeconds) {
    if (roundTripSeconds / 2 >= this.doubtSeconds) return;
    this.doubtSeconds = roundTripSeconds / 2;
    this.offsetSeconds = serverSeconds + roundTripSeconds / 2 - this.nowSeconds();
  }

  /** Another socket: packets of another epoch that come on it do not follow on those before. */
  reconnected() {
    this.freshConnection = true;
  }

  /**
   * @param {ArrayBuffer} buffer
   * @returns {import("../protocol.js").Packet}
   */
  take(buffer) {
    const packet = readPacket(buffer);
    const next = this.next;
    const continues = next !== null && next.epoch === packet.epoch && next.position === packet.position;
    if (next !== null && next.epoch === packet.epoch && packet.position < next.position) return packet;
    const leadSeconds = packet.dueSeconds - this.nowSeconds() - this.offsetSeconds;
    if (!continues) {
      const tooOldSeconds = packet.position < this.livePosition ? -leadSeconds - this.headStartSeconds : 0;
      if (tooOldSeconds > PREROLL_SECONDS) return packet;
      this.owesJoin = true;
      this.warmingUntil = this.#warmUpEnd(packet, tooOldSeconds);
    }
    const frames = programmeFrames(packet.frames, this.payloadRateHz);
    this.next = { epoch: packet.epoch, position: packet.position + frames };
    this.freshConnection = false;
    this.#decode(packet, packet.position < this.warmingUntil, leadSeconds);
    return packet;
  }

  close() {
    this.opus?.close();
    this.opus = null;
  }

  /**
   * Until where a stream that does not continue is decoded without being heard: out of its history,
   * and for Opus where packets are missing before it. A new piece on the same connection misses
   * nothing, and the first sound of all rises from silence anyway.
   *
   * @param {import("../protocol.js").Packet} packet
   * @param {number} tooOldSeconds
   */
  #warmUpEnd(packet, tooOldSeconds) {
    if (tooOldSeconds > 0) return packet.position + tooOldSeconds * PROGRAMME_RATE_HZ;
    const known = this.next;
    const misses = known !== null && (known.epoch === packet.epoch || this.freshConnection);
    const needed = misses && packet.codec === CODEC_OPUS ? PREROLL_SECONDS * PROGRAMME_RATE_HZ : 0;
    return packet.position + needed;
  }

  /**
   * @param {import("../protocol.js").Packet} packet
   * @param {boolean} silent
   * @param {number} leadSeconds
   */
  #decode(packet, silent, leadSeconds) {
    const tag = {
      place: { epoch: packet.epoch, position: packet.position },
      joins: this.owesJoin && !silent,
      last: (packet.flags & FLAG_LAST) !== 0,
      live: packet.position >= this.livePosition,
      leadSeconds: Math.min(LONGEST_LEAD_SECONDS, Math.max(-LONGEST_LAG_SECONDS, leadSeconds)),
      silent,
    };
    if (!silent) this.owesJoin = false;
    if (packet.codec !== CODEC_OPUS) {
      const [left, right] = decodePcm16(packet.payload);
      this.#deliver(left, right, tag);
      return;
    }
    this.opus ??= this.openDecoder({
      preSkipFrames: this.preSkip,
      emit: (left, right, decoded) => this.#deliver(left, right, decoded),
      fail: (error) => {
        this.opus = null;
        this.fail(error);
      },
    });
    if (!this.opus.decode(packet.payload, tag)) this.next = null;
  }

  /**
   * @param {Float32Array} left
   * @param {Float32Array} right
   * @param {Tag} tag
   */
  #deliver(left, right, tag) {
    if (this.resampler !== null) [left, right] = this.resampler.process(left, right);
    if (tag.silent) return;
    const { place, joins, last, live, leadSeconds } = tag;
    this.emit({ left, right, place, joins, last, live, leadSeconds });
  }
}
