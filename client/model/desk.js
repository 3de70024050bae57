import { PROGRAMME_RATE_HZ } from "../protocol.js";
import { asChange, valueAt } from "./controls.js";

/** A change nobody answered is forgotten after this long. */
const UNANSWERED_MS = 6_000;
/** An answered one that cannot be followed to the ear (nothing plays here), after this long. */
const UNHEARD_MS = 8_000;

/**
 * @typedef {object} Wish
 * @property {any} value
 * @property {string | null} id        of the message that carries it; null while unsent
 * @property {number} sinceMs
 * @property {number | null} position  where it will be heard, once the server said so
 */

/**
 * What this page wants of the controls, and what became of it.
 *
 * A wish is shown at once, sent in batches, answered with the place where it will be heard, and
 * forgotten when that place reaches the ear. The server's word always wins once it has spoken.
 */
export class ControlDesk {
  constructor() {
    /** @type {import("../protocol.js").Controls | null} */
    this.served = null;
    /** @type {Map<string, Wish>} */
    this.wishes = new Map();
    this.count = 0;
  }

  /**
   * @param {string} path
   * @param {any} value
   * @param {number} nowMs
   */
  wish(path, value, nowMs) {
    this.wishes.set(path, { value, id: null, sinceMs: nowMs, position: null });
  }

  /** @returns {{id: string, controls: Record<string, any>} | null} what is to be sent now */
  takeUnsent() {
    const unsent = [...this.wishes].filter(([, wish]) => wish.id === null);
    if (unsent.length === 0) return null;
    this.count += 1;
    const id = `page-${this.count}`;
    for (const [, wish] of unsent) wish.id = id;
    return { id, controls: asChange(unsent.map(([path, wish]) => [path, wish.value])) };
  }

  /**
   * @param {string | null} id null when it was a preset, chosen elsewhere than here
   * @param {Record<string, number>} positions
   * @param {import("../protocol.js").Controls} controls
   */
  applied(id, positions, controls) {
    this.served = controls;
    for (const [path, wish] of this.wishes) {
      if (wish.id === null || wish.id !== id) continue;
      wish.position = positions[path] ?? positions[path.split(".")[0]] ?? null;
      if (wish.position === null) this.wishes.delete(path);
    }
  }

  /**
   * Changes made otherwise (a preset): shown as on their way, like those made here.
   *
   * @param {Record<string, number>} positions
   * @param {import("../protocol.js").Controls} controls
   * @param {number} nowMs
   */
  adopt(positions, controls, nowMs) {
    const before = this.served;
    this.served = controls;
    for (const path of paths(controls)) {
      const position = positions[path] ?? positions[path.split(".")[0]];
      const value = valueAt(controls, path);
      if (position === undefined || (before !== null && valueAt(before, path) === value)) continue;
      this.wishes.set(path, { value, id: "adopted", sinceMs: nowMs, position });
    }
  }

  /** @param {string | null} id refused: what it wished for is taken back */
  refused(id) {
    for (const [path, wish] of this.wishes) if (wish.id !== null && wish.id === id) this.wishes.delete(path);
  }

  /** @param {import("../protocol.js").Controls} controls as the server has them now */
  follow(controls) {
    this.served = controls;
  }

  /** A new epoch: places of the old one mean nothing any more. */
  startOver() {
    this.wishes.clear();
  }

  /**
   * Forget what has been heard, or can no longer be.
   *
   * @param {number | null} heardPosition
   * @param {number} nowMs
   */
  settle(heardPosition, nowMs) {
    for (const [path, wish] of this.wishes) {
      const age = nowMs - wish.sinceMs;
      const heard = wish.position !== null && heardPosition !== null && wish.position <= heardPosition;
      const lost = wish.position === null ? age > UNANSWERED_MS : heardPosition === null && age > UNHEARD_MS;
      if (heard || lost) this.wishes.delete(path);
    }
  }

  /** @param {string} path */
  shown(path) {
    const wish = this.wishes.get(path);
    if (wish !== undefined && wish.position === null) return wish.value;
    return this.served === null ? undefined : valueAt(this.served, path);
  }

  /**
   * @param {string} path
   * @param {number | null} heardPosition
   * @returns {number | "sent" | null} seconds until it is heard, "sent" while unanswered, null when
   *   there is nothing to wait for
   */
  waiting(path, heardPosition) {
    const wish = this.wishes.get(path);
    if (wish === undefined) return null;
    if (wish.position === null || heardPosition === null) return "sent";
    return Math.max(0, (wish.position - heardPosition) / PROGRAMME_RATE_HZ);
  }
}

/** @param {import("../protocol.js").Controls} controls */
function paths(controls) {
  const plain = Object.keys(controls).filter((name) => name !== "layers");
  return [...plain, ...Object.keys(controls.layers ?? {}).map((name) => `layers.${name}`)];
}
