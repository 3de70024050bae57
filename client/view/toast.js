import { byId, h, setText } from "./dom.js";

const SHOWN_MS = 5_000;
const ASKED_MS = 10_000;

/** Words in passing, at most one at a time. */
export class Toast {
  constructor() {
    this.element = byId("toast");
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.timer = undefined;
  }

  /** @param {string} text */
  say(text) {
    setText(byId("announcer"), text);
    this.#show(SHOWN_MS, h("span", {}, text));
  }

  /**
   * @param {string} question
   * @param {string} yes
   * @param {() => void} act
   */
  ask(question, yes, act) {
    const accept = () => {
      this.hide();
      act();
    };
    const confirm = h("button", { type: "button", onclick: accept }, yes);
    this.#show(ASKED_MS, h("span", {}, question), confirm);
    confirm.focus();
  }

  hide() {
    clearTimeout(this.timer);
    this.element.hidden = true;
  }

  #show(/** @type {number} */ forMs, /** @type {Node[]} */ ...content) {
    clearTimeout(this.timer);
    this.element.replaceChildren(...content);
    this.element.hidden = false;
    this.timer = setTimeout(() => this.hide(), forMs);
  }
}
