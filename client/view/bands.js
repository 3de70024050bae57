// The picture itself: three wide bands of colour, drawn small and stretched over the page.

const MIDDLES = [0.3, 0.52, 0.74];
const WIDTHS = [0.22, 0.21, 0.2];

/**
 * @typedef {object} Scene
 * @property {import("./colours.js").Rgb} ground
 * @property {import("./colours.js").Rgb[]} colours of the three bands, upper first
 * @property {number[]} light of the three bands, 0 to 1
 * @property {number} phase   how far they have drifted, in slow turns
 */

/**
 * Draw a scene. Each band is a soft ridge whose middle line wanders; colours are mixed one over
 * the other, so nothing ever gets brighter than the brightest band.
 *
 * @param {Uint8ClampedArray} pixels RGBA
 * @param {number} width
 * @param {number} height
 * @param {Scene} scene
 */
export function paintBands(pixels, width, height, scene) {
  const middles = new Float64Array(3);
  const spreads = new Float64Array(3);
  for (let x = 0; x < width; x += 1) {
    const across = x / width;
    for (let band = 0; band < 3; band += 1) {
      middles[band] = MIDDLES[band] + wander(across, scene.phase, band);
      spreads[band] = WIDTHS[band] * (1 + 0.18 * Math.sin(scene.phase * 0.7 + band * 2.1 + across * 1.3));
    }
    for (let y = 0; y < height; y += 1) {
      paintPixel(pixels, (y * width + x) * 4, across, y / height, middles, spreads, scene);
    }
  }
}

/**
 * @param {number} across
 * @param {number} phase
 * @param {number} band
 */
function wander(across, phase, band) {
  const turn = phase + band * 1.9;
  return (
    0.045 * Math.sin(turn * 0.9 + across * 2.4) +
    0.025 * Math.sin(turn * 1.7 - across * 4.1 + band) +
    0.03 * Math.sin(turn * 0.53 + band * 2.7)
  );
}

/**
 * @param {Uint8ClampedArray} pixels
 * @param {number} at
 * @param {number} across
 * @param {number} down
 * @param {Float64Array} middles
 * @param {Float64Array} spreads
 * @param {Scene} scene
 */
function paintPixel(pixels, at, across, down, middles, spreads, scene) {
  let [red, green, blue] = scene.ground;
  // Toward the upper and lower edge the ground is left alone: words and hands live there.
  const edge = Math.min(1, down / 0.16) * Math.min(1, (1 - down) / 0.2);
  const silk = 1 + 0.05 * Math.sin(down * 46 + 5 * Math.sin(across * 2.2 + scene.phase) + scene.phase);
  for (let band = 0; band < 3; band += 1) {
    const away = (down - middles[band]) / spreads[band];
    const share = Math.min(1, Math.exp(-away * away) * scene.light[band] * silk) * smooth(edge);
    const colour = scene.colours[band];
    red += (colour[0] - red) * share;
    green += (colour[1] - green) * share;
    blue += (colour[2] - blue) * share;
  }
  pixels[at] = red;
  pixels[at + 1] = green;
  pixels[at + 2] = blue;
  pixels[at + 3] = 255;
}

/** @param {number} x 0 to 1 */
function smooth(x) {
  return x * x * (3 - 2 * x);
}
