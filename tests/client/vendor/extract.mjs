// Takes libopus out of the npm package opus-decoder, which carries it packed into a script:
// node extract.mjs OUT.wasm
import { writeFileSync } from "node:fs";
import { argv } from "node:process";

const compile = WebAssembly.compile;
/** @type {Uint8Array[]} */
const compiled = [];
WebAssembly.compile = (bytes) => {
  compiled.push(new Uint8Array(bytes));
  return compile(bytes);
};

const { OpusDecoder } = await import("opus-decoder");
await new OpusDecoder({ channels: 2 }).ready;
writeFileSync(argv[2], compiled.reduce((largest, one) => (one.length > largest.length ? one : largest)));
