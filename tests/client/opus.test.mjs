import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { WasmOpusDecoder } from "../../client/net/wasm-opus.js";

const libopus = new WebAssembly.Module(readFileSync(new URL("../../client/vendor/opus-decoder/opus.wasm", import.meta.url)));
const SILENCE = Uint8Array.of(0xfc, 0xff, 0xfe); // 20 ms of stereo
const NO_OPUS = Uint8Array.of(0xff); // a packet of many frames that does not say how many

/** @param {number} preSkipFrames */
function opened(preSkipFrames) {
  const heard = [];
  const failures = [];
  const decoder = new WasmOpusDecoder(libopus, {
    preSkipFrames,
    emit: (left, right, tag) => heard.push({ left, right, tag }),
    fail: (error) => failures.push(error.message),
  });
  return { decoder, heard, failures };
}

test("each packet comes out as 20 ms of stereo with its tag", () => {
  const { decoder, heard } = opened(0);
  for (const tag of ["first", "second"]) assert.equal(decoder.decode(SILENCE, tag), true);
  assert.deepEqual(heard.map(({ left, right, tag }) => [left.length, right.length, tag]), [[960, 960, "first"], [960, 960, "second"]]);
  assert.ok(heard.every(({ left, right }) => [...left, ...right].every((sample) => Math.abs(sample) < 1e-6)));
});

test("the frames to be skipped are missing at the start, and only there", () => {
  const { decoder, heard } = opened(1200);
  for (const tag of [1, 2, 3]) decoder.decode(SILENCE, tag);
  assert.deepEqual(heard.map(({ left }) => left.length), [0, 720, 960]);
});

test("what is handed on is not overwritten by the next packet, and can be given away", () => {
  const { decoder, heard } = opened(0);
  decoder.decode(SILENCE, 1);
  decoder.decode(SILENCE, 2);
  const buffers = new Set(heard.flatMap(({ left, right }) => [left.buffer, right.buffer]));
  assert.equal(buffers.size, 4);
});

test("a packet that is no Opus ends the decoder, and says so once", () => {
  const { decoder, heard, failures } = opened(0);
  assert.equal(decoder.decode(NO_OPUS, 1), false);
  assert.equal(decoder.decode(SILENCE, 2), false);
  assert.deepEqual(heard, []);
  assert.equal(failures.length, 1);
});
