import { Interpolator } from "./interpolator.js";
import { Lateness } from "./lateness.js";
import { Ring } from "./ring.js";
import { Servo } from "./servo.js";
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
/** How often the level is looked at. */
const LOOK_SECONDS = 0.25;
/** So much too full for so long is cut down in one go; below that the servo sees to it. */
const EXCESS_SECONDS = 0.2;
const EXCESS_LASTS_SECONDS = 4;
/** So much less in hand than there was at the start is the clocks' doing, whatever packets do. */
const LACK_SECONDS = 0.03;
/** The history a first start is filled from comes in one go: for so long the rest of it is waited for. */
const AWAITED_SECONDS = 0.1;
const DUE_SECONDS = 0.02;
/** A buffer this thin when a packet comes in time is made longer at once, by repeating. */
const THIN_SECONDS = 0.03;
const STRETCH_SECONDS = 0.1;
/** A seam quick enough to be laid over the last of the buffer. */
const RESCUE_OVERLAP_SECONDS = 0.04;
const RESCUE_SEARCH_SECONDS = 0.006;
/** What is played again while nothing comes: longer each time, so that it is no stutter. Then silence. */
const RESCUE_REPEAT_SECONDS = [0.12, 0.24, 0.48];
/** Repeats are no stutter while they are so many within so long. */
const RESCUES_WITHIN_SECONDS = 6;
/** More is never kept in hand, however late packets come. */
const HIGHEST_TARGET_SECONDS = 1.2;
/** Below so much in hand the buffer would have to repeat. */
const FLOOR_SECONDS = 0.05;

/**
 * @typedef {object} PlayoutStatus
 * @property {"filling" | "playing"} phase
 * @property {number} bufferedSeconds
 * @property {number} targetSeconds in hand when a packet comes in time
 * @property {import("../protocol.js").Place | null} place of the next frame to be read
 * @property {number} underruns since the start
 * @property {number} splices   cuts and repeats since the start, those that saved it from running dry among them
 * @property {number | null} driftPpm by how much the server's clock is faster than the sound card's; null while
 *   nothing had to be done about it
 *
 * @typedef {object} Chunk
 * @property {Float32Array} left
 * @property {Float32Array} right
 * @property {import("../protocol.js").Place} place of the first frame
 * @property {boolean} joins  it does not continue the chunk before
 * @property {boolean} last   the stream ends here: running dry after it is no underrun
 * @property {boolean} live   it came when it was made; out of the history it says nothing of the network
 * @property {number} leadSeconds by how much it came before its time, negative after it: the server may
 *   not always be so early, so what is more than 0 is kept beyond the target
 */

/**
 * The jitter buffer and everything that keeps its output free of clicks.
 *
 * Chunks go in as they come, frames are pulled out at the sound card's pace. How much is kept in
 * hand follows how late packets come; where clocks drift apart a servo plays a trifle faster or
 * slower. Nothing is ever cut: a buffer about to run dry repeats what was heard last, up to 0.84 s
 * of it, and is faded over its last 30 ms if still nothing came; sound returns with a fade, a jump
 * in the stream and a great surplus are crossfaded. While all is well, frames pass through untouched.
 *
 * Pure: time comes in as frames of the sound card's clock, on any scale that runs on evenly; used by
 * the worklet and by the scheduled player alike.
 */
export class Playout {
  /**
   * @param {object} options
   * @param {number} options.rateHz
   * @param {number} options.programmeRateHz
   * @param {number} options.leastSeconds in hand when a packet comes in time, at the least
   * @param {number} [options.floorSeconds] of it, what no late packet may use up
   */
  constructor({ rateHz, programmeRateHz, leastSeconds, floorSeconds = FLOOR_SECONDS }) {
    this.rateHz = rateHz;
    this.leastSeconds = leastSeconds;
    this.floorSeconds = floorSeconds;
    this.ring = new Ring(Math.ceil((LIMIT_SECONDS + BEHIND_SECONDS) * rateHz));
    this.timeline = new Timeline(programmeRateHz / rateHz);
    this.lateness = new Lateness();
    this.servo = new Servo();
    this.interpolator = new Interpolator();
    /** How far the reader is past `ring.read`, 0 to 1: other than 0 once the servo had to help. */
    this.beyond = 0;
    /** When the next frame that is pulled will sound. @type {number | null} */
    this.headFrame = null;
    /** What would be in hand when the next packet comes, if sound began at once and packets come evenly. */
    this.inHandSeconds = 0;
    /** From due time to being heard, if sound began at that moment. */
    this.delay = { seconds: 0, atFrame: 0 };
    this.leadSeconds = 0;
    /** What follows the newest chunk was sent already, or should have been. */
    this.moreIsDue = false;
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
    /** Within the last seconds: a stream that stays too slow is buffered anew, not repeated on and on. */
    this.rescues = 0;
    this.rescuedFrames = 0;
    this.unwatchedFrames = 0;
    this.excessSeconds = 0;
  }

  /** In hand when a packet comes in time. */
  get targetSeconds() {
    const needed = Math.max(this.leastSeconds, this.floorSeconds + this.lateness.neededSeconds);
    return Math.min(HIGHEST_TARGET_SECONDS, needed);
  }

  /**
   * @param {Chunk} chunk
   * @param {number} clockFrame now
   */
  push(chunk, clockFrame) {
    const { left, right } = chunk;
    this.leadSeconds = Math.max(0, chunk.leadSeconds);
    if (chunk.joins) this.lateness.jump();
    if (chunk.live) this.lateness.note(clockFrame / this.rateHz + this.leadSeconds, this.ring.written / this.rateHz);
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
    const beforeSeconds = (this.ring.buffered - left.length) / this.rateHz;
    this.inHandSeconds = beforeSeconds - this.leadSeconds;
    this.delay = { seconds: beforeSeconds - chunk.leadSeconds, atFrame: clockFrame };
    this.moreIsDue = chunk.leadSeconds + left.length / this.rateHz < -DUE_SECONDS;
  }

  /**
   * Fill two outputs of equal length.
   *
   * @param {Float32Array} left
   * @param {Float32Array} right
   * @param {number} headFrame when their first frame will sound
   */
  pull(left, right, headFrame) {
    const frames = left.length;
    this.headFrame = headFrame + frames;
    if (this.phase === "filling" && this.#mayStart(headFrame)) this.#start(headFrame);
    if (this.phase === "filling") {
      left.fill(0);
      right.fill(0);
      return;
    }
    if (this.isShortOf(frames)) this.#rescue();
    const untouched = this.gain === 1 && this.splice === null && this.beyond === 0 && this.servo.excess === 0;
    const plain = untouched && this.ring.buffered > frames + this.edgeFrames;
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
      driftPpm: this.servo.engaged ? this.servo.drift * 1e6 : null,
    };
  }

  /** @returns {boolean} whether pulling so many frames would come too near the buffer's end */
  isShortOf(/** @type {number} */ frames) {
    const seamSeconds = RESCUE_OVERLAP_SECONDS + RESCUE_SEARCH_SECONDS;
    return this.phase === "playing" && !this.ending && this.ring.buffered < Math.round(seamSeconds * this.rateHz) + frames;
  }

  /** In hand when a packet comes in time; null while nobody knows. */
  #measuredInHand() {
    if (this.lateness.meanSeconds === null || this.headFrame === null) return null;
    return (this.headFrame - this.ring.read - this.beyond) / this.rateHz - this.lateness.meanSeconds;
  }

  #mayStart(/** @type {number} */ headFrame) {
    if (this.ending) return this.ring.buffered > this.edgeFrames;
    if (!this.hasPlayed && this.moreIsDue && headFrame - this.delay.atFrame < AWAITED_SECONDS * this.rateHz) return false;
    const enough = this.targetSeconds - 1e-3;
    if (this.inHandSeconds >= enough) return true;
    return !this.hasPlayed && this.#surplusSeconds(headFrame) > -1e-3;
  }

  /**
   * By how much the history that was sent for a first start is longer than it need be: what has not
   * been heard is due so long ago, and the next packet is due when it ends.
   */
  #surplusSeconds(/** @type {number} */ headFrame) {
    const delaySeconds = this.delay.seconds + (headFrame - this.delay.atFrame) / this.rateHz;
    const bufferedSeconds = this.ring.buffered / this.rateHz - this.leadSeconds;
    return Math.min(delaySeconds, bufferedSeconds) - this.targetSeconds;
  }

  #start(/** @type {number} */ headFrame) {
    this.phase = "playing";
    if (!this.hasPlayed && !this.ending) {
      this.ring.skip(Math.max(0, Math.floor(this.#surplusSeconds(headFrame) * this.rateHz)));
    }
    this.riseFrames = Math.round((this.hasPlayed ? RETURN_FADE_SECONDS : FIRST_FADE_SECONDS) * this.rateHz);
    this.hasPlayed = true;
    this.#forgetRescues();
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
      this.#readAt(ring.read);
      let frameLeft = this.interpolator.left;
      let frameRight = this.interpolator.right;
      if (this.splice !== null) {
        const splice = this.splice;
        crossfadeGains(splice.done / splice.overlapFrames, splice.correlation, this.gains);
        this.#readAt(ring.read + splice.skipFrames);
        frameLeft = frameLeft * this.gains.old + this.interpolator.left * this.gains.fresh;
        frameRight = frameRight * this.gains.old + this.interpolator.right * this.gains.fresh;
        splice.done += 1;
      }
      left[i] = frameLeft * level;
      right[i] = frameRight * level;
      this.#step();
      if (this.splice !== null && this.splice.done >= this.splice.overlapFrames) {
        ring.skip(this.splice.skipFrames);
        this.splice = null;
      }
    }
  }

  #readAt(/** @type {number} */ frame) {
    if (this.beyond !== 0) {
      this.interpolator.read(this.ring, frame, this.beyond);
      return;
    }
    const at = frame % this.ring.capacity;
    this.interpolator.left = this.ring.left[at];
    this.interpolator.right = this.ring.right[at];
  }

  /** One frame on, or a trifle more or less. */
  #step() {
    this.beyond += this.servo.excess;
    const whole = Math.floor(this.beyond);
    this.beyond -= whole;
    this.ring.read += 1 + whole;
  }

  #runDry() {
    this.#fill();
    if (!this.ending) this.underruns += 1;
  }

  /** Too much came while too little was pulled: keep the newest, and come back with a fade. */
  #shed(/** @type {number} */ incomingFrames) {
    const keep = Math.round((this.targetSeconds + this.leadSeconds) * this.rateHz);
    this.ring.skip(Math.max(0, this.ring.buffered + incomingFrames - keep));
    if (this.ring.read > this.ring.written) this.ring.read = this.ring.written;
    this.timeline.forgetBefore(this.ring.read);
    this.#fill();
  }

  #fill() {
    this.phase = "filling";
    this.inHandSeconds = -Infinity;
    this.gain = 0;
    this.splice = null;
  }

  /** Every now and then: correct a buffer that is too full or too thin, gently where there is time. */
  #watch(/** @type {number} */ frames) {
    this.rescuedFrames += frames;
    if (this.rescuedFrames > RESCUES_WITHIN_SECONDS * this.rateHz) this.#forgetRescues();
    this.unwatchedFrames += frames;
    if (this.unwatchedFrames < LOOK_SECONDS * this.rateHz) return;
    const elapsedSeconds = this.unwatchedFrames / this.rateHz;
    this.unwatchedFrames = 0;
    this.timeline.forgetBefore(this.ring.read - BEHIND_SECONDS * this.rateHz);
    const inHandSeconds = this.#measuredInHand();
    if (inHandSeconds === null || this.phase === "filling") return;
    const surplusSeconds = inHandSeconds - this.targetSeconds;
    if (inHandSeconds < this.leastSeconds - LACK_SECONDS) this.servo.engage();
    this.servo.turn(surplusSeconds, elapsedSeconds);
    this.excessSeconds = surplusSeconds > EXCESS_SECONDS ? this.excessSeconds + elapsedSeconds : 0;
    if (this.gain < 1 || this.splice !== null) return;
    if (this.excessSeconds > EXCESS_LASTS_SECONDS) this.#beginSplice(surplusSeconds);
    else if (inHandSeconds < THIN_SECONDS) this.#beginSplice(-STRETCH_SECONDS);
  }

  /** The buffer runs out: hold on to what was heard last until more comes. */
  #rescue() {
    if (this.splice !== null || this.rescues >= RESCUE_REPEAT_SECONDS.length) return;
    const repeat = RESCUE_REPEAT_SECONDS[this.rescues];
    if (!this.#beginSplice(-repeat, RESCUE_OVERLAP_SECONDS, RESCUE_SEARCH_SECONDS)) return;
    this.rescues += 1;
  }

  /**
   * Begin, if the buffer reaches far enough to both sides of the seam.
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
    this.splice = { ...findSplice(this.ring, skip, search, overlap), done: 0 };
    this.splices += 1;
    return true;
  }

  #forgetRescues() {
    this.rescues = 0;
    this.rescuedFrames = 0;
  }
}
