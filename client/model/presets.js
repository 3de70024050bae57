/** As many as share one row on a phone beside the way to the others. */
export const IN_THE_ROW = 4;

/**
 * The presets of the first row: the first four, the last of them giving way to a chosen one from farther back.
 *
 * @param {import("../protocol.js").Preset[]} presets
 * @param {string | null} chosen
 * @returns {string[]}
 */
export function rowOf(presets, chosen) {
  const names = presets.map((preset) => preset.name);
  const row = names.slice(0, IN_THE_ROW);
  return chosen !== null && names.includes(chosen) && !row.includes(chosen) ? [...row.slice(0, -1), chosen] : row;
}
