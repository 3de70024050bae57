import { Ring } from "./ring.js";
import { crossfadeGains, findSplice } from "./splice.js";
import { Timeline } from "./timeline.js";

/** More than this is not kept: the oldest goes. */
const LIMIT_SECONDS = 10;
/** What stays reachable behind the reader, for repeating a little when the buffer runs low. */
const BEHIND_SECONDS = 1;
/** Fade before the buffer runs dry, and the crossfade where the stream jumped. */
const EDGE_SECONDS = 0.03;
const FIRST_FADE_SECONDS = 0.4;
const RETURN_FADE_SECONDS = 0.15;
const SPLICE_OVERLAP_SECONDS = 0.08;
const SPLICE_SEARCH_SECONDS = 0.012;
/** The lowest level over this long decides whether the buffer is too full or too thin. */
const WATCH_SECONDS = 6;
const EXCESS_SECONDS = 0.2;
const THIN_SECONDS = 0.05;
/** A thin buffer is made this much longer, by repeating. */
const STRETCH_SECONDS = 0.1;
const RAISE_SECONDS = 0.08;
/** A seam quick enough to be laid over the last of the buffer. */
const RESCUE_OVERLAP_SECONDS = 0.04;
const RESCUE_SEARCH_SECONDS = 0.006;
/** What is played again while nothing comes: longer each time, so that it is no stutter. Then silence. */
const RESCUE_REPEAT_SECONDS = [0.12, 0.24, 0.48];
const HIGHEST_TARGET_SECONDS = 1.2;
/** After this long without trouble a raised target comes down one step. */
const CALM_SECONDS = 60;

/**
 * @typedef {object} PlayoutStatus
 * @property {"filling" | "playing"} phase
 * @property {number} bufferedSeconds
 * @property {number} targetSeconds
 * @property {import("../protocol.js").Place | null} place of the next frame to be read
 * @property {number} underruns since the start
 * @property {number} splices   cuts and repeats since the start, those that saved it from running dry among them
 *
 * @typedef {object} Chunk
 * @property {Float32Array} left
 * @property {Float32Array} right
 * @property {import("../protocol.js").Place} place of the first frame
 * @property {boolean} joins  it does not continue the chunk before
 * @property {boolean} last   the stream ends here: running dry after it is no underrun
 * @property {number} leadSeconds by how much it came before its time, 0 or more: the server may not
 *   always be so early, so this much is kept beyond the target
 */

/**
 * The jitter buffer and everything that keeps its output free of clicks.
 *
 * Chunks go in as they come, frames are pulled out at the sound card's pace. Nothing is ever cut:
 * a buffer about to run dry repeats what was heard last, up to 0.84 s of it, and is faded over its
 * last 30 ms if still nothing came; sound returns with a fade, a jump in the stream and surplus
 * latency are crossfaded. While all is well, frames pass through untouched.
 * Pure: no clock, no browser; used by the worklet and by the scheduled player alike.
 */
export class Playout {
  /**
   * @param {object} options
   * @param {number} options.rateHz
   * @param {number} options.programmeRateHz
   * @param {number} options.targetSeconds buffered before sound starts
   */
  constructor({ rateHz, programmeRateHz, targetSeconds }) {
    this.rateHz = rateHz;
    this.ring = new Ring(Math.ceil((LIMIT_SECONDS + BEHIND_SECONDS) * rateHz));
    this.timeline = new Timeline(programmeRateHz / rateHz);
    this.baseTargetSeconds = targetSeconds;
    this.targetSeconds = targetSeconds;
    this.leadSeconds = 0;
    /** @type {"filling" | "playing"} */
    this.phase = "filling";
    this.underruns = 0;
    this.splices = 0;
    this.gain = 0;
    this.hasPlayed = false;
    this.ending = false;
    this.edgeFrames = Math.round(EDGE_SECONDS * rateHz);
    this.riseFrames = Math.round(FIRST_FADE_SECONDS * rateHz);
    /** @type {(import("./splice.js").Splice & {done: number}) | null} */
    this.splice = null;
    this.gains = { old: 1, fresh: 0 };
    /** Since the last look at the levels: a stream that stays too slow is buffered anew, not repeated on and on. */
    this.rescues = 0;
    /** What is too much (or, below 0, too little) in the buffer and waits to be spliced. */
    this.surplusSeconds = 0;
    this.watchedFrames = 0;
    this.lowestFrames = Infinity;
    this.calmFrames = 0;
  }

  /** @param {Chunk} chunk */
  push(chunk) {
    const { left, right } = chunk;
    if (this.ring.buffered + left.length > LIMIT_SECONDS * this.rateHz) this.#shed(left.length);
    if (chunk.joins && this.ring.buffered > 0) {
      const overlap = this.ring.join(left, right, this.edgeFrames);
      const start = this.ring.written - left.length;
      this.timeline.mark(start + overlap, {
        epoch: chunk.place.epoch,
        position: chunk.place.position + overlap * this.timeline.ratio,
      });
    } else {
      if (chunk.joins || this.timeline.marks.length === 0) this.timeline.mark(this.ring.written, chunk.place);
      this.ring.write(left, right);
    }
    this.ending = chunk.last;
    this.leadSeconds = chunk.leadSeconds;
  }

  /**
   * Fill two outputs of equal length.
   *
   * @param {Float32Array} left
   * @param {Float32Array} right
   */
  pull(left, right) {
    const frames = left.length;
    if (this.phase === "filling" && this.#mayStart()) this.#start();
    if (this.phase === "filling") {
      left.fill(0);
      right.fill(0);
      return;
    }
    if (this.isShortOf(frames)) this.#rescue();
    const plain = this.gain === 1 && this.splice === null && this.ring.buffered > frames + this.edgeFrames;
    if (plain) this.ring.take(left, right, 0, frames);
    else this.#pullCarefully(left, right);
    this.#watch(frames);
  }

  /** @returns {PlayoutStatus} */
  status() {
    return {
      phase: this.phase,
      bufferedSeconds: this.ring.buffered / this.rateHz,
      targetSeconds: this.targetSeconds,
      place: this.timeline.at(this.ring.read),
      underruns: this.underruns,
      splices: this.splices,
    };
  }

  /** @returns {boolean} whether pulling so many frames would come too near the buffer's end */
  isShortOf(/** @type {number} */ frames) {
    const seamSeconds = RESCUE_OVERLAP_SECONDS + RESCUE_SEARCH_SECONDS;
    return this.phase === "playing" && !this.ending && this.ring.buffered < Math.round(seamSeconds * this.rateHz) + frames;
  }

  #mayStart() {
    const buffered = this.ring.buffered;
    return buffered >= (this.targetSeconds + this.leadSeconds) * this.rateHz || (this.ending && buffered > this.edgeFrames);
  }

  #start() {
    this.phase = "playing";
    this.surplusSeconds = 0;
    this.riseFrames = Math.round((this.hasPlayed ? RETURN_FADE_SECONDS : FIRST_FADE_SECONDS) * this.rateHz);
    this.hasPlayed = true;
    this.#forgetLevels();
  }

  /** The slow path: fades and crossfades, frame by frame. */
  #pullCarefully(/** @type {Float32Array} */ left, /** @type {Float32Array} */ right) {
    const ring = this.ring;
    for (let i = 0; i < left.length; i += 1) {
      const dry = ring.buffered <= this.edgeFrames && !(this.splice !== null && this.splice.skipFrames < 0);
      this.gain = dry ? Math.max(0, this.gain - 1 / this.edgeFrames) : Math.min(1, this.gain + 1 / this.riseFrames);
      if (ring.buffered === 0 || (dry && this.gain < 1e-9)) {
        left.fill(0, i);
        right.fill(0, i);
        this.#runDry();
        return;
      }
      const level = this.gain * this.gain * (3 - 2 * this.gain);
      const at = ring.read % ring.capacity;
      let frameLeft = ring.left[at];
      let frameRight = ring.right[at];
      if (this.splice !== null) {
        const splice = this.splice;
        crossfadeGains(splice.done / splice.overlapFrames, splice.correlation, this.gains);
        const ahead = (ring.read + splice.skipFrames) % ring.capacity;
        frameLeft = frameLeft * this.gains.old + ring.left[ahead] * this.gains.fresh;
        frameRight = frameRight * this.gains.old + ring.right[ahead] * this.gains.fresh;
        splice.done += 1;
      }
      left[i] = frameLeft * level;
      right[i] = frameRight * level;
      ring.read += 1;
      if (this.splice !== null && this.splice.done >= this.splice.overlapFrames) {
        ring.skip(this.splice.skipFrames);
        this.splice = null;
      }
    }
  }

  #runDry() {
    this.phase = "filling";
    this.gain = 0;
    this.splice = null;
    if (this.ending) return;
    this.underruns += 1;
    this.#raiseTarget();
  }

  #raiseTarget() {
    this.targetSeconds = Math.min(HIGHEST_TARGET_SECONDS, this.targetSeconds + RAISE_SECONDS);
    this.calmFrames = 0;
  }

  /** Too much came while too little was pulled: keep the newest, and come back with a fade. */
  #shed(/** @type {number} */ incomingFrames) {
    const keep = Math.round((this.targetSeconds + this.leadSeconds) * this.rateHz);
    this.ring.skip(Math.max(0, this.ring.buffered + incomingFrames - keep));
    if (this.ring.read > this.ring.written) this.ring.read = this.ring.written;
    this.timeline.forgetBefore(this.ring.read);
    this.phase = "filling";
    this.gain = 0;
    this.splice = null;
  }

  /** Follow the lowest level, and correct a buffer that stays too full or too thin. */
  #watch(/** @type {number} */ frames) {
    this.watchedFrames += frames;
    this.calmFrames += frames;
    this.lowestFrames = Math.min(this.lowestFrames, this.ring.buffered);
    if (this.surplusSeconds !== 0 && this.gain === 1 && this.splice === null) this.#beginSplice(this.surplusSeconds);
    if (this.watchedFrames < WATCH_SECONDS * this.rateHz) return;
    const lowest = this.lowestFrames / this.rateHz;
    const wanted = this.targetSeconds / 2 + this.leadSeconds;
    if (lowest > wanted + EXCESS_SECONDS) this.surplusSeconds = lowest - wanted;
    else if (lowest < THIN_SECONDS) this.surplusSeconds = -STRETCH_SECONDS;
    else this.surplusSeconds = 0;
    if (this.calmFrames > CALM_SECONDS * this.rateHz) {
      this.targetSeconds = Math.max(this.baseTargetSeconds, this.targetSeconds - RAISE_SECONDS / 2);
      this.calmFrames = 0;
    }
    this.timeline.forgetBefore(this.ring.read - BEHIND_SECONDS * this.rateHz);
    this.#forgetLevels();
  }

  /** The buffer runs out: hold on to what was heard last until more comes. */
  #rescue() {
    if (this.splice !== null || this.rescues >= RESCUE_REPEAT_SECONDS.length) return;
    const repeat = RESCUE_REPEAT_SECONDS[this.rescues];
    if (!this.#beginSplice(-repeat, RESCUE_OVERLAP_SECONDS, RESCUE_SEARCH_SECONDS)) return;
    if (this.rescues === 0) this.#raiseTarget();
    this.rescues += 1;
  }

  /**
   * Begin as soon as the buffer reaches far enough to both sides of the seam.
   *
   * @param {number} skipSeconds  negative repeats
   * @param {number} overlapSeconds
   * @param {number} searchSeconds
   * @returns {boolean} whether it did
   */
  #beginSplice(skipSeconds, overlapSeconds = SPLICE_OVERLAP_SECONDS, searchSeconds = SPLICE_SEARCH_SECONDS) {
    const overlap = Math.round(overlapSeconds * this.rateHz);
    const search = Math.round(searchSeconds * this.rateHz);
    const skip = Math.round(skipSeconds * this.rateHz);
    const reach = Math.max(0, skip) + search + overlap;
    if (this.ring.buffered < reach || this.ring.behind < search - skip) return false;
    this.surplusSeconds = 0;
    this.splice = { ...findSplice(this.ring, skip, search, overlap), done: 0 };
    this.splices += 1;
    return true;
  }

  #forgetLevels() {
    this.rescues = 0;
    this.watchedFrames = 0;
    this.lowestFrames = Infinity;
  }
}
