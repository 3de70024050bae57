import { withLink } from "../model/invitation.js";
import { playerWords } from "../model/words.js";
import { createChoices, createFacts } from "./controls.js";
import { h, setAttribute } from "./dom.js";

const FORMATS = ["opus", "mp3", "flac", "aac"];

/**
 * How the page looks and plays, other ways to listen, and what is measured.
 *
 * @param {import("../model/session.js").Session} session
 * @param {() => void} changeLook apply theme and motion
 * @param {() => void} openHelp
 * @returns {import("./sheets.js").Sheet}
 */
export function createMoreSheet(session, changeLook, openHelp) {
  const { settings } = session;
  const theme = createChoices({
    legend: "Appearance",
    name: "theme",
    form: "even",
    choices: [
      { value: "auto", label: "Automatic" },
      { value: "light", label: "Light" },
      { value: "dark", label: "Dark" },
    ],
    choose(value) {
      settings.theme = /** @type {typeof settings.theme} */ (value);
      changeLook();
    },
  });
  const motion = createChoices({
    legend: "Motion",
    name: "motion",
    form: "even",
    choices: [
      { value: "on", label: "Moving" },
      { value: "off", label: "Still" },
    ],
    choose(value) {
      settings.motion = /** @type {typeof settings.motion} */ (value);
      changeLook();
    },
  });
  const awake = createChoices({
    legend: "Screen while music plays",
    name: "awake",
    form: "even",
    choices: [
      { value: "off", label: "May sleep" },
      { value: "on", label: "Stays on" },
    ],
    choose(value) {
      settings.awake = /** @type {typeof settings.awake} */ (value);
    },
  });
  awake.element.hidden = !("wakeLock" in navigator);
  const quality = createChoices({
    legend: "Sound",
    name: "quality",
    form: "flow",
    choices: [
      { value: "automatic", label: "Automatic" },
      { value: "pcm16", label: "Uncompressed" },
      { value: "element", label: "Audio element" },
    ],
    choose: (value) => void session.changeQuality(/** @type {import("../player/choose.js").Quality} */ (value)),
  });
  const patience = createChoices({
    legend: "Delay",
    name: "patience",
    form: "even",
    choices: [
      { value: "responsive", label: "Short" },
      { value: "balanced", label: "Balanced" },
      { value: "steady", label: "Long" },
    ],
    choose: (value) => void session.changePatience(/** @type {import("../player/patience.js").Patience} */ (value)),
  });
  const choices = [theme, motion, awake, quality, patience];
  const path = session.stationId === null ? "" : `/stations/${encodeURIComponent(session.stationId)}`;
  const streams = FORMATS.map((format) => ({ address: `${path}/stream.${format}`, word: format === "opus" ? "Opus" : format.toUpperCase() }));
  const anchors = [{ address: `${path}/listen.m3u`, word: "Playlist" }, ...streams].map(({ address, word }) => ({ address, anchor: h("a", {}, word) }));
  const links = h("div", { class: "links" }, ...anchors.map(({ anchor }) => anchor));
  const elsewhere = h("div", {}, h("h3", {}, "In any player"), links);
  const facts = createFacts();
  const forget = h("button", { class: "quiet", type: "button", onclick: () => session.rights.forget() }, "Forget the token kept here");
  const keys = h("button", { class: "chip", type: "button", onclick: openHelp }, "Keyboard shortcuts");
  const lead = h("p", {}, "About this page and this station");
  return {
    name: "more",
    title: "More",
    lead,
    body: h("div", {}, ...choices.map((choice) => choice.element), keys, elsewhere, h("h3", {}, "Details"), facts.element, forget),
    render(now) {
      theme.render(settings.theme);
      motion.render(settings.motion);
      awake.render(settings.awake);
      quality.render(settings.quality);
      patience.render(settings.patience);
      elsewhere.hidden = now.state === "uninvited"; // They would be refused there too.
      for (const { address, anchor } of anchors) setAttribute(anchor, "href", withLink(address, session.invitation.token));
      facts.render(describe(now));
      forget.hidden = settings.token === null;
    },
  };
}

/**
 * @param {import("../model/snapshot.js").Snapshot} now
 * @returns {[string, string][]}
 */
function describe(now) {
  const { latencySeconds, bufferedSeconds, underruns, splices, driftPpm, outputRateHz, serverVersion } = now.details;
  const milliseconds = (/** @type {number} */ seconds) => `${Math.round(seconds * 50) * 20} ms`;
  return [
    ["Player", playerWords(now.player ?? "none")],
    ["From server to ear", latencySeconds === null ? "unknown" : milliseconds(Math.max(0, latencySeconds))],
    ["Buffer", milliseconds(bufferedSeconds)],
    ["Ran dry", underruns === 1 ? "once" : `${underruns} times`],
    ["Spliced", splices === 1 ? "once" : `${splices} times`],
    ["Sound card", outputRateHz === null ? "unknown" : `${outputRateHz / 1000} kHz`],
    ["Its clock", driftPpm === null ? "as the server's" : `${Math.abs(Math.round(driftPpm))} ppm ${driftPpm > 0 ? "slower" : "faster"}`],
    ["Seed", now.station === null ? "unknown" : String(now.station.seed)],
    ["Server", serverVersion === null ? "unknown" : `auralisd ${serverVersion}`],
  ];
}
