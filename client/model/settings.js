const PREFIX = "auralis.";

/**
 * What this browser remembers. Where nothing can be stored (private windows), it holds for the visit.
 */
export class Settings {
  /** @param {Storage | null} storage */
  constructor(storage) {
    this.storage = storage;
    /** @type {Map<string, string>} */
    this.visit = new Map();
  }

  /** @returns {Settings} on this browser's localStorage, if it lets us */
  static open() {
    try {
      return new Settings(globalThis.localStorage ?? null);
    } catch {
      return new Settings(null);
    }
  }

  /** @returns {number} 0 to 100 */
  get volumePercent() {
    const value = Number(this.#read("volume") ?? "70");
    return Number.isFinite(value) ? Math.min(100, Math.max(0, value)) : 70;
  }

  set volumePercent(value) {
    this.#write("volume", String(value));
  }

  /** @returns {"auto" | "light" | "dark"} */
  get theme() {
    return pick(this.#read("theme"), ["auto", "light", "dark"]);
  }

  set theme(value) {
    this.#write("theme", value);
  }

  /** @returns {import("../player/choose.js").Quality} */
  get quality() {
    return pick(this.#read("quality"), ["automatic", "opus", "pcm16", "element"]);
  }

  set quality(value) {
    this.#write("quality", value);
  }

  /** @returns {import("../player/patience.js").Patience} */
  get patience() {
    return pick(this.#read("patience"), ["balanced", "responsive", "steady"]);
  }

  set patience(value) {
    this.#write("patience", value);
  }

  /** @returns {"on" | "off"} whether the picture moves */
  get motion() {
    return pick(this.#read("motion"), ["on", "off"]);
  }

  set motion(value) {
    this.#write("motion", value);
  }

  /** @returns {"off" | "on"} whether the screen stays on while music plays */
  get awake() {
    return pick(this.#read("awake"), ["off", "on"]);
  }

  set awake(value) {
    this.#write("awake", value);
  }

  /** @returns {"on" | "off"} whether single keys do things */
  get shortcuts() {
    return pick(this.#read("shortcuts"), ["on", "off"]);
  }

  set shortcuts(value) {
    this.#write("shortcuts", value);
  }

  /** @returns {string | null} */
  get token() {
    return this.#read("token");
  }

  set token(value) {
    this.#write("token", value);
  }

  #read(/** @type {string} */ name) {
    if (this.visit.has(name)) return this.visit.get(name) ?? null;
    try {
      return this.storage?.getItem(PREFIX + name) ?? null;
    } catch {
      return null;
    }
  }

  #write(/** @type {string} */ name, /** @type {string | null} */ value) {
    if (value === null) this.visit.delete(name);
    else this.visit.set(name, value);
    try {
      if (value === null) this.storage?.removeItem(PREFIX + name);
      else this.storage?.setItem(PREFIX + name, value);
    } catch {
      // Full or forbidden: `visit` has it.
    }
  }
}

/**
 * @template {string} T
 * @param {string | null} value
 * @param {T[]} allowed the first one is the default
 * @returns {T}
 */
function pick(value, allowed) {
  return allowed.find((one) => one === value) ?? allowed[0];
}
