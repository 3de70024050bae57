import { PROGRAMME_RATE_HZ } from "../protocol.js";

/** Where the station is, and what time it is over there, between one greeting and the next. */
export class ServerClock {
  constructor() {
    /** @type {(import("../protocol.js").Place & {atMs: number}) | null} */
    this.live = null;
    this.offsetSeconds = 0;
  }

  /**
   * @param {import("../protocol.js").Hello} hello
   * @returns {boolean} whether it begins an epoch other than the one known
   */
  greeted(hello) {
    const turned = this.live !== null && this.live.epoch !== hello.epoch;
    this.live = { epoch: hello.epoch, position: hello.live_position, atMs: performance.now() };
    this.offsetSeconds = hello.server.monotonic_seconds - performance.now() / 1000;
    return turned;
  }

  /** The connection is gone, and who knows what comes back. */
  lost() {
    this.live = null;
  }

  /** The live edge now. @returns {import("../protocol.js").Place | null} */
  liveNow() {
    if (this.live === null) return null;
    const elapsedSeconds = (performance.now() - this.live.atMs) / 1000;
    return { epoch: this.live.epoch, position: this.live.position + elapsedSeconds * PROGRAMME_RATE_HZ };
  }

  /** The server's monotonic clock now. */
  nowSeconds() {
    return performance.now() / 1000 + this.offsetSeconds;
  }
}
