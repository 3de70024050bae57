// The wire, seen from the page: packet headers, message shapes, addresses.

/** Rate in which every `position` on the wire is counted, whatever the payload's own rate. */
export const PROGRAMME_RATE_HZ = 44100;

export const HEADER_BYTES = 32;
export const CODEC_PCM16 = 0;
export const CODEC_OPUS = 1;
export const FLAG_BED = 2;
export const FLAG_LAST = 8;

export const CLOSE_STOPPING = 1001;
export const CLOSE_UNINVITED = 4001;
export const CLOSE_FULL = 4003;

export const SUBPROTOCOL = Object.freeze({
  opus: "auralis.v1.opus",
  pcm16: "auralis.v1.pcm16",
  state: "auralis.v1.state",
});

/**
 * @typedef {object} Packet
 * @property {number} codec
 * @property {number} sequence
 * @property {number} position   programme frames (44.1 kHz) since the epoch
 * @property {number} dueSeconds server's monotonic clock at the first frame
 * @property {number} frames     at the payload's rate
 * @property {number} flags
 * @property {number} channels
 * @property {number} epoch
 * @property {Uint8Array} payload
 *
 * @typedef {{name: string, tonic: string, mode: string, degree: number, quality: string,
 *   position: number, seconds_from_now?: number}} Chord
 * @typedef {{archetype: string, words: string, position: number}} Section
 * @typedef {Record<string, any> & {layers: Record<string, number | "off">}} Controls
 * @typedef {{id: string, title: string, seed: number, preset: string | null,
 *   state: "warming_up" | "idle" | "sounding" | "bed", pinned: boolean, listeners: number,
 *   epoch: number, position: number}} Station
 * @typedef {{name: string, built_in: boolean, description: string | null}} Preset
 * @typedef {{may_control: boolean, may_listen?: boolean}} Limits older servers let everybody listen
 * @typedef {{type: "hello", version: number, sample_rate: number, channels: number,
 *   frames_per_packet: number, epoch: number, sequence: number, live_position: number,
 *   resumed: boolean, pre_skip: number, station: Station, controls: Controls, limits: Limits,
 *   server: {name: string, version: string, monotonic_seconds: number}}} Hello
 * @typedef {{type: "state", controls: Controls, chord: Chord | null, next_chord: Chord | null,
 *   section: Section | null, listeners: number, station?: Station}} StateMessage
 * @typedef {{epoch: number, position: number}} Place
 */

/**
 * Read one binary frame.
 *
 * @param {ArrayBuffer} buffer
 * @returns {Packet}
 * @throws {RangeError} when it is not a version 1 packet
 */
export function readPacket(buffer) {
  if (buffer.byteLength < HEADER_BYTES) throw new RangeError("packet shorter than its header");
  const view = new DataView(buffer);
  if (view.getUint8(0) !== 0x41 || view.getUint8(1) !== 0x75 || view.getUint8(2) !== 1) {
    throw new RangeError("not an Auralis packet of version 1");
  }
  return {
    codec: view.getUint8(3),
    sequence: view.getUint32(4, true),
    // 2^53 frames are 6,400 years: a double holds any position exactly.
    position: view.getUint32(8, true) + view.getUint32(12, true) * 2 ** 32,
    dueSeconds: view.getFloat64(16, true),
    frames: view.getUint16(24, true),
    flags: view.getUint8(26),
    channels: view.getUint8(27),
    epoch: view.getUint32(28, true),
    payload: new Uint8Array(buffer, HEADER_BYTES),
  };
}

/**
 * The programme frames a packet covers.
 *
 * @param {number} frames at the payload's rate
 * @param {number} payloadRateHz
 */
export function programmeFrames(frames, payloadRateHz) {
  return Math.round((frames * PROGRAMME_RATE_HZ) / payloadRateHz);
}

/**
 * The WebSocket address of a station.
 *
 * @param {string} pageUrl
 * @param {string | null} stationId null is the default station
 * @param {Place | null} resumeAt ask for the held sound from here on
 * @param {string | null} [listen] the link that lets us listen, where one is needed
 */
export function streamUrl(pageUrl, stationId, resumeAt, listen = null) {
  const path = stationId === null ? "/ws/stream" : `/ws/stations/${encodeURIComponent(stationId)}/stream`;
  const url = new URL(path, pageUrl);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  if (listen !== null) url.searchParams.set("listen", listen);
  if (resumeAt !== null) {
    url.searchParams.set("epoch", String(resumeAt.epoch));
    url.searchParams.set("position", String(Math.max(0, Math.round(resumeAt.position))));
  }
  return url.href;
}
