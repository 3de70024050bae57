import assert from "node:assert/strict";
import { test } from "node:test";

import { Servo } from "../../client/player/servo.js";

const LOOK_SECONDS = 0.25;

/**
 * A buffer whose clocks differ by `drift`, and the servo on it.
 *
 * @returns {{surplusSeconds: number, excess: number}[]} every quarter of a second
 */
function followed(seconds, { drift, surplusSeconds = 0, jitterSeconds = () => 0 }) {
  const servo = new Servo();
  const course = [];
  for (let at = 0; at < seconds; at += LOOK_SECONDS) {
    servo.turn(surplusSeconds + jitterSeconds(), LOOK_SECONDS);
    surplusSeconds += (drift - servo.excess) * LOOK_SECONDS;
    course.push({ surplusSeconds, excess: servo.excess });
  }
  return course;
}

test("a buffer that is about as full as it should be is left alone", () => {
  for (const surplusSeconds of [-0.099, 0, 0.059]) {
    assert.ok(followed(3600, { drift: 0, surplusSeconds }).every(({ excess }) => excess === 0));
  }
});

for (const drift of [-3e-4, -5e-5, 5e-5, 3e-4]) {
  test(`a day on clocks ${Math.round(drift * 1e6)} ppm apart: followed within ten minutes of the first help, and held`, () => {
    const course = followed(86_400, { drift });
    const first = course.findIndex(({ excess }) => excess !== 0);
    assert.ok(course.every(({ surplusSeconds }) => Math.abs(surplusSeconds) < 0.12));
    const settled = course.slice(first + 600 / LOOK_SECONDS);
    assert.ok(settled.every(({ surplusSeconds }) => Math.abs(surplusSeconds) < 0.005));
    assert.ok(settled.every(({ excess }) => Math.abs(excess) <= 5e-4));
  });
}

test("a great surplus is played down at 0.4 % at the most, without going far below", () => {
  const course = followed(900, { drift: 0, surplusSeconds: 0.19 });
  assert.ok(course.every(({ excess }) => Math.abs(excess) <= 0.004));
  assert.ok(course.every(({ surplusSeconds }) => surplusSeconds > -0.04));
  assert.ok(Math.abs(course.at(-1).surplusSeconds) < 0.002);
});

test("the speed glides", () => {
  const course = followed(60, { drift: 0, surplusSeconds: 0.19 });
  for (let i = 1; i < course.length; i += 1) {
    assert.ok(Math.abs(course[i].excess - course[i - 1].excess) <= 1.01e-4);
  }
});

test("a level that is measured badly moves the speed by less than 0.05 %", () => {
  let sign = 1;
  const jitterSeconds = () => (sign = -sign) * 0.01;
  const course = followed(3600, { drift: 1e-4, jitterSeconds });
  assert.ok(course.slice(-4 * 600).every(({ excess }) => Math.abs(excess) <= 5e-4));
});
