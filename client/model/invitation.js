const PARAMETER = "listen";
const KEPT = "auralis.listen";

/**
 * The link this page was opened by, where the server asks for one: kept for the visit and out of the
 * address bar, so that it is neither shown nor bookmarked nor passed on by mistake.
 */
export class Invitation {
  /**
   * @param {Storage | null} storage of the visit: another tab has to be invited too
   * @param {string | null} [brought] the token of the address, which outranks a kept one
   */
  constructor(storage, brought = null) {
    this.storage = storage;
    /** @type {string | null} */
    this.token = brought ?? this.#kept();
    if (brought !== null) this.keep(brought);
  }

  /**
   * Take it out of the page's address.
   *
   * @param {URL} address
   * @param {(address: string) => void} show puts another address into the bar, with no new entry in the history
   */
  static take(address, show) {
    const brought = address.searchParams.get(PARAMETER);
    if (brought !== null) {
      address.searchParams.delete(PARAMETER);
      show(address.href);
    }
    return new Invitation(sessionStorageOrNull(), brought || null);
  }

  /** @param {string} token from now on */
  keep(token) {
    this.token = token;
    try {
      this.storage?.setItem(KEPT, token);
    } catch {
      // Full or forbidden: it holds until the page is left.
    }
  }

  #kept() {
    try {
      return this.storage?.getItem(KEPT) ?? null;
    } catch {
      return null;
    }
  }
}

/**
 * An address of this server, with the link in it where there is one.
 *
 * @param {string} path
 * @param {string | null} token
 */
export function withLink(path, token) {
  return token === null ? path : `${path}${path.includes("?") ? "&" : "?"}${PARAMETER}=${encodeURIComponent(token)}`;
}

/** @returns {Storage | null} null where the browser lets us keep nothing */
function sessionStorageOrNull() {
  try {
    return globalThis.sessionStorage ?? null;
  } catch {
    return null;
  }
}
