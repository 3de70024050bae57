/**
 * Little-endian interleaved 16-bit stereo as two float channels of linear amplitude.
 *
 * @param {Uint8Array} payload 4 bytes per frame
 * @returns {[Float32Array, Float32Array]}
 */
export function decodePcm16(payload) {
  const frames = payload.byteLength >> 2;
  const view = new DataView(payload.buffer, payload.byteOffset, frames * 4);
  const left = new Float32Array(frames);
  const right = new Float32Array(frames);
  for (let i = 0; i < frames; i += 1) {
    left[i] = view.getInt16(i * 4, true) / 32768;
    right[i] = view.getInt16(i * 4 + 2, true) / 32768;
  }
  return [left, right];
}
