// The controls of a station as the page knows them: names, ranges, words.

export const KEYS = ["C", "C#", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B"];
export const MODES = ["aeolian", "dorian", "lydian", "phrygian", "mixolydian", "ionian"];
export const LAYERS = ["drone", "pad", "loops", "melody", "bells", "texture", "percussion"];

/**
 * @typedef {object} Slider
 * @property {string} path
 * @property {string} label
 * @property {number} min
 * @property {number} max
 * @property {number} step
 * @property {(value: number) => string} show
 */

const percent = (/** @type {number} */ value) => `${Math.round(value * 100)}`;

/** @param {number} value */
export function decibels(value) {
  const rounded = Math.round(value);
  return `${rounded > 0 ? "+" : rounded < 0 ? "\u2212" : ""}${Math.abs(rounded)} dB`;
}

/** @returns {Slider} */
const share = (/** @type {string} */ path, /** @type {string} */ label) => ({ path, label, min: 0, max: 1, step: 0.01, show: percent });

/** @type {Slider[]} */
export const SOUND_SLIDERS = [
  { path: "tempo_bpm", label: "Tempo", min: 40, max: 120, step: 1, show: (value) => `${Math.round(value)}` },
  share("intensity", "Intensity"),
  share("brightness", "Brightness"),
  share("space", "Space"),
  share("warmth", "Warmth"),
];

/** @type {Slider[]} */
export const SCORE_SLIDERS = [
  share("melody_complexity", "Melody"),
  share("chord_variety", "Variety"),
  share("harmonic_density", "Density"),
];

/**
 * @typedef {object} Switch
 * @property {string} path
 * @property {string} label
 * @property {(on: boolean) => string} show
 */

/** @type {Switch} */
export const NIGHT_SWITCH = {
  path: "night",
  label: "Night",
  show: (on) => (on ? "Growing darker and calmer over an hour" : "As bright and lively as it is set"),
};

/** @type {Slider} */
export const LEVEL_SLIDER = { path: "level_db", label: "Whole mix", min: -30, max: 0, step: 1, show: decibels };

/** @type {Slider[]} */
export const LAYER_SLIDERS = LAYERS.map((name) => ({
  path: `layers.${name}`,
  label: name[0].toUpperCase() + name.slice(1),
  min: -60,
  max: 6,
  step: 1,
  show: decibels,
}));

const NATURALS = /** @type {Record<string, number>} */ ({ C: 0, D: 2, E: 4, F: 5, G: 7, A: 9, B: 11 });

/**
 * The pitch class of a key's name, C being 0.
 *
 * @param {string} key such as "A", "C#", "Eb"
 */
export function pitchClass(key) {
  const bend = [...key.slice(1)].reduce((sum, sign) => sum + (sign === "#" || sign === "♯" ? 1 : -1), 0);
  return (NATURALS[key[0].toUpperCase()] + bend + 12) % 12;
}

/**
 * @param {import("../protocol.js").Controls} controls
 * @param {string} path such as "intensity" or "layers.bells"
 */
export function valueAt(controls, path) {
  const [name, layer] = path.split(".");
  return layer === undefined ? controls[name] : controls.layers[layer];
}

/**
 * The body that changes these, layers nested.
 *
 * @param {Iterable<[string, any]>} changes path and value
 * @returns {Record<string, any>}
 */
export function asChange(changes) {
  /** @type {Record<string, any>} */
  const body = {};
  for (const [path, value] of changes) {
    const [name, layer] = path.split(".");
    if (layer === undefined) body[name] = value;
    else body.layers = { ...body.layers, [layer]: value };
  }
  return body;
}
