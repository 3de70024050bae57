/**
 * How much sound the listener wants in hand: less is heard sooner after a control was turned, more
 * rides over a worse network.
 *
 * @typedef {"responsive" | "balanced" | "steady"} Patience
 */

/** In hand before an on-time packet comes, at the least. @type {Readonly<Record<Patience, number>>} */
export const LEAST_SECONDS = { responsive: 0.06, balanced: 0.1, steady: 0.5 };

/** What the browser is asked for when its sound is opened. @type {Readonly<Record<Patience, AudioContextLatencyCategory>>} */
export const LATENCY_HINT = { responsive: "interactive", balanced: "balanced", steady: "playback" };
