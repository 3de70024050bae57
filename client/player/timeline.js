/**
 * Which place in the programme a frame of the ring belongs to.
 *
 * One mark per join, not per packet: between marks the programme runs on evenly.
 */
export class Timeline {
  /** @param {number} programmeFramesPerFrame 44,100 over the rate of the ring */
  constructor(programmeFramesPerFrame) {
    this.ratio = programmeFramesPerFrame;
    /** @type {{frame: number, position: number, epoch: number}[]} */
    this.marks = [];
  }

  /**
   * From `frame` on the ring holds the programme from `position`.
   *
   * @param {number} frame
   * @param {import("../protocol.js").Place} place
   */
  mark(frame, place) {
    while (this.marks.length > 0 && this.marks[this.marks.length - 1].frame >= frame) this.marks.pop();
    this.marks.push({ frame, position: place.position, epoch: place.epoch });
  }

  /**
   * @param {number} frame
   * @returns {import("../protocol.js").Place | null} null before the first mark
   */
  at(frame) {
    for (let i = this.marks.length - 1; i >= 0; i -= 1) {
      const mark = this.marks[i];
      if (mark.frame <= frame || i === 0) {
        return { position: mark.position + (frame - mark.frame) * this.ratio, epoch: mark.epoch };
      }
    }
    return null;
  }

  /** @param {number} frame forget what can no longer be asked for */
  forgetBefore(frame) {
    while (this.marks.length > 1 && this.marks[1].frame <= frame) this.marks.shift();
  }
}
