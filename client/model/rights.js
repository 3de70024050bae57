/**
 * Whether this page may change things, and how it proves it: every connection is new to the server,
 * so a kept token is presented again on each.
 */
export class Rights {
  /**
   * @param {object} options
   * @param {import("./settings.js").Settings} options.settings keep the token
   * @param {(message: object) => void} options.send
   * @param {() => void} options.onChange
   */
  constructor({ settings, send, onChange }) {
    this.settings = settings;
    this.send = send;
    this.onChange = onChange;
    /** @type {"unknown" | "open" | "locked"} */
    this.state = "unknown";
    this.presenting = false;
    /** Told what was wrong with a new token, or null when it was taken. @type {((problem: string | null) => void) | null} */
    this.asking = null;
  }

  /** @param {boolean} mayControl as the server greeted this connection */
  greeted(mayControl) {
    const kept = this.state === "open" && this.settings.token !== null;
    this.state = mayControl || kept ? "open" : "locked";
    if (!mayControl) this.#present();
  }

  /**
   * Try a token; it is kept when the server takes it.
   *
   * @param {string} token
   * @returns {Promise<string | null>} what is wrong with it; null when it was taken
   */
  async claim(token) {
    const problem = await new Promise((resolve) => {
      this.asking = resolve;
      this.send({ type: "authorize", token });
    });
    if (problem === null) this.settings.token = token;
    this.onChange();
    return problem;
  }

  forget() {
    this.settings.token = null;
    this.locked();
  }

  /** A change was refused for want of the right. */
  locked() {
    this.state = "locked";
    this.onChange();
  }

  authorized() {
    this.state = "open";
    this.presenting = false;
    this.#answer(null);
  }

  /** @param {{code: string, message: string, details?: Record<string, any>}} error about a token */
  refused(error) {
    if (this.asking !== null) {
      this.#answer(error.message);
    } else if (this.presenting && error.code === "rate_limited") {
      setTimeout(() => this.#present(), 1000 * Number(error.details?.retry_after_seconds ?? 15));
    } else if (this.presenting && error.code === "unauthorized") {
      this.presenting = false;
      this.forget(); // It has been changed over there.
    }
  }

  #present() {
    const token = this.settings.token;
    if (token === null) return;
    this.presenting = true;
    this.send({ type: "authorize", token });
  }

  /** @param {string | null} problem */
  #answer(problem) {
    this.asking?.(problem);
    this.asking = null;
  }
}
