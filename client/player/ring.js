/**
 * A stereo ring of float32 frames between one writer and one reader.
 *
 * Frames are counted absolutely from the first one written: `written - read` are buffered, and
 * what was read stays reachable until it is overwritten, so a reader may step back a little.
 */
export class Ring {
  /** @param {number} capacityFrames */
  constructor(capacityFrames) {
    this.capacity = capacityFrames;
    this.written = 0;
    this.read = 0;
    this.left = new Float32Array(capacityFrames);
    this.right = new Float32Array(capacityFrames);
  }

  /** Frames written and not yet read. */
  get buffered() {
    return this.written - this.read;
  }

  /** Frames already read that can still be reached behind the reader. */
  get behind() {
    return Math.min(this.read, this.capacity - this.buffered);
  }

  /** Frames that can be written before unread ones would be lost. */
  get free() {
    return this.capacity - this.buffered;
  }

  /**
   * Append frames; the caller keeps within `free`.
   *
   * @param {Float32Array} left
   * @param {Float32Array} right same length
   */
  write(left, right) {
    if (left.length > this.free) throw new RangeError("ring overflow");
    const at = this.written % this.capacity;
    const first = Math.min(left.length, this.capacity - at);
    this.left.set(first === left.length ? left : left.subarray(0, first), at);
    this.right.set(first === right.length ? right : right.subarray(0, first), at);
    if (first < left.length) {
      this.left.set(left.subarray(first), 0);
      this.right.set(right.subarray(first), 0);
    }
    this.written += left.length;
  }

  /**
   * Append frames that do not continue what was written: the unread tail is crossfaded into their
   * beginning (equal power, for the two have nothing to do with each other).
   *
   * @param {Float32Array} left
   * @param {Float32Array} right same length
   * @param {number} overlapFrames at most; fewer when less is unread
   * @returns {number} frames overlapped, that is by how much less the ring grew
   */
  join(left, right, overlapFrames) {
    const overlap = Math.min(overlapFrames, this.buffered, left.length);
    const from = this.written - overlap;
    for (let i = 0; i < overlap; i += 1) {
      const turn = ((i + 1) / (overlap + 1)) * (Math.PI / 2);
      const old = Math.cos(turn);
      const fresh = Math.sin(turn);
      const at = (from + i) % this.capacity;
      this.left[at] = this.left[at] * old + left[i] * fresh;
      this.right[at] = this.right[at] * old + right[i] * fresh;
    }
    this.write(left.subarray(overlap), right.subarray(overlap));
    return overlap;
  }

  /**
   * Read frames; the caller keeps within `buffered`.
   *
   * @param {Float32Array} left
   * @param {Float32Array} right
   * @param {number} offset where in the outputs to begin
   * @param {number} frames
   */
  take(left, right, offset, frames) {
    const at = this.read % this.capacity;
    const first = Math.min(frames, this.capacity - at);
    left.set(this.left.subarray(at, at + first), offset);
    right.set(this.right.subarray(at, at + first), offset);
    if (first < frames) {
      left.set(this.left.subarray(0, frames - first), offset + first);
      right.set(this.right.subarray(0, frames - first), offset + first);
    }
    this.read += frames;
  }

  /** @param {number} frames move the reader, negative steps back; the caller keeps within bounds */
  skip(frames) {
    this.read += frames;
  }
}
