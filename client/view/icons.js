const SHAPES = {
  play: '<path d="M9 6.2v11.6c0 .8.9 1.3 1.6.8l8.4-5.8a1 1 0 0 0 0-1.6l-8.4-5.8c-.7-.5-1.6 0-1.6.8z" transform="translate(-1.2 0)"/>',
  pause: '<rect x="6.6" y="4.8" width="3.8" height="14.4" rx="1.3"/><rect x="13.6" y="4.8" width="3.8" height="14.4" rx="1.3"/>',
  timer: '<path d="M20 14.2A8.2 8.2 0 0 1 9.8 4a8.2 8.2 0 1 0 10.2 10.2z"/>',
  fresh: '<path d="M20 11.2A8.1 8.1 0 0 0 5.4 7.4L3.6 9.6M3.6 5v4.6h4.6M4 12.8a8.1 8.1 0 0 0 14.6 3.8l1.8-2.2M20.4 19v-4.6h-4.6"/>',
  music: '<circle cx="6.6" cy="17.6" r="2.6"/><circle cx="17" cy="15.6" r="2.6"/><path d="M9.2 17.6V6.2l10.4-2v11.4"/>',
  mix: '<path d="M5.5 4v8M5.5 17v3M12 4v2.5M12 11.5V20M18.5 4v9M18.5 18v2"/><circle cx="5.5" cy="14.5" r="2.4"/><circle cx="12" cy="9" r="2.4"/><circle cx="18.5" cy="15.5" r="2.4"/>',
  more: '<path d="M5 12h.01M12 12h.01M19 12h.01" stroke-width="3"/>',
  close: '<path d="M6.5 6.5l11 11M17.5 6.5l-11 11"/>',
};

/**
 * An inline picture beside a word, hidden from screen readers.
 *
 * @param {keyof typeof SHAPES} name
 * @returns {SVGElement}
 */
export function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  svg.innerHTML = SHAPES[name];
  return svg;
}
