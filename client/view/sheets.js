import { byId, h } from "./dom.js";
import { icon } from "./icons.js";

/**
 * @typedef {object} Sheet
 * @property {string} name
 * @property {string} title
 * @property {HTMLElement} lead  the line under the title
 * @property {HTMLElement} body
 * @property {(now: import("../model/snapshot.js").Snapshot) => void} render
 */

/** At most one sheet is open; the rest of the page stays usable beside it. */
export class Sheets {
  constructor() {
    /** @type {Map<string, {sheet: Sheet, element: HTMLElement}>} */
    this.sheets = new Map();
    /** Those that are not fetched yet, and how. @type {Map<string, () => Promise<Sheet>>} */
    this.later = new Map();
    /** @type {Map<string, Promise<void>>} */
    this.coming = new Map();
    /** @type {Promise<void> | null} */
    this.styles = null;
    /** @type {Map<string, HTMLElement>} */
    this.openers = new Map();
    /** @type {string | null} */
    this.open = null;
    /** The sheet that opens as soon as it is there. @type {string | null} */
    this.wanted = null;
    document.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && !event.defaultPrevented) this.close();
    });
  }

  /** @param {Sheet} sheet */
  add(sheet) {
    const id = `sheet-${sheet.name}`;
    const close = h("button", { class: "close", type: "button", "aria-label": `Close ${sheet.title.toLowerCase()}`, onclick: () => this.close() }, icon("close"));
    const head = h("div", { class: "sheet-head" }, h("h2", { id: `${id}-title` }, sheet.title), close, sheet.lead);
    const body = h("div", { class: "sheet-body" }, sheet.body);
    const element = h("section", { class: "sheet", id, role: "dialog", "aria-labelledby": `${id}-title`, tabindex: "-1", hidden: true }, head, body);
    document.body.append(element);
    this.sheets.set(sheet.name, { sheet, element });
  }

  /**
   * The button that opens a sheet, and gets the focus back when it closes.
   *
   * @param {string} name
   * @param {HTMLElement} button
   */
  opener(name, button) {
    this.openers.set(name, button);
  }

  /**
   * A sheet that comes over the network when it is first opened, or before that by `fetchAll`.
   *
   * @param {string} name
   * @param {() => Promise<Sheet>} fetch
   */
  addLater(name, fetch) {
    this.later.set(name, fetch);
  }

  /** Fetch what nobody has opened yet; what does not come is tried again when it is opened. */
  async fetchAll() {
    for (const name of [...this.later.keys()]) await this.#fetch(name).catch(() => {});
  }

  /** @param {string} name */
  async toggle(name) {
    if (this.open === name) {
      this.close();
      return;
    }
    this.wanted = name;
    try {
      await this.#fetch(name);
      if (this.wanted === name) this.#show(name);
    } catch {
      this.onMissing();
    }
  }

  /** Close what is open, and open nothing of what is still on its way. */
  close() {
    this.wanted = null;
    if (this.open === null) return;
    const name = this.open;
    this.#hide();
    this.openers.get(name)?.focus();
  }

  /** @param {import("../model/snapshot.js").Snapshot} now */
  render(now) {
    if (this.open !== null) this.sheets.get(this.open)?.sheet.render(now);
  }

  #show(/** @type {string} */ name) {
    this.#hide();
    const entry = this.sheets.get(name);
    if (entry === undefined) return;
    this.open = name;
    this.wanted = null;
    entry.element.hidden = false;
    document.documentElement.dataset.sheet = name;
    this.#expanded(true);
    entry.element.focus({ preventScroll: true });
    this.onOpen();
  }

  #hide() {
    if (this.open === null) return;
    const entry = this.sheets.get(this.open);
    if (entry !== undefined) entry.element.hidden = true;
    this.#expanded(false);
    delete document.documentElement.dataset.sheet;
    this.open = null;
  }

  #expanded(/** @type {boolean} */ open) {
    const opener = this.openers.get(this.open ?? "");
    if (opener?.getAttribute("aria-controls") === `sheet-${this.open}`) opener.setAttribute("aria-expanded", String(open));
  }

  /** @returns {Promise<void>} that it is there; the same for all who ask meanwhile */
  #fetch(/** @type {string} */ name) {
    const fetch = this.later.get(name);
    if (this.sheets.has(name) || fetch === undefined) return Promise.resolve();
    const coming = this.coming.get(name) ?? this.#fetched(name, fetch);
    this.coming.set(name, coming);
    return coming;
  }

  async #fetched(/** @type {string} */ name, /** @type {() => Promise<Sheet>} */ fetch) {
    try {
      const [sheet] = await Promise.all([fetch(), (this.styles ??= fetchStyles())]);
      this.add(sheet);
      this.later.delete(name);
    } catch (error) {
      this.styles = null;
      throw error;
    } finally {
      this.coming.delete(name);
    }
  }

  /** Replaced by the page: a sheet could not be fetched. */
  onMissing() {}

  /** Replaced by the page: fill the sheet that has just opened. */
  onOpen() {}
}

/**
 * How sheets look: before what forced colours say of them.
 *
 * @returns {Promise<void>}
 */
function fetchStyles() {
  return new Promise((resolve, reject) => {
    const link = document.createElement("link");
    link.rel = "stylesheet";
    link.href = new URL("../styles/sheets.css", import.meta.url).href;
    link.onload = () => resolve();
    link.onerror = () => {
      link.remove();
      reject(new Error("the styles of the sheets do not come"));
    };
    document.head.insertBefore(link, byId("forced-colors"));
  });
}
