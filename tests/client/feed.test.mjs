import assert from "node:assert/strict";
import { test } from "node:test";

import { Feed } from "../../client/net/feed.js";
import { HEADER_BYTES, readPacket, streamUrl } from "../../client/protocol.js";

const FRAMES = 441;

function packet(position, { epoch = 1, sequence = 0, flags = 0, dueSeconds = position / 44100 } = {}) {
  const buffer = new ArrayBuffer(HEADER_BYTES + FRAMES * 4);
  const view = new DataView(buffer);
  view.setUint8(0, 0x41);
  view.setUint8(1, 0x75);
  view.setUint8(2, 1);
  view.setUint8(3, 0);
  view.setUint32(4, sequence, true);
  view.setBigUint64(8, BigInt(position), true);
  view.setFloat64(16, dueSeconds, true);
  view.setUint16(24, FRAMES, true);
  view.setUint8(26, flags);
  view.setUint8(27, 2);
  view.setUint32(28, epoch, true);
  for (let i = 0; i < FRAMES; i += 1) view.setInt16(HEADER_BYTES + i * 4, (position + i) % 30_000, true);
  return buffer;
}

/** The server's clock shows 0 at position 0; ours is 1000 s ahead of it. */
const OURS = 1000;

function hello({ epoch = 1, live = 0, nowSeconds = live / 44100 } = {}) {
  const server = { monotonic_seconds: nowSeconds };
  return { type: "hello", sample_rate: 44100, pre_skip: 0, epoch, live_position: live, server };
}

function listen({ live = 0, outputRateHz = 44100, nowSeconds = live / 44100 } = {}) {
  const chunks = [];
  const feed = new Feed({
    outputRateHz,
    headStartSeconds: 0.3,
    nowSeconds: () => OURS + nowSeconds,
    emit: (one) => chunks.push(one),
    fail: assert.fail,
  });
  feed.greet(hello({ live, nowSeconds }));
  return { feed, chunks };
}

test("a header is read field by field, positions beyond 32 bits too", () => {
  const read = readPacket(packet(2 ** 40 + 5, { epoch: 9, sequence: 77, flags: 8 }));
  assert.equal(read.position, 2 ** 40 + 5);
  assert.equal(read.epoch, 9);
  assert.equal(read.sequence, 77);
  assert.equal(read.flags, 8);
  assert.equal(read.frames, FRAMES);
  assert.equal(read.payload.byteLength, FRAMES * 4);
});

test("what is no packet is refused", () => {
  assert.throws(() => readPacket(new ArrayBuffer(8)), RangeError);
  assert.throws(() => readPacket(new ArrayBuffer(64)), RangeError);
});

test("packets in a row are one piece of sound, exact to the sample", () => {
  const { feed, chunks } = listen();
  for (let i = 0; i < 3; i += 1) feed.take(packet(i * FRAMES));
  assert.deepEqual(chunks.map((one) => one.joins), [true, false, false]);
  assert.equal(chunks[2].left[1], (2 * FRAMES + 1) / 32768);
});

test("only the newest of the history is played", () => {
  const { feed, chunks } = listen({ live: 100 * FRAMES });
  for (let i = 0; i < 101; i += 1) feed.take(packet(i * FRAMES));
  assert.equal(chunks[0].place.position, 70 * FRAMES);
  assert.equal(chunks.length, 31);
  assert.deepEqual(chunks.filter((one) => one.joins).length, 1);
});

test("a server that sends a second ahead gives a second more of its history", () => {
  const { feed, chunks } = listen({ live: 400 * FRAMES, nowSeconds: 3 });
  for (let i = 0; i < 401; i += 1) feed.take(packet(i * FRAMES));
  assert.equal(chunks[0].place.position, 270 * FRAMES);
  assert.ok(Math.abs(chunks.at(-1).leadSeconds - 1) < 0.02);
});

test("the quickest ping decides what the server's clock shows", () => {
  const { feed, chunks } = listen();
  feed.tellTime(-0.5, 0.02);
  feed.tellTime(7, 4);
  feed.take(packet(0));
  assert.ok(Math.abs(chunks[0].leadSeconds - 0.49) < 1e-9);
});

test("a packet that is late, or from a clock gone mad, has a lead within reason", () => {
  const { feed, chunks } = listen();
  feed.take(packet(0, { dueSeconds: -5 }));
  feed.take(packet(FRAMES, { dueSeconds: 500 }));
  assert.deepEqual(chunks.map((one) => one.leadSeconds), [-5, 1.5]);
});

test("what was had already is left out, and a jump is marked", () => {
  const { feed, chunks } = listen();
  for (const at of [0, 1, 1, 0, 2, 5, 6]) feed.take(packet(at * FRAMES));
  assert.deepEqual(chunks.map((one) => one.place.position / FRAMES), [0, 1, 2, 5, 6]);
  assert.deepEqual(chunks.map((one) => one.joins), [true, false, false, true, false]);
});

test("after a resume the held packets continue where the sound broke off, however old", () => {
  const { feed, chunks } = listen();
  feed.take(packet(0));
  feed.greet(hello({ live: 400 * FRAMES }));
  feed.take(packet(FRAMES));
  feed.take(packet(2 * FRAMES));
  assert.deepEqual(chunks.map((one) => one.joins), [true, false, false]);
});

test("a new epoch starts over, its places lower than the old ones", () => {
  const { feed, chunks } = listen();
  feed.take(packet(50 * FRAMES));
  feed.greet(hello({ epoch: 2, live: 0 }));
  feed.take(packet(0, { epoch: 2 }));
  assert.deepEqual(chunks.map((one) => [one.place.epoch, one.joins]), [[1, true], [2, true]]);
  assert.deepEqual(feed.next, { epoch: 2, position: FRAMES });
});

test("the last packet of a stream says so", () => {
  const { feed, chunks } = listen();
  feed.take(packet(0, { flags: 8 }));
  assert.equal(chunks[0].last, true);
});

test("a sound card at another rate gets as many frames as it plays in the time", () => {
  const { feed, chunks } = listen({ outputRateHz: 48000 });
  for (let i = 0; i < 100; i += 1) feed.take(packet(i * FRAMES));
  const frames = chunks.reduce((sum, one) => sum + one.left.length, 0);
  assert.ok(Math.abs(frames - 48000) <= 1);
});

test("a stream's address keeps the page's host, and asks to resume", () => {
  assert.equal(streamUrl("https://a.example/?x=1", null, null), "wss://a.example/ws/stream");
  assert.equal(streamUrl("https://a.example/", null, null, "l1.x"), "wss://a.example/ws/stream?listen=l1.x");
  assert.equal(
    streamUrl("http://box.lan:8000/", "quiet room", { epoch: 3, position: 44.6 }),
    "ws://box.lan:8000/ws/stations/quiet%20room/stream?epoch=3&position=45",
  );
});
