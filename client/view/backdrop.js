import { paintBands } from "./bands.js";
import { bandColours, scaleHue } from "./colours.js";
import { byId } from "./dom.js";

const WIDTH = 64;
const HEIGHT = 144;
const FRAME_MS = 1000 / 30;
const GRAIN_SIZE = 160;
/** Slow turns per second at rest and at full intensity: tens of seconds for one breath. */
const REST_SPEED = 0.09;
const FULL_SPEED = 0.2;
const RISE_SECONDS = 1.6;
const FALL_SECONDS = 2.8;
const HUE_SECONDS = 2.5;
const RESTING_LIGHT = 0.62;
const SILENT_LIGHT = 0.22;

/** @typedef {import("../model/snapshot.js").Snapshot} Snapshot */

/** The canvas behind everything; stands still when hidden, switched off, or motion is not wanted. */
export class Backdrop {
  /** @param {() => [number, number, number] | null} bands low, middle and high, null in silence */
  constructor(bands) {
    this.bands = bands;
    this.canvas = /** @type {HTMLCanvasElement} */ (/** @type {unknown} */ (byId("backdrop")));
    this.canvas.width = WIDTH;
    this.canvas.height = HEIGHT;
    this.context = /** @type {CanvasRenderingContext2D} */ (this.canvas.getContext("2d", { alpha: false }));
    this.image = this.context.createImageData(WIDTH, HEIGHT);
    this.light = [RESTING_LIGHT, RESTING_LIGHT, RESTING_LIGHT];
    this.phase = 1;
    this.hue = scaleHue(undefined, undefined);
    this.hueWanted = this.hue;
    this.hueKnown = false;
    this.intensity = 0.5;
    /** @type {"idle" | "sounding" | "silent"} */
    this.mood = "idle";
    this.still = false;
    this.drawnAtMs = -Infinity;
    this.frame = 0;
    this.reduced = matchMedia("(prefers-reduced-motion: reduce)");
    this.bright = matchMedia("(prefers-color-scheme: light)");
    for (const query of [this.reduced, this.bright]) query.addEventListener("change", () => this.wake());
    document.addEventListener("visibilitychange", () => this.wake());
    layGrain(byId("grain"));
    this.wake();
  }

  /** @param {Snapshot} now */
  render(now) {
    this.hueWanted = scaleHue(now.chord?.mode ?? now.controls?.mode, now.chord?.tonic ?? now.controls?.key);
    if (!this.hueKnown && now.controls !== null) {
      this.hueKnown = true;
      this.hue = this.hueWanted;
    }
    this.intensity = Number(now.controls?.intensity ?? 0.5);
    const mood = now.state === "idle" ? "idle" : now.state === "playing" ? "sounding" : "silent";
    const changed = mood !== this.mood || Math.abs(turnBetween(this.hue, this.hueWanted)) > 1;
    this.mood = mood;
    if (changed && !this.moves()) this.wake();
  }

  moves() {
    return !this.still && !this.reduced.matches && document.visibilityState === "visible";
  }

  /** Draw now, and go on drawing if it moves. */
  wake() {
    cancelAnimationFrame(this.frame);
    this.drawnAtMs = -Infinity;
    if (document.visibilityState !== "visible") return;
    if (this.moves()) this.frame = requestAnimationFrame((ms) => this.#next(ms));
    else this.#drawStill();
  }

  /** @param {number} ms */
  #next(ms) {
    if (!this.moves()) return this.wake();
    this.frame = requestAnimationFrame((later) => this.#next(later));
    // A little early counts: screens do not run at multiples of exactly 30.
    if (ms - this.drawnAtMs < FRAME_MS - 4) return;
    const seconds = Math.min(0.2, Math.max(0, (ms - this.drawnAtMs) / 1000));
    this.drawnAtMs = ms;
    this.#follow(seconds);
    this.#draw();
  }

  /** @param {number} seconds since the last frame */
  #follow(seconds) {
    this.phase += seconds * (REST_SPEED + (FULL_SPEED - REST_SPEED) * this.intensity);
    this.hue = (this.hue + turnBetween(this.hue, this.hueWanted) * ease(seconds, HUE_SECONDS) + 360) % 360;
    const wanted = this.#lightWanted();
    for (let band = 0; band < 3; band += 1) {
      const rising = wanted[band] > this.light[band];
      this.light[band] += (wanted[band] - this.light[band]) * ease(seconds, rising ? RISE_SECONDS : FALL_SECONDS);
    }
  }

  /** Upper band first: high, middle, low. */
  #lightWanted() {
    if (this.mood === "idle") return [RESTING_LIGHT, RESTING_LIGHT, RESTING_LIGHT];
    const heard = this.mood === "sounding" ? this.bands() : null;
    if (heard === null) return [SILENT_LIGHT, SILENT_LIGHT, SILENT_LIGHT];
    const whole = Math.max(...heard);
    const light = (/** @type {number} */ level) => SILENT_LIGHT + (1 - SILENT_LIGHT) * Math.sqrt(0.5 * level + 0.5 * whole);
    return [light(heard[2]), light(heard[1]), light(heard[0])];
  }

  #drawStill() {
    this.hue = this.hueWanted;
    const light = this.mood === "silent" ? SILENT_LIGHT : RESTING_LIGHT;
    this.light = [light, light, light];
    this.#draw();
  }

  #draw() {
    const theme = getComputedStyle(document.documentElement).colorScheme === "light" ? "light" : "dark";
    paintBands(this.image.data, WIDTH, HEIGHT, {
      ground: theme === "light" ? [243, 241, 236] : [11, 14, 19],
      colours: bandColours(this.hue, theme),
      light: this.light,
      phase: this.phase,
    });
    this.context.putImageData(this.image, 0, 0);
  }
}

/** @param {number} seconds @param {number} timeConstantSeconds */
function ease(seconds, timeConstantSeconds) {
  return 1 - Math.exp(-seconds / timeConstantSeconds);
}

/** The shorter way round from one hue to another, in degrees. @param {number} from @param {number} to */
function turnBetween(from, to) {
  return ((to - from + 540) % 360) - 180;
}

/** Fine grain over the picture: eight bits of dark colour show their steps without it. @param {HTMLElement} element */
function layGrain(element) {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = GRAIN_SIZE;
  const context = canvas.getContext("2d");
  if (context === null) return;
  const image = context.createImageData(GRAIN_SIZE, GRAIN_SIZE);
  for (let at = 0; at < image.data.length; at += 4) {
    image.data.fill(Math.random() < 0.5 ? 0 : 255, at, at + 3);
    image.data[at + 3] = Math.random() * 255;
  }
  context.putImageData(image, 0, 0);
  element.style.backgroundImage = `url(${canvas.toDataURL()})`;
  element.style.backgroundSize = `${GRAIN_SIZE / Math.max(1, devicePixelRatio)}px`;
}
