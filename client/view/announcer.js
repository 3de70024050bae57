/** A state has to last this long to be told; a trouble that passes sooner was none. */
const SETTLE_MS = 500;
const TROUBLE_SETTLE_MS = 2_500;
/** Troubles are told no more often than this, however the connection flutters. */
const TROUBLE_REST_MS = 60_000;
/** Told words leave the region again, so that the same words later are news. */
const CLEAR_MS = 8_000;

/**
 * What a screen reader hears: the page's one live region. The latest word wins, one state is told
 * once, and nothing that passes by itself is told at all.
 */
export class Announcer {
  /**
   * @param {(text: string) => void} write into the region
   * @param {() => number} now milliseconds
   */
  constructor(write, now = () => performance.now()) {
    this.write = write;
    this.now = now;
    this.told = "";
    this.state = "";
    this.troubleAtMs = -Infinity;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.stateTimer = undefined;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.wordTimer = undefined;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.clearTimer = undefined;
  }

  /** Words in passing; of several in a row the last. @param {string} text */
  say(text) {
    clearTimeout(this.wordTimer);
    this.wordTimer = setTimeout(() => this.#put(text), SETTLE_MS);
  }

  /**
   * How things stand; call it as often as you like.
   *
   * @param {string} text empty when there is nothing to tell
   * @param {boolean} trouble it came by itself and may pass by itself
   */
  follow(text, trouble) {
    if (text === this.state) return;
    this.state = text;
    clearTimeout(this.stateTimer);
    if (text === "" || text === this.told) return;
    const rest = trouble ? Math.max(TROUBLE_SETTLE_MS, this.troubleAtMs + TROUBLE_REST_MS - this.now()) : SETTLE_MS;
    this.stateTimer = setTimeout(() => {
      this.told = text;
      if (trouble) this.troubleAtMs = this.now();
      this.#put(text);
    }, rest);
  }

  #put(/** @type {string} */ text) {
    clearTimeout(this.clearTimer);
    this.write(text);
    this.clearTimer = setTimeout(() => this.write(""), CLEAR_MS);
  }
}
