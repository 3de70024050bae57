import { ApiError } from "../net/api.js";
import { Link } from "../net/link.js";
import { buildPlayer, choosePlayer, openWorker, strikeDecoder, surveyAbilities } from "../player/choose.js";
import { SUBPROTOCOL, streamUrl } from "../protocol.js";
import { ControlDesk } from "./desk.js";
import { Rights } from "./rights.js";
import { ServerClock } from "./server-clock.js";
import { SleepTimer } from "./sleep-timer.js";
import { takeSnapshot } from "./snapshot.js";

const TICK_MS = 250;
const SEND_EVERY_MS = 120;
const STATS_EVERY_MS = 10_000;
/** The buffer is shown falling by no more than this share. */
const BUFFER_FALL_PER_SECOND = 0.24;

/**
 * @typedef {import("../protocol.js").Place} Place
 */

/** One visit: what plays, what is wanted, what the server says. */
export class Session {
  /**
   * @param {object} options
   * @param {import("./settings.js").Settings} options.settings
   * @param {import("../net/api.js").Api} options.api
   * @param {string | null} options.stationId null for the default station
   * @param {import("./invitation.js").Invitation} options.invitation
   * @param {(snapshot: import("./snapshot.js").Snapshot) => void} options.onChange
   * @param {(text: string) => void} options.say something to be told in passing
   */
  constructor({ settings, api, stationId, invitation, onChange, say }) {
    this.settings = settings;
    this.api = api;
    this.stationId = stationId;
    this.invitation = invitation;
    this.onChange = onChange;
    this.say = say;
    this.desk = new ControlDesk();
    this.sleepTimer = new SleepTimer();
    /** @type {import("../player/choose.js").Player | null} */
    this.player = null;
    /** @type {import("../player/choose.js").PlayerKind | null} */
    this.kind = null;
    /** @type {Promise<void>} */
    this.ready = Promise.resolve();
    /** @type {Worker | null} */
    this.worker = null;
    /** @type {import("../player/choose.js").Abilities | undefined} */
    this.abilities = undefined;
    this.facts = {
      supported: true,
      invited: true,
      wanted: false,
      sounding: false,
      heardOnce: false,
      playedBefore: false,
      link: /** @type {import("../net/link.js").LinkPhase} */ ("closed"),
      cause: /** @type {import("../net/link.js").LossCause | null} */ (null),
    };
    this.retryAtMs = 0;
    /** @type {import("../protocol.js").Station | null} */
    this.station = null;
    /** @type {import("../protocol.js").StateMessage | null} */
    this.sounds = null;
    this.listeners = 0;
    this.rights = new Rights({ settings, send: (message) => this.#send(message), onChange: () => this.#changed() });
    this.clock = new ServerClock();
    /** @type {import("../protocol.js").Preset[]} */
    this.presets = [];
    /** @type {string | null} */
    this.serverVersion = null;
    /** @type {import("../player/worklet-output.js").OutputStatus | null} */
    this.output = null;
    this.bufferShare = 0;
    this.reportedAtMs = 0;
    this.muted = false;
    this.playingSinceMs = 0;
    this.statsAtMs = 0;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.sendTimer = undefined;
    this.watch = new Link({
      address: () => streamUrl(location.href, this.stationId, null, this.invitation.token),
      subprotocols: [SUBPROTOCOL.state],
      handlers: {
        onStatus: (status) => this.#watchStatus(status),
        onMessage: (message) => this.#receive(message),
      },
    });
  }

  /** Everything but the stream: what sounds, what may be chosen, and a player ready for the tap. */
  begin() {
    this.worker = openWorker();
    this.watch.open();
    this.ready = this.#prepare();
    this.api.presets().then(
      ({ presets }) => {
        this.presets = presets.filter((preset) => preset.built_in);
        this.#changed();
      },
      () => undefined, // The page is whole without them; a reload asks again.
    );
    setInterval(() => this.#tick(), TICK_MS);
    window.addEventListener("online", () => this.retryNow());
    document.addEventListener("visibilitychange", () => this.#tick());
  }

  /** Call it within the gesture. */
  async listen() {
    if (this.facts.wanted) return;
    this.bufferShare = 0;
    Object.assign(this.facts, { wanted: true, heardOnce: false, sounding: false, cause: null, link: "connecting" });
    this.#changed();
    if (this.player === null) await this.ready;
    if (!this.facts.wanted || this.player === null) return;
    this.#applyVolume();
    this.player.scheduleSleep(this.sleepTimer.fade(Date.now()));
    await this.player.start(this.stationId, this.clock.liveNow(), this.invitation.token);
  }

  async pause() {
    if (!this.facts.wanted) return;
    this.sleepTimer.set(0, Date.now()); // Its fade stays: the sound must not rise again while it goes.
    await this.#halt();
  }

  toggle() {
    return this.facts.wanted ? this.pause() : this.listen();
  }

  /** Try again at once instead of waiting. */
  retryNow() {
    if (this.facts.wanted) this.player?.retryNow();
    this.watch.retryNow();
  }

  /** @param {number} percent kept between 0 and 100; ends a muting */
  setVolume(percent) {
    this.muted = false;
    this.settings.volumePercent = Math.min(100, Math.max(0, percent));
    this.#applyVolume();
    this.#changed();
  }

  /** Silence on this device only; the volume is kept. */
  toggleMute() {
    this.muted = !this.muted;
    this.#applyVolume();
    this.#changed();
  }

  /** Whether a player is there that may sound before anybody has touched the page. */
  mayStartByItself() {
    return this.player !== null && "graph" in this.player && this.player.graph.context.state === "running";
  }

  /** @param {number} minutes 0 for off */
  setSleep(minutes) {
    this.sleepTimer.set(minutes, Date.now());
    this.player?.scheduleSleep(this.sleepTimer.fade(Date.now()));
    this.#changed();
  }

  /** Keep more sound in hand, or less; music goes on if it was on. */
  async changePatience(/** @type {import("../player/patience.js").Patience} */ patience) {
    this.settings.patience = patience;
    await this.#rebuild();
  }

  /** Take another way of playing; music goes on if it was on. */
  async changeQuality(/** @type {import("../player/choose.js").Quality} */ quality) {
    this.settings.quality = quality;
    await this.#rebuild();
  }

  /**
   * @param {string} path
   * @param {any} value
   */
  setControl(path, value) {
    this.desk.wish(path, value, performance.now());
    this.#changed();
    this.sendTimer ??= setTimeout(() => this.#flush(), 0);
  }

  /** @param {string} name */
  async choosePreset(name) {
    const answer = await this.#asking(() => this.api.applyPreset(this.#id(), name));
    if (answer === null) return;
    const positions = Object.entries(answer.applied_at ?? {}).map(([key, at]) => [key, at.position]);
    this.desk.adopt(Object.fromEntries(positions), answer.controls, performance.now());
    if (this.station !== null) this.station = { ...this.station, preset: name };
    this.#changed();
  }

  async newPiece() {
    const answer = await this.#asking(() => this.api.reseed(this.#id()));
    if (answer !== null) this.say("A new piece begins");
  }

  /** Place now at the ear; the live edge while nothing plays here. @returns {Place | null} */
  here() {
    return this.player?.heard() ?? this.clock.liveNow();
  }

  /** From due time to the ear; null while it cannot be told. */
  latencySeconds() {
    return this.player?.latencySeconds(this.clock.nowSeconds()) ?? null;
  }

  outputRateHz() {
    return this.player !== null && "graph" in this.player ? this.player.graph.context.sampleRate : null;
  }

  bands() {
    return this.facts.sounding && this.player !== null ? this.player.bands() : null;
  }

  snapshot() {
    return takeSnapshot(this);
  }

  /** @returns {Promise<void>} */
  async #prepare() {
    this.abilities ??= await surveyAbilities(this.worker);
    const kind = await choosePlayer(this.abilities, this.settings.quality, this.worker);
    const handlers = {
      onLink: (/** @type {import("../net/link.js").LinkStatus} */ status) => this.#linkStatus(status),
      onMessage: (/** @type {any} */ message) => this.#receive(message),
      onOutput: (/** @type {import("../player/worklet-output.js").OutputStatus} */ status) => this.#outputStatus(status),
      onFailure: (/** @type {string} */ reason) => this.#playerFailed(reason),
      onInterruption: () => void this.pause(),
    };
    try {
      this.player = await buildPlayer(kind, this.abilities, this.settings.patience, this.worker, handlers);
    } catch (error) {
      if (!this.abilities.worklet) throw error;
      this.abilities.worklet = false; // A browser that has worklets, but not with modules.
      return this.#prepare();
    }
    this.kind = kind;
    this.facts.supported = this.player !== null;
    this.#applyVolume();
    this.#changed();
  }

  async #halt() {
    Object.assign(this.facts, { wanted: false, sounding: false });
    this.watch.open();
    this.#changed();
    await this.player?.stop();
  }

  /** The sleep timer runs on: a night must not become endless because a decoder failed. */
  async #rebuild() {
    const wanted = this.facts.wanted;
    const old = this.player;
    if (wanted) await this.#halt();
    if (old !== null && "graph" in old) await old.graph.context.close();
    this.ready = this.#prepare();
    await this.ready;
    if (wanted) await this.listen();
  }

  /** @param {string} reason */
  #playerFailed(reason) {
    if (this.abilities !== undefined && this.kind !== null && strikeDecoder(this.abilities, this.kind)) {
      void this.#rebuild();
      return;
    }
    this.say(reason);
    void this.pause();
  }

  /** @param {import("../net/link.js").LinkStatus} status of the stream */
  #linkStatus(status) {
    if (status.phase === "closed" && this.facts.wanted) return;
    this.facts.link = status.phase;
    if (status.phase === "waiting") {
      this.facts.cause = status.cause;
      this.retryAtMs = performance.now() + status.retryInMs;
      if (status.cause === "uninvited") this.#uninvited();
      else if (!this.player?.carriesMessages) this.#askAgain();
    }
    if (status.phase === "open") {
      this.facts.cause = null;
      if (this.player?.carriesMessages) this.watch.close();
    }
    this.#changed();
  }

  /** Music is no longer waited for: nothing this page does by itself would bring it. */
  #uninvited() {
    this.facts.invited = false;
    if (this.facts.wanted) void this.pause();
  }

  /** An audio element cannot tell why it was refused; the silent link is told when it is greeted. */
  #askAgain() {
    this.watch.close();
    this.watch.open();
  }

  /** @param {import("../net/link.js").LinkStatus} status of the silent link */
  #watchStatus(status) {
    if (status.phase === "waiting") this.clock.lost();
  }

  /** @param {import("../player/worklet-output.js").OutputStatus} status */
  #outputStatus(status) {
    const sounding = this.facts.wanted && status.phase === "playing";
    this.output = status;
    this.#sleepIfDue(); // No timer of the page brings these: they come in time where timers are held up.
    const share = Math.min(1, status.bufferedSeconds / status.targetSeconds);
    const nowMs = performance.now();
    this.bufferShare = Math.max(share, this.bufferShare - ((nowMs - this.reportedAtMs) / 1000) * BUFFER_FALL_PER_SECOND);
    this.reportedAtMs = nowMs;
    if (sounding && !this.facts.heardOnce) this.playingSinceMs = nowMs;
    if (sounding === this.facts.sounding) return;
    this.facts.sounding = sounding;
    if (sounding) Object.assign(this.facts, { heardOnce: true, playedBefore: true });
    this.#changed();
  }

  /** @param {any} message */
  #receive(message) {
    if (message.type === "hello") this.#greeted(message);
    else if (message.type === "state") this.#told(message);
    else if (message.type === "applied") this.desk.applied(message.id, message.positions ?? {}, message.controls);
    else if (message.type === "authorized") this.#authorized(message);
    else if (message.type === "error") this.#refused(message);
    else if (message.type === "notice" && message.level !== "info") this.say(message.text);
    this.#changed();
  }

  /** @param {import("../protocol.js").Hello} hello */
  #greeted(hello) {
    if (this.clock.greeted(hello)) this.desk.startOver();
    this.serverVersion = hello.server.version;
    this.station = hello.station;
    this.listeners = hello.station.listeners;
    this.desk.follow(hello.controls);
    this.facts.invited = hello.limits.may_listen ?? true;
    if (!this.facts.invited && this.facts.link !== "open") this.#uninvited();
    this.rights.greeted(hello.limits.may_control);
  }

  /** @param {{listen?: string}} message whoever may steer may listen: with a link, where one is needed */
  #authorized({ listen }) {
    if (listen !== undefined) {
      this.invitation.keep(listen);
      this.player?.invite(listen);
    }
    this.facts.invited = true;
    this.rights.authorized();
  }

  /** @param {import("../protocol.js").StateMessage} message */
  #told(message) {
    this.sounds = message;
    this.listeners = message.listeners;
    this.station = message.station ?? this.station;
    this.desk.follow(message.controls);
  }

  /** @param {{id: string | null, code: string, message: string, details?: Record<string, any>}} error */
  #refused(error) {
    if (error.id === null) return this.rights.refused(error);
    this.desk.refused(error.id);
    this.say(error.message);
  }

  #flush() {
    const batch = this.desk.takeUnsent();
    this.sendTimer = undefined;
    if (batch === null) return;
    this.#send({ type: "control", ...batch });
    this.sendTimer = setTimeout(() => this.#flush(), SEND_EVERY_MS);
  }

  /** Messages go with the stream while it is open, else with the silent link. @param {object} message */
  #send(message) {
    if (this.watch.send(message)) return;
    this.player?.send(message);
  }

  /**
   * @template T
   * @param {() => Promise<T>} call
   * @returns {Promise<T | null>} null when it was refused, and said so
   */
  async #asking(call) {
    try {
      return await call();
    } catch (error) {
      if (error instanceof ApiError && (error.status === 401 || error.status === 403)) this.rights.locked();
      this.say(error instanceof ApiError ? error.message : "The server cannot be reached just now");
      this.#changed();
      return null;
    }
  }

  #id() {
    return this.station?.id ?? this.stationId ?? "main";
  }

  #tick() {
    const nowMs = performance.now();
    this.desk.settle(this.here()?.position ?? null, nowMs);
    this.#sleepIfDue();
    if (this.facts.sounding && this.output !== null && nowMs - this.statsAtMs > STATS_EVERY_MS) {
      this.statsAtMs = nowMs;
      const { underruns, bufferedSeconds } = this.output;
      const latency = this.latencySeconds();
      this.#send({
        type: "stats",
        underruns,
        buffer_ms: Math.round(bufferedSeconds * 1000),
        ...(latency === null ? {} : { latency_ms: Math.max(0, Math.round(latency * 1000)) }),
      });
    }
    this.#changed();
  }

  #sleepIfDue() {
    if (this.sleepTimer.remainingSeconds(Date.now()) !== 0) return;
    if (this.facts.wanted) void this.pause();
    else this.setSleep(0); // It ran out in silence, and must not end what is begun later.
  }

  #applyVolume() {
    this.player?.setVolume(this.muted ? 0 : volumeGain(this.settings.volumePercent));
  }

  #changed() {
    this.onChange(this.snapshot());
  }
}

/** @param {number} percent of the slider @returns {number} linear gain: squared, as loudness is heard */
export function volumeGain(percent) {
  return (percent / 100) ** 2;
}
