const RATE_HZ = 48000;
const PACKET_MICROSECONDS = 20_000;
/** Ten seconds of packets: past that the machine cannot decode in time, and the newest must wait. */
const MOST_QUEUED = 500;

/**
 * @typedef {object} DecoderOptions
 * @property {number} preSkipFrames
 * @property {(left: Float32Array, right: Float32Array, tag: any) => void} emit
 * @property {(error: Error) => void} fail
 */

/** Whether this browser decodes raw Opus packets: true only on a secure origin. */
export async function canDecodeOpus() {
  if (typeof AudioDecoder === "undefined") return false;
  const { supported } = await AudioDecoder.isConfigSupported(configuration());
  return supported === true;
}

/**
 * Opus packets to 48 kHz stereo through WebCodecs; frames come out in order, `preSkip` fewer at
 * the start, each block with the tag its packet was given.
 */
export class OpusDecoder {
  /** @param {DecoderOptions} options */
  constructor({ preSkipFrames, emit, fail }) {
    this.skip = preSkipFrames;
    this.emit = emit;
    /** @type {any[]} */
    this.tags = [];
    this.count = 0;
    this.decoder = new AudioDecoder({ output: (data) => this.#deliver(data), error: fail });
    this.decoder.configure(configuration());
  }

  /**
   * @param {Uint8Array} payload one packet
   * @param {any} tag handed on with its frames
   * @returns {boolean} false when it was left out because the machine cannot keep up
   */
  decode(payload, tag) {
    if (this.decoder.state !== "configured" || this.decoder.decodeQueueSize > MOST_QUEUED) return false;
    this.tags.push(tag);
    const timestamp = this.count * PACKET_MICROSECONDS;
    this.count += 1;
    this.decoder.decode(new EncodedAudioChunk({ type: "key", timestamp, data: payload }));
    return true;
  }

  close() {
    if (this.decoder.state !== "closed") this.decoder.close();
  }

  /** @param {AudioData} data */
  #deliver(data) {
    const frames = data.numberOfFrames;
    const left = new Float32Array(frames);
    const right = new Float32Array(frames);
    data.copyTo(left, { planeIndex: 0, format: "f32-planar" });
    data.copyTo(right, { planeIndex: data.numberOfChannels > 1 ? 1 : 0, format: "f32-planar" });
    data.close();
    const dropped = Math.min(this.skip, frames);
    this.skip -= dropped;
    this.emit(left.subarray(dropped), right.subarray(dropped), this.tags.shift());
  }
}

/** @returns {AudioDecoderConfig} */
function configuration() {
  return { codec: "opus", sampleRate: RATE_HZ, numberOfChannels: 2 };
}
