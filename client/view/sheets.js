import { h } from "./dom.js";
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
    /** @type {Map<string, HTMLElement>} */
    this.openers = new Map();
    /** @type {string | null} */
    this.open = null;
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

  /** @param {string} name */
  has(name) {
    return this.sheets.has(name);
  }

  /** @param {string} name */
  toggle(name) {
    if (this.open === name) this.close();
    else this.#show(name);
  }

  close() {
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

  /** Replaced by the page: fill the sheet that has just opened. */
  onOpen() {}
}
