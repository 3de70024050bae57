/** A refusal by the server, in its own words. */
export class ApiError extends Error {
  /**
   * @param {number} status
   * @param {string} message
   */
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

/** The few REST calls the page makes. */
export class Api {
  /** @param {() => string | null} token */
  constructor(token) {
    this.token = token;
  }

  /** @returns {Promise<{presets: import("../protocol.js").Preset[]}>} */
  presets() {
    return this.#call("GET", "presets");
  }

  /**
   * @param {string} stationId
   * @param {string} name
   * @returns {Promise<{controls: import("../protocol.js").Controls,
   *   applied_at: Record<string, {position: number, seconds_from_now: number}>}>}
   */
  applyPreset(stationId, name) {
    return this.#call("POST", `stations/${encodeURIComponent(stationId)}/preset`, { name });
  }

  /** @param {string} stationId begin a new piece: a new seed */
  reseed(stationId) {
    return this.#call("PATCH", `stations/${encodeURIComponent(stationId)}`, { reseed: true });
  }

  /**
   * @param {string} method
   * @param {string} path under /api/v1/
   * @param {object} [body]
   */
  async #call(method, path, body) {
    /** @type {Record<string, string>} */
    const headers = { accept: "application/json" };
    const token = this.token();
    if (token !== null) headers.authorization = `Bearer ${token}`;
    if (body !== undefined) headers["content-type"] = "application/json";
    const response = await fetch(`/api/v1/${path}`, {
      method,
      headers,
      cache: "no-store",
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    const answer = await response.json().catch(() => null);
    if (!response.ok) throw new ApiError(response.status, answer?.error?.message ?? "The server did not accept this");
    return answer;
  }
}
