import { withLink } from "../model/invitation.js";
import { Backoff } from "../net/backoff.js";

const PAUSE_STEP_MS = 25;
const PAUSE_STEPS = 10;
const STALLED_MS = 15_000;

/**
 * The last resort: the browser's own audio element on the endless HTTP stream. It carries no
 * messages and knows no place in the programme.
 */
export class ElementPlayer {
  kind = /** @type {const} */ ("element");
  carriesMessages = false;

  /**
   * @param {object} options
   * @param {"opus" | "mp3"} options.format
   * @param {import("./stream-player.js").PlayerHandlers} options.handlers
   */
  constructor({ format, handlers }) {
    this.format = format;
    this.handlers = handlers;
    this.audio = new Audio();
    this.backoff = new Backoff();
    this.wanted = false;
    this.volume = 1;
    this.address = "";
    /** @type {string | null} */
    this.listen = null;
    this.underruns = 0;
    /** @type {"filling" | "playing"} */
    this.phase = "filling";
    /** @type {{fromMs: number, toMs: number} | null} */
    this.fade = null;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.timer = undefined;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.stallTimer = undefined;
    this.audio.addEventListener("playing", () => this.#playing());
    this.audio.addEventListener("waiting", () => this.#waiting());
    this.audio.addEventListener("timeupdate", () => this.#goOn());
    for (const name of ["error", "ended"]) this.audio.addEventListener(name, () => this.#lost());
  }

  /**
   * @param {string | null} stationId
   * @param {import("../protocol.js").Place | null} _live it begins where the server lets it
   * @param {string | null} listen the link that lets us listen, where one is needed
   */
  start(stationId, _live, listen) {
    const path = stationId === null ? "" : `/stations/${encodeURIComponent(stationId)}`;
    this.address = `${path}/stream.${this.format}`;
    this.listen = listen;
    this.wanted = true;
    this.#applyVolume();
    this.#connect();
  }

  /** @param {string} listen the link of connections to come */
  invite(listen) {
    this.listen = listen;
  }

  async stop() {
    this.wanted = false;
    clearTimeout(this.timer);
    clearTimeout(this.stallTimer);
    for (let step = PAUSE_STEPS - 1; step >= 0 && !this.wanted; step -= 1) {
      this.#applyVolume(step / PAUSE_STEPS);
      await new Promise((resolve) => setTimeout(resolve, PAUSE_STEP_MS));
    }
    if (this.wanted) return;
    this.audio.removeAttribute("src");
    this.audio.load();
    this.handlers.onLink({ phase: "closed", cause: null, retryInMs: 0 });
  }

  retryNow() {
    clearTimeout(this.timer);
    if (this.wanted) this.#connect();
  }

  send() {}

  /** @param {number} gain linear */
  setVolume(gain) {
    this.volume = gain;
    this.#applyVolume();
  }

  /**
   * The element has no clock to schedule on; its own reports, four a second, carry the fade.
   *
   * @param {{startsInSeconds: number, endsInSeconds: number} | null} fade
   */
  scheduleSleep(fade) {
    const nowMs = Date.now();
    this.fade = fade && { fromMs: nowMs + 1000 * fade.startsInSeconds, toMs: nowMs + 1000 * fade.endsInSeconds };
    this.#applyVolume();
  }

  /** Its sound cannot be looked at: a steady light. @returns {[number, number, number]} */
  bands() {
    return this.audio.paused ? [0, 0, 0] : [0.6, 0.6, 0.6];
  }

  heard() {
    return null;
  }

  latencySeconds() {
    return null;
  }

  #connect() {
    this.handlers.onLink({ phase: "connecting", cause: null, retryInMs: 0 });
    this.audio.src = withLink(this.address, this.listen);
    this.audio.play().catch((/** @type {DOMException} */ error) => {
      if (error.name === "NotAllowedError") this.handlers.onFailure(error.message);
    });
  }

  #applyVolume(share = 1) {
    const { fade } = this;
    const asleep = fade === null ? 1 : (fade.toMs - Date.now()) / Math.max(1, fade.toMs - fade.fromMs);
    this.audio.volume = this.volume * share * Math.min(1, Math.max(0, asleep));
  }

  #goOn() {
    if (!this.wanted) return;
    this.#applyVolume();
    this.#report(this.phase);
  }

  #playing() {
    this.backoff.reset();
    clearTimeout(this.stallTimer);
    this.handlers.onLink({ phase: "open", cause: null, retryInMs: 0 });
    this.#report("playing");
  }

  #waiting() {
    if (!this.wanted) return;
    this.underruns += 1;
    this.#report("filling");
    clearTimeout(this.stallTimer);
    this.stallTimer = setTimeout(() => this.#lost(), STALLED_MS);
  }

  #lost() {
    if (!this.wanted) return;
    clearTimeout(this.timer);
    const retryInMs = this.backoff.next();
    this.#report("filling");
    this.handlers.onLink({ phase: "waiting", cause: "lost", retryInMs });
    this.timer = setTimeout(() => this.retryNow(), retryInMs);
  }

  #report(/** @type {"filling" | "playing"} */ phase) {
    this.phase = phase;
    this.handlers.onOutput({
      phase,
      bufferedSeconds: phase === "playing" ? 1 : 0,
      targetSeconds: 1,
      place: null,
      underruns: this.underruns,
      splices: 0,
      driftPpm: null,
      contextSeconds: 0,
    });
  }
}
