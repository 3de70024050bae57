// The audio thread's side: frames come straight from the network worker, never past the page.
import { Playout } from "./playout.js";

/** While the ring fills it is looked at; once it is full there is little to tell. */
const STATUS_EVERY_QUANTA = { filling: 32, playing: 96 };

/** @typedef {import("./playout.js").Chunk} Chunk */

class PlayoutProcessor extends AudioWorkletProcessor {
  /** @param {{processorOptions: {programmeRateHz: number, leastSeconds: number}}} options */
  constructor(options) {
    super();
    this.options = { rateHz: sampleRate, ...options.processorOptions };
    this.playout = new Playout(this.options);
    this.quanta = 0;
    this.phase = this.playout.phase;
    /** @type {MessagePort | null} */
    this.feed = null;
    this.port.onmessage = (event) => this.#listen(event.data);
  }

  /**
   * A new stream begins: its own port, an empty buffer. Or none: an empty buffer only.
   *
   * @param {{feed: MessagePort | null}} message
   */
  #listen(message) {
    this.feed?.close();
    this.feed = message.feed;
    this.playout = new Playout(this.options);
    if (this.feed === null) this.port.postMessage("empty");
    else this.feed.onmessage = (event) => this.playout.push(/** @type {Chunk} */ (event.data), currentFrame);
  }

  /**
   * @param {Float32Array[][]} _inputs
   * @param {Float32Array[][]} outputs
   */
  process(_inputs, outputs) {
    const [left, right] = outputs[0];
    this.playout.pull(left, right, currentFrame);
    this.quanta += 1;
    if (this.playout.phase !== this.phase || this.quanta % STATUS_EVERY_QUANTA[this.phase] === 0) {
      this.phase = this.playout.phase;
      this.port.postMessage({ ...this.playout.status(), contextSeconds: currentTime + left.length / sampleRate });
    }
    return true;
  }
}

registerProcessor("auralis-playout", PlayoutProcessor);
