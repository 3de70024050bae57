const ADDRESS = new URL("../vendor/opus-decoder/opus.wasm", import.meta.url);
const RATE_HZ = 48000;
const CHANNELS = 2;
/** No longer packet exists (120 ms). */
const MOST_FRAMES = 5760;
const MOST_PACKET_BYTES = 4096;

/** @type {Promise<WebAssembly.Module> | null} */
let loading = null;

/**
 * Fetch libopus, once; what failed is tried again when next asked for.
 *
 * @returns {Promise<WebAssembly.Module>}
 * @throws {Error} when it does not come, or may not be compiled here
 */
export function loadLibopus() {
  loading ??= fetchLibopus().catch((error) => {
    loading = null;
    throw error;
  });
  return loading;
}

async function fetchLibopus() {
  const response = await fetch(ADDRESS);
  if (!response.ok) throw new Error(`libopus: ${response.status}`);
  return WebAssembly.compile(await response.arrayBuffer());
}

/**
 * Opus packets to 48 kHz stereo through libopus in WebAssembly, for browsers and addresses without
 * WebCodecs. Frames come out at once, `preSkip` fewer at the start, each block with its tag.
 */
export class WasmOpusDecoder {
  /**
   * @param {WebAssembly.Module} libopus
   * @param {import("./opus.js").DecoderOptions} options
   */
  constructor(libopus, { preSkipFrames, emit, fail }) {
    this.skip = preSkipFrames;
    this.emit = emit;
    this.fail = fail;
    this.closed = false;
    const names = namesOf(new WebAssembly.Instance(libopus, { a: SURROUNDINGS }).exports);
    const { buffer } = names.memory;
    this.decodeFloat = names.decodeFloat;
    this.input = new Uint8Array(buffer, names.allocate(MOST_PACKET_BYTES), MOST_PACKET_BYTES);
    this.output = new Float32Array(buffer, names.allocate(MOST_FRAMES * CHANNELS * 4), MOST_FRAMES * CHANNELS);
    const mapping = new Uint8Array(buffer, names.allocate(CHANNELS), CHANNELS);
    mapping.set([0, 1]);
    this.decoder = names.create(RATE_HZ, CHANNELS, 1, 1, mapping.byteOffset, 0, 0);
  }

  /**
   * @param {Uint8Array} payload one packet
   * @param {any} tag handed on with its frames
   * @returns {boolean} false when it was left out: the decoder has failed
   */
  decode(payload, tag) {
    if (this.closed) return false;
    let frames = -1;
    if (payload.length <= MOST_PACKET_BYTES) {
      this.input.set(payload);
      frames = this.decodeFloat(this.decoder, this.input.byteOffset, payload.length, this.output.byteOffset);
    }
    if (frames < 0) {
      this.close();
      this.fail(new Error("a packet that is no Opus"));
      return false;
    }
    const dropped = Math.min(this.skip, frames);
    this.skip -= dropped;
    this.emit(this.output.slice(dropped, frames), this.output.slice(frames + dropped, frames * 2), tag);
    return true;
  }

  /** Its memory goes with it. */
  close() {
    this.closed = true;
  }
}

/** What libopus asks of the world around it: a cosine, and nothing else in earnest. */
const SURROUNDINGS = {
  a: Math.cos,
  b: stop,
  c: () => {},
  d: stop,
  e: () => 0,
  f: () => 0, // no more memory
};

function stop() {
  throw new Error("libopus gave up");
}

/**
 * Exports as they are called in the file: the compiler has left them letters.
 *
 * @param {any} exports
 * @returns {{memory: WebAssembly.Memory, allocate: (bytes: number) => number,
 *   create: (rateHz: number, channels: number, streams: number, coupled: number, mapping: number,
 *     preSkipFrames: number, forceStereo: number) => number,
 *   decodeFloat: (decoder: number, packet: number, bytes: number, channelsInTurn: number) => number}}
 */
function namesOf(exports) {
  exports.h(); // the constructors of static data
  return { memory: exports.g, create: exports.i, allocate: exports.j, decodeFloat: exports.k };
}
