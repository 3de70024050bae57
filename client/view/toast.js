import { byId, h, setAttribute } from "./dom.js";

const SHOWN_MS = 5_000;

/** Words in passing, at most one at a time. */
export class Toast {
  /** @param {import("./announcer.js").Announcer} announcer */
  constructor(announcer) {
    this.announcer = announcer;
    this.element = byId("toast");
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.timer = undefined;
  }

  /** @param {string} text */
  say(text) {
    this.announcer.say(text);
    if (!this.element.hidden && this.element.getAttribute("role") === "alertdialog") return; // A question first.
    this.#show({ role: "region", "aria-label": "Message" }, h("span", {}, text));
    this.timer = setTimeout(() => this.hide(), SHOWN_MS);
  }

  /**
   * A question stays until it is answered, and gives the focus back.
   *
   * @param {string} question
   * @param {string} yes
   * @param {() => void} act
   */
  ask(question, yes, act) {
    const before = document.activeElement;
    const answer = (/** @type {boolean} */ accepted) => {
      this.hide();
      if (before instanceof HTMLElement) before.focus();
      if (accepted) act();
    };
    const confirm = h("button", { type: "button", onclick: () => answer(true) }, yes);
    const refuse = h("button", { type: "button", onclick: () => answer(false) }, "No");
    this.#show({ role: "alertdialog", "aria-labelledby": "toast-words" }, h("span", { id: "toast-words" }, question), confirm, refuse);
    this.element.onkeydown = (event) => {
      if (event.key !== "Escape") return;
      event.preventDefault();
      answer(false);
    };
    confirm.focus();
  }

  hide() {
    clearTimeout(this.timer);
    this.element.hidden = true;
  }

  /** @param {Record<string, string>} attributes @param {Node[]} content */
  #show(attributes, ...content) {
    clearTimeout(this.timer);
    this.element.onkeydown = null;
    for (const name of ["role", "aria-label", "aria-labelledby"]) setAttribute(this.element, name, attributes[name] ?? null);
    this.element.replaceChildren(...content);
    this.element.hidden = false;
  }
}
