// Colours of the picture: chosen in OKLCH (Ottosson, 2020), where equal steps look equal.

import { pitchClass } from "../model/controls.js";

/** @type {Record<string, number>} degrees; the brighter the mode, the warmer */
const MODE_HUES = { phrygian: 320, aeolian: 262, dorian: 188, mixolydian: 152, ionian: 96, lydian: 66 };
const UNKNOWN_HUE = 188;
/** One step along the circle of fifths turns the hue by this much. */
const FIFTH_DEGREES = 7;
/** How far the second and third band stand from the first. */
const BAND_DEGREES = [0, 70, 134];

/** @typedef {[number, number, number]} Rgb 0 to 255 */

/**
 * The hue of a scale, in degrees.
 *
 * @param {string | undefined} mode
 * @param {string | undefined} tonic
 */
export function scaleHue(mode, tonic) {
  const hue = MODE_HUES[mode ?? ""] ?? UNKNOWN_HUE;
  if (tonic === undefined) return hue;
  // Pitch classes along the circle of fifths, -5 to 6 from C.
  const fifths = ((pitchClass(tonic) * 7 + 5) % 12) - 5;
  return (hue + fifths * FIFTH_DEGREES + 360) % 360;
}

/**
 * The three bands' colours, upper first.
 *
 * @param {number} hue
 * @param {"dark" | "light"} theme
 * @returns {[Rgb, Rgb, Rgb]}
 */
export function bandColours(hue, theme) {
  const [lightness, chroma] = theme === "dark" ? [0.43, 0.062] : [0.855, 0.036];
  const colour = (/** @type {number} */ band) => oklchToRgb(lightness, chroma, hue + BAND_DEGREES[band]);
  return [colour(0), colour(1), colour(2)];
}

/**
 * @param {number} lightness 0 to 1
 * @param {number} chroma
 * @param {number} hueDegrees
 * @returns {Rgb}
 */
export function oklchToRgb(lightness, chroma, hueDegrees) {
  const a = chroma * Math.cos((hueDegrees * Math.PI) / 180);
  const b = chroma * Math.sin((hueDegrees * Math.PI) / 180);
  const l = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3;
  const m = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3;
  const s = (lightness - 0.0894841775 * a - 1.291485548 * b) ** 3;
  return [
    toByte(4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s),
    toByte(-1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s),
    toByte(-0.0041960863 * l - 0.7034186147 * m + 1.707614701 * s),
  ];
}

/** @param {number} linear */
function toByte(linear) {
  const value = Math.min(1, Math.max(0, linear));
  return 255 * (value <= 0.0031308 ? 12.92 * value : 1.055 * value ** (1 / 2.4) - 0.055);
}
